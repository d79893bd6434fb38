import math

import pytest
import torch
from datasets import Dataset

from modeling import Task
from preprocessing.prepared.task_values import encode, target_columns, target_labels, target_values

HARD = Task("emotion", "classification", "emotion", labels=("angry", "sad"))
SOFT = Task("emotion", "classification", "emotion", labels=("angry", "sad"), loss="soft")
PITCH = Task("f0_mean", "regression", "f0_mean")


@pytest.fixture
def clips():
    return Dataset.from_dict(
        {
            "emotion": ["sad", "sad", None],
            "emotion:angry": [3.0, None, 0.0],
            "emotion:sad": [1.0, None, None],
            "f0_mean": [100.0, None, 200.0],
        }
    )


def test_only_soft_labels_read_the_votes(clips):
    assert target_columns(HARD, clips.column_names) == ["emotion"]
    assert target_columns(SOFT, clips.column_names) == ["emotion", "emotion:angry", "emotion:sad"]
    assert target_labels(HARD, clips) == ["sad", "sad", None]
    assert target_labels(SOFT, clips) == ["angry", "sad", None]
    assert target_labels(PITCH, clips) == [100.0, None, 200.0]


def test_targets_are_indices_numbers_or_shares(clips):
    hard, pitch, soft = (encode(task, target_values(task, clips)) for task in (HARD, PITCH, SOFT))
    assert (hard.dtype, hard.tolist()) == (torch.int64, [1, 1, -100])
    torch.testing.assert_close(pitch, torch.tensor([100.0, math.nan, 200.0]), equal_nan=True)
    expected = torch.tensor([[0.75, 0.25], [0.0, 1.0], [math.nan, math.nan]])
    torch.testing.assert_close(soft, expected, equal_nan=True)
