"""Names of tasks and a training split -> tasks with labels and class weights, or mean and standard deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from datasets import Dataset
from sklearn.utils.class_weight import compute_class_weight
from transformers.utils.logging import get_logger

from modeling import Task
from preprocessing.labels import ORDER
from preprocessing.prepared.task_values import target_values
from preprocessing.targets.acoustics import UNITS
from preprocessing.votes import has_votes, read_shares, vote_columns

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
# The part after the colon of a task's name. A concordance is a regression with another loss, and a soft classification
# is one with the annotators' votes.
KINDS = ("classification", "regression", "concordance", "soft")


def fit_tasks(names: Sequence[str], weights: Mapping[str, float], train: Dataset) -> list[Task]:
    """Computes labels and class weights, or mean and standard deviation, of each task's target.

    A task without a value in any training clip is skipped with a warning.

    Args:
        names: tasks, `NAME` or `NAME:KIND`, KIND being one of `KINDS`.
        weights: task name -> weight in the loss.
        train: the training split.

    Returns:
        The tasks. Labels are those of the training split, in the project's order and beyond it alphabetically. The
        weight of a class is the inverse of its share (paper, section 4), scaled to a mean of 1 over the clips; of soft
        labels the share is that of all votes, those of each clip divided by their number.

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
    if kind == "soft":
        return _fit_soft(name, column, weights.get(name, 1.0), train)
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
        labels = _in_order(column, set(values))
        balanced = compute_class_weight("balanced", classes=np.array(labels), y=np.array(values))
        return Task(name, "classification", column, labels=tuple(labels), class_weights=tuple(balanced), weight=weight)
    if isinstance(values[0], str):
        raise ValueError(f"Task {name!r}: a {kind} needs numbers, but the column {column!r} holds text.")
    mean, std = float(np.mean(values)), float(np.std(values))
    loss: Literal["ccc", "l2"] = "ccc" if kind == "concordance" else "l2"
    return Task(name, "regression", column, unit=UNITS.get(column, ""), mean=mean, std=std, loss=loss, weight=weight)


def _fit_soft(name: str, column: str, weight: float, train: Dataset) -> Task:
    voted = vote_columns(column, train.column_names)
    labels = _in_order(column, {*voted, *(str(label) for label in set(train[column][:]) - {None})})
    every = Task(name, "classification", column, labels=tuple(labels), loss="soft", weight=weight) if voted else None
    if every is None or not has_votes(column, target_values(every, train)).any():
        raise ValueError(
            f"Task {name}:soft: no training clip has votes, which are read from columns {column}:LABEL; of these the "
            f"data have {', '.join(voted.values()) or 'none'}."
        )
    totals = np.nansum(read_shares(column, target_values(every, train), labels), axis=0)
    shares = {label: total for label, total in zip(labels, totals, strict=True) if total > 0}
    if len(shares) < 2:
        raise ValueError(f"Task {name}:soft: all votes of the training clips are for {next(iter(shares))!r}.")
    class_weights = tuple(totals.sum() / len(shares) / total for total in shares.values())
    return replace(every, labels=tuple(shares), class_weights=class_weights)


def _in_order(column: str, labels: set[str]) -> list[str]:
    """Labels in the project's order, and beyond it alphabetically."""
    order = ORDER.get(column, ())
    return sorted(labels, key=lambda label: (order.index(label) if label in order else len(order), label))


def kind_of(task: Task) -> str:
    """The kind of a task, one of `KINDS`."""
    return {"ccc": "concordance", "soft": "soft"}.get(task.loss, task.kind)
