"""PAVOQUE: recordings and the files that mark their utterances, or utterances cut by its script."""

import pytest

from preprocessing.clip import IS_COPY, UNEXPECTED_NAME, Clip, SkippedClip
from preprocessing.corpora.pavoque import ALREADY_CUT, CORPUS, MISSING_RECORDING, OUTTAKE
from tests.support.corpus_folders import lay_out

ANGRY = "- prompt: spike0030a\n  text: Ach ja?\n  style: angry\n  start: 27.0\n  end: 28.92\n"
POKER = "- prompt: m0001\n  text: Ach ja?\n  style: poker\n  start: 0\n  end: 1.5\n"
UNCUT = {
    "pavoque-angry.flac": "",
    "pavoque-angry.yaml": ANGRY,
    "pavoque-poker.flac": "",
    "pavoque-poker.yaml": POKER,
    "pavoque-outtakes.flac": "",
    "pavoque-outtakes.yaml": ANGRY,
}
CUT = {"build/wav/spike0030a-angry.wav": "", "build/wav/m0001-poker.wav": ""}


def read_apart(folder) -> tuple[dict[str, Clip], dict[str, str]]:
    entries = list(CORPUS.read(folder))
    clips = {entry.id: entry for entry in entries if isinstance(entry, Clip)}
    skipped = {entry.id: entry.reason for entry in entries if isinstance(entry, SkippedClip)}
    assert len(clips) + len(skipped) == len(entries)
    return clips, skipped


def test_a_recording_is_read_by_the_file_next_to_it(tmp_path):
    lay_out(tmp_path, UNCUT)
    clips, skipped = read_apart(tmp_path)
    angry, poker = clips["pavoque/spike0030a-angry.wav"], clips["pavoque/m0001-poker.wav"]
    assert (angry.path, angry.start_s, angry.end_s) == (tmp_path / "pavoque-angry.flac", 27.0, 28.92)
    assert (poker.path, poker.start_s, poker.end_s) == (tmp_path / "pavoque-poker.flac", 0.0, 1.5)
    assert (angry.raw_label, angry.gender, angry.sentence) == ("angry", "male", "spike0030")
    assert (poker.raw_label, poker.gender, poker.sentence) == ("poker", "male", "m0001")
    assert skipped == {"pavoque/pavoque-outtakes.flac@27.000": OUTTAKE}


def test_cut_and_uncut_give_the_same_but_for_the_path(tmp_path):
    lay_out(tmp_path / "uncut", UNCUT)
    lay_out(tmp_path / "cut", CUT)
    uncut, _ = read_apart(tmp_path / "uncut")
    cut, skipped = read_apart(tmp_path / "cut")
    fields = ("raw_label", "speaker", "sentence", "gender", "corpus", "locale", "style")
    assert {id_: [getattr(clip, field) for field in fields] for id_, clip in cut.items()} == {
        id_: [getattr(clip, field) for field in fields] for id_, clip in uncut.items()
    }
    assert skipped == {}


def test_where_both_are_there_the_cut_ones_count(tmp_path):
    lay_out(tmp_path, UNCUT | CUT | {"pavoque-sad.yaml": ""})
    clips, skipped = read_apart(tmp_path)
    assert {clip.path.suffix for clip in clips.values()} == {".wav"}
    assert skipped == {
        "pavoque/spike0030a-angry.wav in pavoque-angry.flac": ALREADY_CUT,
        "pavoque/m0001-poker.wav in pavoque-poker.flac": ALREADY_CUT,
        "pavoque/pavoque-outtakes.flac@27.000": OUTTAKE,
    }


def test_a_few_cut_ones_do_not_hide_the_others(tmp_path):
    lay_out(tmp_path, UNCUT | {"build/wav/spike0030a-angry.wav": ""})
    clips, _ = read_apart(tmp_path)
    suffixes = {name: clip.path.suffix for name, clip in clips.items()}
    assert suffixes == {"pavoque/spike0030a-angry.wav": ".wav", "pavoque/m0001-poker.wav": ".flac"}


def test_a_recording_without_its_yaml_file_is_refused(tmp_path):
    lay_out(tmp_path, {"pavoque-angry.flac": ""})
    with pytest.raises(ValueError, match=r"pavoque-angry\.yaml"):
        list(CORPUS.read(tmp_path))


def test_what_has_no_counterpart_is_skipped_with_a_reason(tmp_path):
    odd = {"pavoque-sad.yaml": POKER, "pavoque-all.yaml": POKER, "other.flac": "", "copy/pavoque-angry.flac": ""}
    lay_out(tmp_path, {**odd, "pavoque-angry.flac": "", "pavoque-angry.yaml": ANGRY, "copy/pavoque-angry.yaml": ANGRY})
    clips, skipped = read_apart(tmp_path)
    assert list(clips) == ["pavoque/spike0030a-angry.wav"]
    assert skipped == {
        "pavoque/copy/pavoque-angry.flac": IS_COPY,
        "pavoque/other.flac": UNEXPECTED_NAME,
        "pavoque/pavoque-sad.flac": MISSING_RECORDING,
    }


@pytest.mark.parametrize(
    "text", ["", "a: 1\n", "- 7\n", "- prompt: a1\n  start: 1\n  end: 2\n", "- {start: x, end: 2}\n"]
)
def test_a_yaml_file_of_another_form_is_named(tmp_path, text):
    lay_out(tmp_path, {"pavoque-angry.flac": "", "pavoque-angry.yaml": text})
    with pytest.raises(ValueError, match=r"pavoque-angry\.yaml"):
        list(CORPUS.read(tmp_path))
