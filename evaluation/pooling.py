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
from preprocessing.prepared.task_values import encode, target_values

from .metrics.calibration import fit_temperature
from .metrics.compute import compute_metrics

_ABSENT = 1000.0  # how far the logit of a class that a fold lacks is below the others: probability 0 at any temperature


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


def pool(folds: Sequence[Predictions], *, cross_fit: bool = True) -> Predictions:
    """The predictions of all folds, in the order of the prepared table.

    The heads of two folds may have other classes and other statistics of a target: classes are those of all folds, and
    regressions are in their unit. A fold's model has its temperature from validation clips, whose speakers may be in
    its training. Cross-fitting replaces it: the clips of a fold get the temperature that is fitted on the test clips of
    all others, whose speakers their models had not been trained on either. The temperature of the joined head is the
    geometric mean of the folds'; multiplied by it, logits are those before scaling but for the spread of the folds'.

    Args:
        folds: their predictions.
        cross_fit: whether to replace the temperatures; heads that no fold has calibrated stay as they are.
    """
    names = [task.name for task in folds[0].tasks if all(task.name in _by_name(fold) for fold in folds)]
    clips = concatenate_datasets([fold.clips for fold in folds])
    order = np.argsort(clips[ROW][:], kind="stable")
    tasks, logits = [], {}
    for name in names:
        task, values = _join_head(name, folds, cross_fit)
        tasks.append(task)
        logits[name] = np.concatenate(values)[order]
    return Predictions(clips.select(order), logits, tasks)


def _by_name(fold: Predictions) -> dict[str, Task]:
    return {task.name: task for task in fold.tasks}


def _join_head(name: str, folds: Sequence[Predictions], cross_fit: bool) -> tuple[Task, list[np.ndarray]]:
    """The head of all folds, and the outputs of each as those of this head."""
    own = [_by_name(fold)[name] for fold in folds]
    if not own[0].is_classification:
        decoded = [task.decode(torch.as_tensor(fold.logits[name])) for task, fold in zip(own, folds, strict=True)]
        return replace(own[0], mean=0.0, std=1.0), [values.numpy()[:, None] for values in decoded]
    labels = tuple(dict.fromkeys(label for task in own for label in task.labels))
    temperatures = [task.temperature for task in own]
    raw = [
        _align(fold.logits[name] * task.temperature, task, labels, absent=float(np.min(fold.logits[name])) - _ABSENT)
        for task, fold in zip(own, folds, strict=True)
    ]
    if cross_fit and len(folds) > 1 and any(temperature != 1 for temperature in temperatures):
        targets = [_targets(task, labels, fold.clips) for task, fold in zip(own, folds, strict=True)]
        temperatures = cross_fit_temperatures(raw, targets)
    joined = replace(own[0], labels=labels, class_weights=(), temperature=float(np.exp(np.mean(np.log(temperatures)))))
    return joined, [logits / temperature for logits, temperature in zip(raw, temperatures, strict=True)]


def cross_fit_temperatures(logits: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> list[float]:
    """For each fold the temperature that is fitted on all others.

    Args:
        logits: of each of at least two folds, `(clips, labels)`.
        targets: of each fold, as of [`~evaluation.metrics.calibration.fit_temperature`].
    """
    return [
        fit_temperature(*(np.concatenate([*parts[:fold], *parts[fold + 1 :]]) for parts in (logits, targets)))
        for fold in range(len(logits))
    ]


def _targets(task: Task, labels: Sequence[str], clips: Dataset) -> np.ndarray:
    """The targets of a fold's head by the labels of all folds. Those that its model does not have remain missing."""
    targets = encode(task, target_values(task, clips)).numpy()
    if task.has_soft_labels:
        return _align(targets, task, labels, absent=0.0)
    places = np.array([labels.index(label) for label in task.labels])
    return np.where(targets < 0, targets, places[np.maximum(targets, 0)])


def _align(values: np.ndarray, task: Task, labels: Sequence[str], absent: float) -> np.ndarray:
    """The columns of a fold's head, `(clips, labels)`, as those of all labels."""
    aligned = np.full((len(values), len(labels)), absent, dtype=np.float64)
    aligned[:, [labels.index(label) for label in task.labels]] = values
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
