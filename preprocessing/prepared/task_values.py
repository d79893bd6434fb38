"""What a task reads of clips: the columns of its target, the labels that metrics count, and the encoded target."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from datasets import Dataset

from modeling import Task

from ..votes import Values, majority_labels, read_shares, vote_columns


def target_columns(task: Task, names: Iterable[str]) -> list[str]:
    """The columns, among these, that hold the target of a task: its own, and of soft labels those of votes."""
    return [task.column, *(vote_columns(task.column, names).values() if task.has_soft_labels else ())]


def target_values(task: Task, clips: Dataset) -> Values:
    """The cells of the columns that hold the target of a task."""
    return {name: clips[name][:] for name in target_columns(task, clips.column_names)}


def target_labels(task: Task, clips: Dataset) -> list[str | float | None]:
    """The label or number of each clip that metrics count, `None` where it is missing; of votes, their majority."""
    values = target_values(task, clips)
    return list(majority_labels(task.column, values) if task.has_soft_labels else values[task.column])


def encode(task: Task, values: Values) -> torch.Tensor:
    """The targets of clips, missing ones as by [`Task.encode`].

    Returns:
        `(clips,)`: int64 for classes, float32 for numbers; of soft labels the share of each, `(clips, labels)`,
        float32, NaN where they are missing.
    """
    if task.has_soft_labels:
        return torch.tensor(read_shares(task.column, values, task.labels), dtype=torch.float32)
    dtype = torch.int64 if task.is_classification else torch.float32
    return torch.tensor([task.encode(value) for value in values[task.column]], dtype=dtype)
