import re

import numpy as np
import pandas as pd
import pytest

from preprocessing.audit.checks import (
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
from tests.support.documents import numbers


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
    assert (check.num_checked, len(check.units), check.units["flagged"].sum()) == (3, 3, 0)
    assert list(check.examples) == []


def test_a_shared_sentence_is_named_with_a_clip_of_each_split():
    clips = table(sentence=["x", "y", "x", "x"], split=["train", "train", "test", "test"])
    check = check_shared(clips, "sentence")
    assert check.units["flagged"].tolist() == [True, False]
    ((why, examples),) = check.examples
    assert re.fullmatch(r"c, sentence x: 1 .*train, 2 .*test", why)
    assert examples == ["c/0", "c/2"]


def test_identical_audio_counts_across_splits_alone():
    clips = table(digest=["a", "a", "b", "b"], split=["train", "train", "train", "test"])
    check = check_identical(clips)
    assert flagged(check) == ["c/2", "c/3"]
    ((why, examples),) = check.examples
    assert re.fullmatch(r"c/2 .*train, c/3 .*test", why)
    assert examples == ["c/2", "c/3"]


def test_an_example_of_many_duplicates_shows_every_split():
    clips = table(digest=["a"] * 31, split=["train"] * 30 + ["test"])
    (example,) = check_identical(clips).examples
    assert len(example.clips) == MAX_EXAMPLES
    assert example.clips[:2] == ["c/0", "c/30"]


def test_a_class_below_half_of_its_even_share_is_flagged():
    emotions = ["angry"] * 10 + ["happy"] * 10 + ["sad"] * 4
    check = check_imbalance(table(emotion=[*emotions, None], corpus="c"), DEFAULT_THRESHOLDS)
    assert check.num_checked == 24
    assert check.units["flagged"].tolist() == [False, False, False]  # exactly half
    check = check_imbalance(table(emotion=emotions[:-1]), DEFAULT_THRESHOLDS)
    assert check.units.loc[check.units["flagged"], "emotion"].tolist() == ["sad"]
    ((why, examples),) = check.examples
    assert why.startswith("c: 3 sad")
    assert numbers(why) == [3, 0.39, 8]
    assert examples == ["c/20"]


def test_each_corpus_is_balanced_for_itself():
    clips = table(emotion=["a"] * 9 + ["b"] * 9, corpus=["x"] * 9 + ["y"] * 9)
    assert not check_imbalance(clips, DEFAULT_THRESHOLDS).units["flagged"].any()


def test_clipping_is_a_plateau_or_many_runs_near_full_scale():
    clips = table(plateaus=[0, 1, 0, 0], loud_runs=[0, 0, 7, 8])
    assert flagged(check_clipped(clips, DEFAULT_THRESHOLDS)) == ["c/1", "c/3"]


def test_silence_lies_below_quiet_speech():
    check = check_silent(table(level_dbfs=[-56.0, -66.0, -120.0]), DEFAULT_THRESHOLDS)
    assert flagged(check) == ["c/1", "c/2"]
    why, examples = next(check.examples)
    assert why.startswith("c/1: -66 dBFS")
    assert examples == ["c/1"]


ANGRY = [400, 420, 550, 300]  # a man who shouts


@pytest.mark.parametrize(
    ("gender", "calm", "angry", "flags"),
    [
        ("male", [120, 130, 150, 110], ANGRY, [False]),
        ("male", [], ANGRY, []),  # angry clips alone do not suffice
        ("male", [230, 240, 220], ANGRY, []),  # too few calm ones
        ("male", [220, 215, 230, 300], [], [True]),
        ("female", [170, 180, 190, 250], ANGRY, [False]),  # a low voice
        ("female", [125, 130, 138, 250], ANGRY, [True]),
        ("female", [200, 210, 220, 105], ANGRY, [False]),  # one clip is an error of the measurement
        ("female", [], [105], []),
        (None, [95, 95, 95, 95], ANGRY, []),
        ("female", [None, None, None, None], ANGRY, []),
    ],
)
def test_a_voice_is_checked_by_its_calm_clips_or_not_at_all(gender, calm, angry, flags):
    emotions = ["neutral", "sad"] * 2
    clips = table(
        gender=[gender] * len(calm + angry),
        emotion=[*emotions[: len(calm)], *["angry"] * len(angry)],
        f0_mean=np.array(calm + angry, dtype=float),
    )
    check = check_gender_pitch(clips, Thresholds(baseline_clips=4))
    assert check.units["flagged"].tolist() == flags
    assert check.num_checked == (len(calm + angry) if flags else 0)
    assert len(list(check.examples)) == sum(flags)


def test_voices_are_checked_one_by_one_and_unknown_ones_together():
    pitch = [110.0] * 20 + [230.0] * 20 + [250.0] * 20
    speakers = ["low"] * 20 + ["high"] * 20 + [None] * 20
    clips = table(gender=["male"] * 60, f0_mean=pitch, speaker=speakers, emotion="neutral")
    check = check_gender_pitch(clips, DEFAULT_THRESHOLDS)
    assert dict(zip(check.units["speaker"].fillna("?"), check.units["flagged"], strict=True)) == {
        "low": False,
        "high": True,
        "?": True,
    }
    named, unknown = check.examples
    assert named.clips == [f"c/{index}" for index in range(20, 30)]
    assert unknown.clips == [f"c/{index}" for index in range(40, 50)]


def test_a_corpus_of_angry_men_alone_gives_no_finding():
    speakers = np.repeat(["a", "b", "c"], 30)
    clips = table(gender=["male"] * 90, f0_mean=[280.0] * 90, speaker=speakers, emotion="angry")
    check = check_gender_pitch(clips, DEFAULT_THRESHOLDS)
    assert (check.num_checked, len(check.units)) == (0, 0)
