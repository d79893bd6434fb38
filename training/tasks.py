"""Names of tasks and a training split -> tasks with labels and class weights, or mean and standard deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from datasets import Dataset
from sklearn.utils.class_weight import compute_class_weight
from transformers.utils.logging import get_logger

from modeling import Task
from preprocessing.labels import ORDER
from preprocessing.targets.acoustics import UNITS

logger = get_logger(__name__)

# Tasks of the paper (section 4): column and unit. Any other name is that of a column.
PAPER_COLUMNS = {
    "emotion": "emotion",
    "gender": "gender",
    "language": "locale",
    "f0_mean": "f0_mean",
    "f0_std": "f0_std",
    "energy_mean": "energy_mean",
    "energy_std": "energy_std",
    "voiced_ratio": "voiced_ratio",
}
# The part after the colon of a task's name. A concordance is a regression with another loss.
KINDS = ("classification", "regression", "concordance")


def fit_tasks(names: Sequence[str], weights: Mapping[str, float], train: Dataset) -> list[Task]:
    """Computes labels and class weights, or mean and standard deviation, of each task's target.

    A task without a value in any training clip is skipped with a warning.

    Args:
        names: tasks, `NAME` or `NAME:KIND`, KIND being one of `KINDS`.
        weights: task name -> weight in the loss.
        train: the training split.

    Returns:
        The tasks. Labels are those of the training split, in the project's order and beyond it alphabetically. The
        weight of a class is the inverse of its share (paper, section 4), scaled to a mean of 1 over the clips.

    Raises:
        ValueError: a column is missing or has a single value, or all columns are empty.
    """
    tasks = [_fit(*name.partition(":")[::2], weights, train) for name in names]
    if not any(tasks):
        raise ValueError(f"No training clip has a value for any task of {', '.join(names)}.")
    return [task for task in tasks if task is not None]


def _fit(name: str, kind: str, weights: Mapping[str, float], train: Dataset) -> Task | None:
    column = PAPER_COLUMNS.get(name, name)
    if column not in train.column_names:
        raise ValueError(
            f"Task {name!r} needs the column {column!r}, which the data lack. Tasks of the paper are "
            f"{', '.join(PAPER_COLUMNS)}; columns of the data are {', '.join(train.column_names)}."
        )
    values = [value for value in train[column][:] if value is not None]
    if not values:
        logger.warning("Task %s is skipped: no training clip has a value in the column %r.", name, column)
        return None
    if len(set(values)) == 1:
        raise ValueError(f"Task {name!r}: all {len(values)} training clips have the value {values[0]!r} in {column!r}.")
    if kind not in ("", *KINDS):
        raise ValueError(f"Task {name!r}: the kind {kind!r} is not one of {', '.join(KINDS)}.")
    kind = kind or ("classification" if isinstance(values[0], str) else "regression")
    weight = weights.get(name, 1.0)
    if kind == "classification":
        values = [str(value) for value in values]
        order = ORDER.get(column, ())
        labels = sorted(set(values), key=lambda label: (order.index(label) if label in order else len(order), label))
        balanced = compute_class_weight("balanced", classes=np.array(labels), y=np.array(values))
        return Task(name, "classification", column, labels=tuple(labels), class_weights=tuple(balanced), weight=weight)
    if isinstance(values[0], str):
        raise ValueError(f"Task {name!r}: a {kind} needs numbers, but the column {column!r} holds text.")
    mean, std = float(np.mean(values)), float(np.std(values))
    loss: Literal["ccc", "l2"] = "ccc" if kind == "concordance" else "l2"
    return Task(name, "regression", column, unit=UNITS.get(column, ""), mean=mean, std=std, loss=loss, weight=weight)


def kind_of(task: Task) -> str:
    """The kind of a task, one of `KINDS`."""
    return "concordance" if task.loss == "ccc" else task.kind
