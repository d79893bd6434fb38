"""Predictions of the models of all folds -> predictions of all clips, each by the model that was not trained on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from datasets import Dataset, concatenate_datasets

from modeling import Task
from preprocessing.prepared.rows import ROW

from .metrics.compute import compute_metrics

_ABSENT = 50.0  # how far the logit of a class that a fold's model does not have is below its others: probability 0


@dataclass(frozen=True)
class Predictions:
    """Outputs of every head for the clips of a split.

    Args:
        clips: the clips.
        logits: task name to `(clips, num_outputs)`.
        tasks: what the heads predict.
    """

    clips: Dataset
    logits: Mapping[str, np.ndarray]
    tasks: Sequence[Task]


def pool(folds: Sequence[Predictions]) -> Predictions:
    """The predictions of all folds, in the order of the prepared table.

    The heads of two folds may have other classes and other statistics of a target: classes are those of all folds, and
    regressions are in their unit. The temperature of a head is the geometric mean of the folds'.
    """
    names = [task.name for task in folds[0].tasks if all(task.name in _by_name(fold) for fold in folds)]
    clips = concatenate_datasets([fold.clips for fold in folds])
    order = np.argsort(clips[ROW][:], kind="stable")
    tasks = [_join([_by_name(fold)[name] for fold in folds]) for name in names]
    logits = {
        task.name: np.concatenate([_align(fold.logits[task.name], _by_name(fold)[task.name], task) for fold in folds])
        for task in tasks
    }
    return Predictions(clips.select(order), {name: values[order] for name, values in logits.items()}, tasks)


def _by_name(fold: Predictions) -> dict[str, Task]:
    return {task.name: task for task in fold.tasks}


def _join(tasks: Sequence[Task]) -> Task:
    first = tasks[0]
    if not first.is_classification:
        return replace(first, mean=0.0, std=1.0)
    labels = tuple(dict.fromkeys(label for task in tasks for label in task.labels))
    temperature = float(np.exp(np.mean([np.log(task.temperature) for task in tasks])))
    return replace(first, labels=labels, class_weights=(), temperature=temperature)


def _align(logits: np.ndarray, task: Task, joined: Task) -> np.ndarray:
    """The logits of a fold's head as those of the joined one."""
    if not task.is_classification:
        return task.decode(torch.as_tensor(logits)).numpy()[:, None]
    aligned = np.full((len(logits), len(joined.labels)), float(np.min(logits)) - _ABSENT, dtype=np.float64)
    aligned[:, [joined.labels.index(label) for label in task.labels]] = logits
    return aligned


def fold_scores(folds: Sequence[Predictions], main_task: Task) -> dict[str, Any]:
    """The metrics of each fold by itself, as means over its corpora, and their mean and standard deviation.

    Returns:
        `folds`: for each its number of `clips` and its metrics; `mean` and `sd`: metric to number.
    """
    rows = [_score(fold, main_task.name) for fold in folds]
    names = [name for name, value in rows[0].items() if isinstance(value, float)]
    found = {name: [row[name] for row in rows if row.get(name) is not None] for name in names}
    return {
        "folds": [{**row, "fold": number} for number, row in enumerate(rows, start=1)],
        "mean": {name: float(np.mean(values)) for name, values in found.items()},
        "sd": {name: float(np.std(values, ddof=1)) if len(values) > 1 else None for name, values in found.items()},
    }


def _score(fold: Predictions, name: str) -> dict[str, Any]:
    task = _by_name(fold)[name]
    metrics = compute_metrics(fold.clips, {name: fold.logits[name]}, [task], intervals=False)[name]
    return {**metrics.get("mean_over_corpora", {}), "clips": metrics["clips"]}
