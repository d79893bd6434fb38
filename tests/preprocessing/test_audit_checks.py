import numpy as np
import pandas as pd
import pytest

from preprocessing.audit_checks import (
    DEFAULT_THRESHOLDS,
    MAX_EXAMPLES,
    Thresholds,
    check_clipped,
    check_gender_pitch,
    check_identical,
    check_imbalance,
    check_shared,
    check_silent,
)


def table(**columns) -> pd.DataFrame:
    size = max(len(column) for column in columns.values() if not isinstance(column, str))
    clips = pd.DataFrame({"corpus": "c", "speaker": "s", "split": "train", **columns}, index=range(size))
    clips["split"] = pd.Categorical(clips["split"], ["train", "validation", "test"])
    return clips.assign(id=[f"c/{index}" for index in range(size)])


def flagged(check) -> list[str]:
    return check.units.loc[check.units["flagged"], "id"].tolist()


def test_a_speaker_is_one_within_a_corpus():
    clips = table(corpus=["a", "a", "b", "b"], speaker=["1", "2", "1", None], split=["train", "test", "test", "train"])
    check = check_shared(clips, "speaker")
    assert (check.looked_at, len(check.units), check.units["flagged"].sum()) == (3, 3, 0)
    assert list(check.examples) == []


def test_a_shared_sentence_is_named_with_a_clip_of_each_split():
    clips = table(sentence=["x", "y", "x", "x"], split=["train", "train", "test", "test"])
    check = check_shared(clips, "sentence")
    assert check.units["flagged"].tolist() == [True, False]
    assert list(check.examples) == [("c, sentence x: 1 in train, 2 in test", ["c/0", "c/2"])]


def test_identical_audio_counts_across_splits_alone():
    clips = table(digest=["a", "a", "b", "b"], split=["train", "train", "train", "test"])
    check = check_identical(clips)
    assert flagged(check) == ["c/2", "c/3"]
    assert list(check.examples) == [("c/2 in train, c/3 in test", ["c/2", "c/3"])]


def test_an_example_of_many_twins_shows_every_split():
    clips = table(digest=["a"] * 31, split=["train"] * 30 + ["test"])
    (example,) = check_identical(clips).examples
    assert len(example.clips) == MAX_EXAMPLES
    assert example.clips[:2] == ["c/0", "c/30"]


def test_a_class_below_half_of_its_even_share_is_flagged():
    emotions = ["angry"] * 10 + ["happy"] * 10 + ["sad"] * 4
    check = check_imbalance(table(emotion=[*emotions, None], corpus="c"), DEFAULT_THRESHOLDS)
    assert check.looked_at == 24
    assert check.units["flagged"].tolist() == [False, False, False]  # exactly half
    check = check_imbalance(table(emotion=emotions[:-1]), DEFAULT_THRESHOLDS)
    assert check.units.loc[check.units["flagged"], "emotion"].tolist() == ["sad"]
    assert list(check.examples) == [("c: 3 sad, 0.39 of its even share of 8", ["c/20"])]


def test_each_corpus_is_balanced_for_itself():
    clips = table(emotion=["a"] * 9 + ["b"] * 9, corpus=["x"] * 9 + ["y"] * 9)
    assert not check_imbalance(clips, DEFAULT_THRESHOLDS).units["flagged"].any()


def test_clipping_is_a_plateau_or_many_runs_near_full_scale():
    clips = table(plateaus=[0, 1, 0, 0], loud_runs=[0, 0, 7, 8])
    assert flagged(check_clipped(clips, DEFAULT_THRESHOLDS)) == ["c/1", "c/3"]


def test_silence_lies_below_quiet_speech():
    check = check_silent(table(level_dbfs=[-56.0, -66.0, -120.0]), DEFAULT_THRESHOLDS)
    assert flagged(check) == ["c/1", "c/2"]
    assert next(check.examples) == ("c/1: -66 dBFS at its loudest", ["c/1"])


@pytest.mark.parametrize(
    ("gender", "pitch", "count"),
    [
        ("male", [120, 130, 150, 400, 550], 0),  # an actor who shouts
        ("male", [220, 215, 230, 300, 150], 5),
        ("male", [220, 230, 300], None),  # too few clips for a plain pitch
        ("female", [170, 180, 190, 250], 0),  # a low voice
        ("female", [125, 130, 138, 250], 4),
        ("female", [200, 210, 220, 230, 105], 1),  # one clip that is not hers
        ("female", [105], 1),
        (None, [95, 95, 95, 95], None),
        ("female", [None, None, None, None], None),
    ],
)
def test_pitch_contradicts_gender(gender, pitch, count):
    clips = table(gender=[gender] * len(pitch), f0_mean=np.array(pitch, dtype=float))
    check = check_gender_pitch(clips, Thresholds(baseline_clips=4))
    assert check.looked_at == (0 if count is None else len(pitch))
    assert len(flagged(check)) == len(list(check.examples)) == (count or 0)


def test_speakers_are_judged_one_by_one_and_unknown_ones_together():
    pitch = [110.0] * 20 + [230.0] * 20 + [250.0] * 20
    clips = table(gender=["male"] * 60, f0_mean=pitch, speaker=["low"] * 20 + ["high"] * 20 + [None] * 20)
    check = check_gender_pitch(clips, DEFAULT_THRESHOLDS)
    assert flagged(check) == [f"c/{index}" for index in range(20, 60)]
    assert next(check.examples).why == "c/20: male, 230 Hz; plain pitch of the speaker: 230 Hz"
