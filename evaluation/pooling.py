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


def pool(folds: Sequence[Predictions]) -> Predictions:
    """The predictions of all folds, in the order of the prepared table.

    The heads of two folds may have other classes and other statistics of a target: classes are those of all folds, and
    regressions are in their unit. The temperature that a fold's model has from its validation clips, whose speakers may
    be in its training, is replaced: the clips of a fold get the one that is fitted on the test clips of all others,
    whose models had not been trained on their speakers either (cross-fitting). The temperature of the joined head is
    the geometric mean of these.
    """
    names = [task.name for task in folds[0].tasks if all(task.name in _by_name(fold) for fold in folds)]
    clips = concatenate_datasets([fold.clips for fold in folds])
    order = np.argsort(clips[ROW][:], kind="stable")
    tasks, logits = [], {}
    for name in names:
        task, values = _join(name, folds)
        tasks.append(task)
        logits[name] = np.concatenate(values)[order]
    return Predictions(clips.select(order), logits, tasks)


def _by_name(fold: Predictions) -> dict[str, Task]:
    return {task.name: task for task in fold.tasks}


def _join(name: str, folds: Sequence[Predictions]) -> tuple[Task, list[np.ndarray]]:
    """The head of all folds, and the outputs of each as those of this head."""
    own = [_by_name(fold)[name] for fold in folds]
    if not own[0].is_classification:
        decoded = [task.decode(torch.as_tensor(fold.logits[name])) for task, fold in zip(own, folds, strict=True)]
        return replace(own[0], mean=0.0, std=1.0), [values.numpy()[:, None] for values in decoded]
    labels = tuple(dict.fromkeys(label for task in own for label in task.labels))
    joined = replace(own[0], labels=labels, class_weights=(), temperature=1.0)
    raw = [_align(fold.logits[name] * task.temperature, task, joined) for task, fold in zip(own, folds, strict=True)]
    targets = [encode(joined, target_values(joined, fold.clips)).numpy() for fold in folds]
    temperatures = cross_fit_temperatures(raw, targets)
    scaled = [logits / temperature for logits, temperature in zip(raw, temperatures, strict=True)]
    return replace(joined, temperature=float(np.exp(np.mean(np.log(temperatures))))), scaled


def cross_fit_temperatures(logits: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> list[float]:
    """For each fold the temperature that is fitted on all others.

    Args:
        logits: of each fold, `(clips, labels)`.
        targets: of each fold, as of [`~evaluation.metrics.calibration.fit_temperature`].
    """
    return [
        fit_temperature(*(np.concatenate([*parts[:fold], *parts[fold + 1 :]]) for parts in (logits, targets)))
        for fold in range(len(logits))
    ]


def _align(logits: np.ndarray, task: Task, joined: Task) -> np.ndarray:
    """The logits of a fold's head as those of the joined one."""
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
