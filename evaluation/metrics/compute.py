"""Metrics of predictions: per corpus, their mean, per locale, by group, pooled; for every head, with intervals.

A class is compared by its name, so that a clip whose label the head does not have counts as an error instead of being
left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import datasets
import numpy as np
from sklearn.metrics import confusion_matrix

from modeling import Task
from preprocessing.prepared.task_values import target_labels

from .bootstrap import Resamples, count_speakers, mean_of_corpora, resample, too_few
from .calibration import calibration_report
from .distribution import measure_distribution
from .labeled_clips import COLUMNS, LabeledClips, divide, is_labeled, select_labeled
from .means import intervals as intervals_of
from .means import mean_over_corpora
from .scores import CLASSIFICATION_METRICS
from .subgroups import GROUPINGS

ALL = "all"  # the mean over all corpora, in addition to those of single locales


class DivergedError(ValueError):
    """A training whose loss or predictions are NaN or infinite."""


@dataclass(frozen=True)
class Measurements:
    """What is measured of all heads.

    Args:
        metrics: as [`compute_metrics`] returns them.
        resampled_means: what comparisons of models need: task name to `ALL`, and each locale, to metric to its mean
            over corpora in every resample, `(num_resamples,)`. Only classifications that have labeled clips.
        resampled_corpora: the same of each corpus by itself.
    """

    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    resampled_means: dict[str, dict[str, dict[str, np.ndarray]]] = field(default_factory=dict)
    resampled_corpora: dict[str, dict[str, dict[str, np.ndarray]]] = field(default_factory=dict)


def compute_metrics(
    clips: datasets.Dataset, task_logits: Mapping[str, np.ndarray], tasks: Sequence[Task], *, intervals: bool = True
) -> dict[str, dict[str, Any]]:
    """Metrics of every head on the clips of a split.

    Args:
        clips: the clips, with the tasks' columns, `corpus`, `locale`, `speaker`, `gender`, `duration_s` and `style`.
        task_logits: task name to `(clips, num_outputs)`, in the order of `clips`.
        tasks: what the heads predict.
        intervals: whether to add what an evaluation during training does not need: 95 % bootstrap intervals over
            speakers and clips, as `NAME_ci`, `groups` and `calibration`. Where there are too few speakers or clips for
            an interval, `NAME_ci` is `None` and `ci_reason` gives the reason.

    Returns:
        Task name to its metrics, each row with the number of labeled `clips` behind it, and that of their
        `speakers` (`None` if no clip names one):

        - `corpora`: corpus to metrics; `locales`: locale to the mean over its
          corpora; `mean_over_corpora`;
        - `pooled`: over all clips at once; `confusion` (classification): `labels` and `counts[true][predicted]`;
        - `groups`: by `gender`, `duration` and `style`, each group to the metrics of its clips, pooled;
        - `unknown_labels` (classification): labels that the head does not have, with their clips;
          `labels_without_clips`: labels of the head that no clip has;
        - `calibration` (classification): as [`calibration_report`] returns it;
        - `distribution` (soft labels, whose other metrics count the majority of the votes): as
          [`measure_distribution`] returns it.

    Raises:
        DivergedError: a prediction is NaN or infinite.
    """
    return measure(clips, task_logits, tasks, intervals=intervals).metrics


def measure(
    clips: datasets.Dataset, task_logits: Mapping[str, np.ndarray], tasks: Sequence[Task], *, intervals: bool = True
) -> Measurements:
    """Metrics of every head, and what comparisons need. Arguments and errors as of [`compute_metrics`].

    The clips are resampled once for all heads that have labels of the same clips.
    """
    columns = {name: np.array(clips[name][:], dtype=object) for name in COLUMNS}
    values = {task.name: np.array(target_labels(task, clips), dtype=object) for task in tasks}
    same_clips: dict[bytes, list[Task]] = defaultdict(list)
    for task in tasks:
        same_clips[is_labeled(values[task.name]).tobytes()].append(task)
    found = Measurements({task.name: {"kind": task.kind, "clips": 0} for task in tasks})
    for alike in same_clips.values():
        labeled = is_labeled(values[alike[0].name])
        if not labeled.any():
            continue
        resamples = resample(columns["corpus"][labeled], columns["speaker"][labeled]) if intervals else None
        for task in alike:
            _check_finite(task, task_logits[task.name])
            _measure_head(select_labeled(values[task.name], task_logits[task.name], task, columns), resamples, found)
    for task in (task for task in tasks if task.has_soft_labels):
        distribution = measure_distribution(clips, task_logits[task.name], task, intervals=intervals)
        found.metrics[task.name]["distribution"] = distribution
    return found


def _check_finite(task: Task, logits: np.ndarray) -> None:
    if not np.isfinite(logits).all():
        raise DivergedError(f"Predictions of {task.name} are NaN or infinite: the training has diverged.")


def _measure_head(clips: LabeledClips, resamples: Resamples | None, found: Measurements) -> None:
    """Adds the metrics of a head."""
    task, columns = clips.task, clips.columns
    parts = divide(columns, groups=resamples is not None)
    rows = clips.measure(parts)
    resampled = clips.measure_resamples(parts, resamples) if resamples else {}
    for part, values in resampled.items():
        num_speakers = count_speakers(columns["corpus"][parts[part]], columns["speaker"][parts[part]])
        rows[part] |= intervals_of(rows[part], values, num_speakers)
    places = sorted({*columns["locale"]} - {None})
    metrics = {
        "kind": task.kind,
        "clips": int(clips.targets.size),
        "corpora": _under(rows, "corpora"),
        "locales": {
            place: mean_over_corpora(_under(rows, "locales", place), _under(resampled, "locales", place))
            for place in places
        },
        "mean_over_corpora": mean_over_corpora(_under(rows, "corpora"), _under(resampled, "corpora")),
        "pooled": rows["pooled",],
    }
    if resamples:
        metrics["groups"] = {grouping: _under(rows, "groups", grouping) for grouping in GROUPINGS}
    found.metrics[task.name] = metrics | (_class_metrics(clips, resamples) if clips.labels else {"unit": task.unit})
    if resamples and clips.labels:
        by_place = {ALL: _under(resampled, "corpora")}
        by_place |= {place: _under(resampled, "locales", place) for place in places}
        found.resampled_corpora[task.name] = by_place[ALL]
        found.resampled_means[task.name] = {place: _means(corpora) for place, corpora in by_place.items()}


def _means(corpora: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The mean over corpora of each metric, in every resample."""
    return {name: mean_of_corpora([values[name] for values in corpora.values()]) for name in CLASSIFICATION_METRICS}


def _under(parts: Mapping[tuple[str, ...], dict], *kind: str) -> dict[str, dict]:
    """The parts of one kind by the last of their names, such as that of the corpus."""
    return {part[-1]: values for part, values in parts.items() if part[:-1] == kind}


def _class_metrics(clips: LabeledClips, resamples: Resamples | None) -> dict[str, Any]:
    """What a classification has in addition to its rows of metrics."""
    task, labels = clips.task, clips.labels
    counts = confusion_matrix(clips.targets, clips.predicted, labels=range(len(labels)))
    support = dict(zip(labels, counts.sum(axis=1).tolist(), strict=True))
    result = {
        "confusion": {"labels": list(labels), "counts": counts.tolist()},
        "unknown_labels": {label: support[label] for label in labels[len(task.labels) :]},
        "labels_without_clips": [label for label in task.labels if not support[label]],
    }
    if resamples:
        num_speakers = count_speakers(clips.columns["corpus"], clips.columns["speaker"])
        reason = too_few(clips.targets.size, num_speakers)
        arguments = (clips.logits, clips.head_targets, task.temperature, resamples, reason)
        result["calibration"] = calibration_report(*arguments)
    return result
