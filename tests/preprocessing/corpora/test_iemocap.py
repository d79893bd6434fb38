"""IEMOCAP: what its label files hold on its utterances, and what happens where one of the two is missing."""

import re
from collections import Counter

import pytest
import soundfile

from modeling import SAMPLING_RATE
from preprocessing.clip import UNEXPECTED_NAME, Clip, SkippedClip
from preprocessing.corpora.iemocap import CORPUS, MISSING_UTTERANCE, NOT_LABELED
from preprocessing.corpora.scan import Source, scan
from preprocessing.prepared.build import prepare
from preprocessing.prepared.load import load_prepared
from tests.conftest import voice
from tests.support.corpora import iemocap
from tests.support.corpus_folders import lay_out

WAV = "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"
TXT = "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
LINE = "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\n"


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("neu", "neutral"),
        ("fru", "frustration"),
        ("ang", "anger"),
        ("sad", "sadness"),
        ("exc", "excited"),
        ("hap", "happiness"),
        ("sur", "surprise"),
        ("fea", "fear"),
        ("dis", "disgust"),
        ("oth", "other"),
        ("xxx", "xxx"),
    ],
)
def test_a_label_line_gives_the_emotion(tmp_path, code, label):
    lay_out(tmp_path, {WAV: "", TXT: "% [START_TIME - END_TIME] TURN_NAME EMOTION\n\n" + LINE.replace("neu", code)})
    (clip,) = CORPUS.read(tmp_path)
    assert clip.raw_label == label
    assert clip.id == "iemocap/Ses01F_impro01_F000.wav"


def test_valence_arousal_and_dominance_stand_in_this_order(tmp_path):
    lay_out(tmp_path, {WAV: "", TXT: LINE.replace("[2.5000, 2.5000, 2.5000]", "[1.5000, 4.0000, 4.6667]")})
    (clip,) = CORPUS.read(tmp_path)
    assert clip.extra == {"valence": 1.5, "arousal": 4.0, "dominance": 4.6667}


def test_every_utterance_of_a_session_has_its_own_values(tmp_path):
    lay_out(tmp_path, {path: text for path, text in iemocap.tree().items() if path.startswith("Session1/")})
    clips = [entry for entry in CORPUS.read(tmp_path) if isinstance(entry, Clip)]
    found = Counter(tuple(clip.extra[name] for name in ("valence", "arousal", "dominance")) for clip in clips)
    assert found == Counter(iemocap.dimensions(5 * index) for index in range(len(clips)))
    assert len(found) > 700


def test_with_a_corpus_without_them_they_are_numbers_or_missing(tmp_path):
    for path in (WAV, "other/happy/a.wav"):
        (tmp_path / path).parent.mkdir(parents=True)
        soundfile.write(tmp_path / path, voice(0.6, 150), SAMPLING_RATE)
    lay_out(tmp_path, {TXT: LINE.replace("[2.5000, 2.5000, 2.5000]", "[1.5000, 4.0000, 4.6667]")})
    sources = [Source("iemocap", tmp_path / "Session1"), Source("folder", tmp_path / "other")]
    prepare(scan(sources), tmp_path / "prepared", num_proc=1)
    (clips,) = load_prepared(tmp_path / "prepared", "speaker").values()  # one speaker: all in training
    names = ["valence", "arousal", "dominance"]
    assert {clips.features[name].dtype for name in names} == {"float64"}
    values = {row["corpus"]: [row[name] for name in names] for row in clips.select_columns(["corpus", *names])}
    assert values == {"iemocap": [1.5, 4.0, 4.6667], "other": [None, None, None]}


@pytest.mark.parametrize(
    ("utterance", "speaker", "gender"),
    [
        ("Ses01F_impro01_F000", "Ses01F", "female"),
        ("Ses01F_impro01_M000", "Ses01M", "male"),
        ("Ses05M_script01_1b_F012", "Ses05F", "female"),
        ("Ses05M_script01_1b_M012", "Ses05M", "male"),
    ],
)
def test_the_last_letter_identifies_the_speaker(tmp_path, utterance, speaker, gender):
    dialogue = utterance[:-5]
    wav = f"Session{utterance[4]}/sentences/wav/{dialogue}/{utterance}.wav"
    lay_out(tmp_path, {wav: "", TXT: LINE.replace("Ses01F_impro01_F000", utterance)})
    (clip,) = CORPUS.read(tmp_path)
    assert (clip.speaker, clip.session, clip.gender) == (speaker, speaker[:5], gender)


def test_single_raters_do_not_count(tmp_path):
    folder = TXT.rsplit("/", 1)[0]
    other = LINE.replace("neu", "ang")
    junk = {f"{folder}/{name}": other for name in ("Categorical/a.txt", "Attribute/a.txt", "Self-evaluation/a.txt")}
    lay_out(tmp_path, {WAV: "", TXT: LINE + "C-E1:\tAnger;\t()\n", f"{folder}/._a.txt": other, **junk})
    (clip,) = CORPUS.read(tmp_path)
    assert clip.raw_label == "neutral"


def test_missing_label_files_are_refused_by_name(tmp_path):
    lay_out(tmp_path, [WAV])
    expected = "SessionN/dialog/EmoEvaluation/DIALOGUE.txt"
    with pytest.raises(ValueError, match=re.escape(expected)):
        list(CORPUS.read(tmp_path))


def test_another_corpus_is_not_an_error(tmp_path):
    lay_out(tmp_path, ["Actor_01/03-01-01-01-01-01-01.wav"])
    (entry,) = CORPUS.read(tmp_path)
    assert entry.reason == UNEXPECTED_NAME


def test_what_has_no_counterpart_is_skipped_with_a_reason(tmp_path):
    dialogue = "Session1/dialog/wav/Ses01F_impro01.wav"
    lay_out(
        tmp_path, {WAV: "", WAV.replace("F000", "F001"): "", dialogue: "", TXT: LINE + LINE.replace("F000", "F002")}
    )
    entries = list(CORPUS.read(tmp_path))
    assert [entry.id for entry in entries if isinstance(entry, Clip)] == ["iemocap/Ses01F_impro01_F000.wav"]
    assert {entry.id: entry.reason for entry in entries if isinstance(entry, SkippedClip)} == {
        "iemocap/Ses01F_impro01_F001.wav": NOT_LABELED,
        "iemocap/Ses01F_impro01_F002.wav": MISSING_UTTERANCE,
        f"iemocap/{dialogue}": UNEXPECTED_NAME,
    }


def test_label_files_are_read_in_utf_16_and_with_stray_bytes_in_a_raters_comment(tmp_path):
    lay_out(tmp_path, [WAV, TXT])
    for content in (LINE.encode("utf-16"), LINE.encode() + b"C-E1:\tAnger;\t(\x92)\n"):
        (tmp_path / TXT).write_bytes(content)
        (clip,) = CORPUS.read(tmp_path)
        assert clip.raw_label == "neutral"


def test_a_label_file_that_is_not_text_is_refused(tmp_path):
    lay_out(tmp_path, [WAV, TXT])
    (tmp_path / TXT).write_bytes(LINE.encode("utf-16-le"))
    with pytest.raises(ValueError, match=r"Ses01F_impro01\.txt.*UTF-8"):
        list(CORPUS.read(tmp_path))
