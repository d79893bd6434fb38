import numpy as np
import pandas as pd
import pytest
import soundfile

from inference.curation.columns import Columns, add_unique_sounds, add_zscores, to_identifier
from preprocessing.duplicates.audio_fingerprint import fingerprint
from tests.conftest import voice

COLUMNS = Columns(
    {"gender": ("female", "male")},
    ("f0", "gender_score"),
    ("path", "who", "my sex", "my-sex"),
    "path",
    "who",
    {"F": "female"},
)


@pytest.mark.parametrize(
    ("name", "identifier"), [("zh-Hans", "zh_Hans"), ("my emotion", "my_emotion"), ("größe", "größe")]
)
def test_names_become_identifiers(name, identifier):
    assert to_identifier(name) == identifier
    assert identifier.isidentifier()


@pytest.mark.parametrize(
    ("name", "kind", "sources"),
    [
        ("gender", "label", ["gender"]),
        ("f0", "number", ["f0"]),
        ("manifest_who", "manifest", ["manifest_who"]),
        ("f0_zscore", "number", ["f0"]),
        ("f0_zscore_by_speaker", "number", ["f0", "manifest_who"]),
        ("manifest_who_zscore", "number", ["manifest_who"]),
        ("unique_sound", "flag", []),
        ("unique_sound_by_speaker", "flag", ["manifest_who"]),
    ],
)
def test_every_column_has_a_kind_and_sources(name, kind, sources):
    assert COLUMNS.kind(name) == kind
    assert COLUMNS.sources(name) == sources


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("gendre", r"did you mean gender"),
        ("manifest_whoo", "did you mean manifest_who"),
        ("f0_zscore_by_speakr", "did you mean f0_zscore_by_speaker"),
        ("female", "quotation marks: 'female'"),
        ("xyzzy", "there are gender, f0, gender_score, manifest_path"),
        ("gender_zscore", "gender"),
        ("manifest_my_sex", "ambiguous.*'my sex', 'my-sex'"),
    ],
)
def test_an_unknown_column_is_refused_with_the_closest_ones(name, suggestion):
    with pytest.raises(ValueError, match=rf"{name}.*{suggestion}"):
        COLUMNS.kind(name)


@pytest.mark.parametrize("name", ["f0_zscore_by_speaker", "unique_sound_by_speaker"])
def test_speakers_need_a_column(name):
    columns = Columns({}, ("f0",), ("path",), "path")
    with pytest.raises(ValueError, match="--speaker_column"):
        columns.kind(name)
    columns.kind(name.removesuffix("_by_speaker"))


def test_a_label_map_has_classes_of_the_model():
    with pytest.raises(ValueError, match="--label_map F=woman"):
        Columns(COLUMNS.labels, (), (), "path", None, {"F": "woman"})
    assert [COLUMNS.normalize(label) for label in ("F", "FEMALE", "m", 3)] == ["female", "female", "m", "3"]


def zscores(values, speakers, name="f0_zscore_by_speaker"):
    frame = pd.DataFrame({"f0": values, "manifest_who": list(speakers)})
    add_zscores(frame, name, "manifest_who")
    return frame


def test_a_zscore_is_that_among_the_rows_of_the_speaker():
    frame = zscores([100, 102, 98, 101, 99, 200, 200, 202, 198, 100], "aaaaaabbbb")
    assert frame.index[frame["f0_zscore_by_speaker"] > 3].tolist() == [5, 9]
    # Of a: median 100.5, deviations 0.5 0.5 1.5 1.5 2.5 99.5, their median 1.5, scaled 2.22.
    assert frame.loc[5, "f0_zscore_by_speaker"] == pytest.approx(99.5 / (1.4826 * 1.5))
    assert (frame.loc[5, "f0_zscore_by_speaker.median"], frame.loc[5, "f0_zscore_by_speaker.rows"]) == (100.5, 6)
    of_all = zscores([100, 102, 98, 101, 99, 200, 200, 202, 198, 100], "aaaaaabbbb", "f0_zscore")
    assert (of_all["f0_zscore"] < 30).all()
    assert set(of_all["f0_zscore.rows"]) == {10}


def test_a_zscore_needs_a_value_and_a_speaker_and_others_are_not_affected():
    frame = zscores([None, 100, 100, "?", 100, 5], ["a", "a", "a", "a", None, "b"])
    assert frame["f0_zscore_by_speaker"].isna().tolist() == [True, False, False, True, True, False]
    assert frame["f0_zscore_by_speaker"].dropna().tolist() == [0, 0, 0]
    assert zscores([None], "a")["f0_zscore_by_speaker"].isna().all()


def test_if_most_rows_are_equal_any_other_is_an_outlier():
    frame = zscores([7, 7, 7, 7.1], "aaaa", "f0_zscore")
    assert frame["f0_zscore"].tolist()[:3] == [0, 0, 0]
    assert frame["f0_zscore"][3] > 1e9


@pytest.fixture
def sounds(tmp_path):
    """Rows of: a voice, another one, the first again at another level and offset, silence, silence."""
    first = voice(1.0, 150, 0)
    waveforms = [first, voice(1.0, 230, 1), np.pad(0.4 * first, (3000, 100)), *[np.zeros(16_000, np.float32)] * 2]
    rows = []
    for index, waveform in enumerate(waveforms):
        soundfile.write(tmp_path / f"{index}.wav", waveform, 16_000)
        known = {"file": str(tmp_path / f"{index}.wav"), "fingerprint": fingerprint(waveform)}
        rows.append(known | {"manifest_path": f"{index}.wav", "manifest_who": "aaaab"[index]})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("rejected", "duplicate", "kept"), [([], 2, "0.wav"), ([0], 0, "2.wav"), ([0, 2], 2, "0.wav"), ([2], 2, "0.wav")]
)
def test_of_the_same_sound_the_first_stays_that_meets_all_else(sounds, rejected, duplicate, kept):
    add_unique_sounds(sounds, "unique_sound", COLUMNS, ~sounds.index.isin(rejected))
    assert sounds.index[~sounds["unique_sound"]].tolist() == [duplicate]
    assert sounds.loc[duplicate, "unique_sound.kept"] == kept


def test_each_of_two_speakers_keeps_the_same_sound(sounds):
    sounds.loc[2, "manifest_who"] = "b"
    add_unique_sounds(sounds, "unique_sound_by_speaker", COLUMNS, pd.Series(True, sounds.index))
    assert sounds["unique_sound_by_speaker"].all()
