"""The metrics of labeled clips are tested in test_compute.py."""

import numpy as np
import pytest

from evaluation.metrics.labeled_clips import COLUMNS, divide, is_labeled, select_labeled
from modeling import Task
from modeling.tasks_ser import IGNORE_INDEX

EMOTION = Task("emotion", "classification", "emotion", labels=("angry", "sad"))
PITCH = Task("f0_mean", "regression", "f0_mean", unit="Hz", mean=180.0, std=50.0)


def column(*values):
    return np.array(values, dtype=object)


def columns(**given):
    count = len(next(iter(given.values())))
    return {name: given.get(name, column(*[None] * count)) for name in COLUMNS}


def test_labels_of_the_head_come_first_and_others_are_not_its_targets():
    values = column("sad", None, "proud", "angry", "calm")
    clips = select_labeled(values, np.eye(2)[[1, 0, 1, 0, 0]], EMOTION, columns(corpus=column(*"abcde")))
    assert clips.labels == ("angry", "sad", "calm", "proud")
    assert clips.targets.tolist() == [1, 3, 0, 2]
    assert clips.head_targets.tolist() == [1, IGNORE_INDEX, 0, IGNORE_INDEX]
    assert clips.predicted.tolist() == [1, 1, 0, 0]
    assert clips.columns["corpus"].tolist() == list("acde")
    assert clips.logits.shape == (4, 2)


def test_numbers_are_in_the_tasks_unit():
    clips = select_labeled(column(None, 200.0), np.array([[0.0], [1.0]]), PITCH, columns(corpus=column("a", "a")))
    assert (clips.labels, clips.targets.tolist(), clips.predicted.tolist()) == ((), [200.0], [230.0])
    row = clips.measure({("pooled",): np.array([True])})["pooled",]
    assert row == {"mae": 30.0, "r2": None, "pearson": None, "ccc": None, "clips": 1, "speakers": None}


def test_a_zero_and_an_empty_label_are_labels():
    assert is_labeled(column(0.0, None, "", False)).tolist() == [True, False, True, True]


@pytest.mark.parametrize("groups", [True, False])
def test_parts_are_corpora_the_corpora_of_each_locale_and_groups(groups):
    given = columns(
        corpus=column("a", "a", "b"), locale=column("de-DE", None, "de-DE"), gender=column("male", "male", None)
    )
    parts = {part: np.flatnonzero(mine).tolist() for part, mine in divide(given, groups).items()}
    expected = {
        ("pooled",): [0, 1, 2],
        ("corpora", "a"): [0, 1],
        ("corpora", "b"): [2],
        ("locales", "de-DE", "a"): [0],
        ("locales", "de-DE", "b"): [2],
    }
    by_group = {
        ("groups", "gender", "male"): [0, 1],
        ("groups", "gender", "unknown"): [2],
        ("groups", "duration", "unknown"): [0, 1, 2],
        ("groups", "style", "unknown"): [0, 1, 2],
    }
    assert parts == (expected | by_group if groups else expected)
