import numpy as np
import pytest
import soundfile

from inference.curation.conditions import OneOf, Outlier, Row, UniqueSound, Vocabulary
from preprocessing.duplicates.audio_fingerprint import fingerprint
from tests.conftest import voice

VOCABULARY = Vocabulary({"gender": ("female", "male")}, ("f0",), ("path", "who", "sex"), "path", "who", {"F": "female"})


def rows_of(values, speakers):
    return [Row({"f0": value, "manifest.who": who}) for value, who in zip(values, speakers, strict=True)]


def test_an_outlier_is_judged_among_the_rows_of_its_speaker():
    rows = rows_of([100, 102, 98, 101, 99, 200, 200, 202, 198, 100], "aaaaaabbbb")
    of_speaker = Outlier("x", "f0", VOCABULARY, 3.0, "speaker").judge(rows)
    assert [index for index, reason in enumerate(of_speaker) if reason] == [5, 9]
    # Of a: median 100.5, deviations 0.5 0.5 1.5 1.5 2.5 99.5, their median 1.5, scaled 2.22.
    assert of_speaker[5] == "f0 is 200, not within 3 mad (2.22) of 100.5, the median of speaker a (6 rows)"
    assert Outlier("x", "f0", VOCABULARY, 30.0, "all").judge(rows) == [None] * 10
    assert "of all (10 rows)" in Outlier("x", "f0", VOCABULARY, 0.1, "all").judge(rows)[0]


def test_an_outlier_needs_a_value_and_a_speaker_and_others_do_not_suffer():
    rows = rows_of([None, 100, 100, "?", 100, 5], ["a", "a", "a", "a", None, "b"])
    reasons = Outlier("x", "f0", VOCABULARY, 3.0, "speaker").judge(rows)
    assert reasons == ["has no f0", None, None, "has no f0", "has no manifest.who", None]
    assert Outlier("x", "f0", VOCABULARY, 3.0, "speaker").judge(rows_of([None], "a")) == ["has no f0"]


def test_where_most_rows_are_equal_any_other_is_an_outlier():
    reasons = Outlier("x", "f0", VOCABULARY, 3.0, "all").judge(rows_of([7, 7, 7, 7.1], "aaaa"))
    assert reasons == [None, None, None, "f0 is 7.1, not within 3 mad (0) of 7, the median of all (4 rows)"]


@pytest.fixture
def sounds(tmp_path):
    """Rows of: a voice, another one, the first again at another level and offset, silence, silence."""
    first = voice(1.0, 150, 0)
    waveforms = [first, voice(1.0, 230, 1), np.pad(0.4 * first, (3000, 100)), *[np.zeros(16_000, np.float32)] * 2]
    rows = []
    for index, waveform in enumerate(waveforms):
        soundfile.write(tmp_path / f"{index}.wav", waveform, 16_000)
        known = {"file": str(tmp_path / f"{index}.wav"), "fingerprint": fingerprint(waveform)}
        rows.append(Row(known | {"manifest.path": f"{index}.wav", "manifest.who": "aaaab"[index]}))
    return rows


def test_of_the_same_sound_the_first_stays_that_fulfils_all_else(sounds):
    condition = UniqueSound("u", "file", VOCABULARY, "all")
    assert condition.judge(sounds) == [None, None, "sounds the same as 0.wav", None, None]
    sounds[0].reasons["other"] = "is wrong"
    assert condition.judge(sounds) == ["sounds the same as 2.wav", None, None, None, None]
    sounds[2].reasons["other"] = "is wrong"
    assert condition.judge(sounds) == [None, None, "sounds the same as 0.wav", None, None]


def test_of_two_speakers_each_keeps_theirs(sounds):
    sounds[2].values["manifest.who"] = "b"
    assert UniqueSound("u", "file", VOCABULARY, "speaker").judge(sounds) == [None] * 5
    sounds[1].values["manifest.who"] = None
    assert UniqueSound("u", "file", VOCABULARY, "speaker").judge(sounds)[1] == "has no manifest.who"


def test_a_column_whose_words_are_no_classes_is_refused_unless_some_are():
    condition = OneOf("gender = manifest.sex", "gender", VOCABULARY, other="manifest.sex")
    with pytest.raises(ValueError, match=r"manifest\.sex says w, m, the model female, male; .* such as w=female"):
        condition.check_words(["w", "m", None, "w"])
    condition.check_words(["F", "x"])
    condition.check_words([None])
    with pytest.raises(ValueError, match="--words F=woman: the model has no such class"):
        Vocabulary(VOCABULARY.labels, (), (), "path", None, {"F": "woman"})
    row = Row({"gender": "male", "gender_score": 0.975, "manifest.sex": "F"})
    assert condition.judge([row]) == ["gender is male 0.97, manifest.sex F"]
