"""Metrics of predictions: per corpus, their mean, per locale, by group, pooled; for every head, with intervals.

A class is compared by its name, so that a clip whose label the model does not know counts as an error and not as
nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import datasets
import numpy as np
import torch
from sklearn.metrics import confusion_matrix

from modeling import Task

from ..hf_evaluate import ClassificationMetric, RegressionMetric
from .bootstrap import count_speakers, interval, mean_resamples, resampled_sums, too_few
from .calibration import calibration_report
from .resampled import (
    CLASSIFICATION_METRICS,
    REGRESSION_METRICS,
    classification_features,
    classification_scores,
    regression_features,
    regression_scores,
)
from .subgroups import GROUPINGS, group_clips

ALL = "all"  # the mean over all corpora, beside those of single locales
_COLUMNS = ("corpus", "locale", "speaker", *GROUPINGS.values())
_Part = tuple[str, ...]  # pooled; corpora, NAME; locales, LOCALE, CORPUS; groups, GROUPING, NAME


class DivergedError(ValueError):
    """A training whose loss or predictions are no numbers."""


def compute_metrics(
    clips: datasets.Dataset, task_logits: Mapping[str, np.ndarray], tasks: Sequence[Task], *, intervals: bool = True
) -> dict[str, dict]:
    """Metrics of every head on the clips of a split.

    Args:
        clips: the clips, with the tasks' columns, `corpus`, `locale`, `speaker`, `gender`, `duration_s` and `style`.
        task_logits: task name to `(clips, num_outputs)`, in the order of `clips`.
        tasks: what the heads predict.
        intervals: whether to add what an evaluation during training does not need: 95 % bootstrap intervals over
            speakers and clips, as `NAME_ci`, `groups` and `calibration`. Where there are too few speakers or clips for
            an interval, `NAME_ci` is `None` and `ci_reason` says so.

    Returns:
        Task name to its metrics, each figure with the number of labeled `clips` behind it, and that of their
        `speakers` (`None` if no clip names one):

        - `corpora`: corpus to metrics; `locales`: locale to the mean over its
          corpora; `mean_over_corpora`;
        - `pooled`: over all clips at once; `confusion` (classification): `labels` and `counts[true][predicted]`;
        - `groups`: by `gender`, `duration` and `style`, each group to the metrics of its clips, pooled;
        - `unknown_labels` (classification): labels that the head does not have, with their clips;
          `labels_without_clips`: labels of the head that no clip has;
        - `calibration` (classification): as [`calibration_report`] returns it.

    Raises:
        DivergedError: a prediction is no number.
    """
    metrics = {}
    for task in tasks:
        answers = _answers(clips, task_logits[task.name], task)
        metrics[task.name] = _task_metrics(answers, intervals) if answers else {"kind": task.kind, "clips": 0}
    return metrics


def resample_means(clips: datasets.Dataset, logits: np.ndarray, task: Task) -> dict[str, dict[str, np.ndarray]]:
    """The means over corpora in every resample, for [`~evaluation.metrics.bootstrap.compare`].

    Args:
        clips, logits: as in [`compute_metrics`]; the resamples of two models are the same if the clips are.
        task: a classification.

    Returns:
        `ALL`, and each locale, to metric to `(resamples,)`; empty where no clip has a label.

    Raises:
        DivergedError: a prediction is no number.
    """
    answers = _answers(clips, logits, task)
    if not answers:
        return {}
    drawn = _draw(answers, _parts(answers.columns, groups=False))
    groups = {ALL: _under(drawn, "corpora")}
    groups |= {place: _under(drawn, "locales", place) for place in {*answers.columns["locale"]} - {None}}
    return {
        name: {
            metric: mean_resamples([draws[metric] for draws in corpora.values()]) for metric in CLASSIFICATION_METRICS
        }
        for name, corpora in groups.items()
    }


@dataclass(frozen=True)
class _Answers:
    """The clips that have a label for a task, and what its head says of them."""

    task: Task
    truth: np.ndarray
    predicted: np.ndarray
    logits: np.ndarray
    columns: dict[str, np.ndarray]


def _answers(clips: datasets.Dataset, logits: np.ndarray, task: Task) -> _Answers | None:
    values = clips[task.column][:]
    known = np.array([value is not None for value in values], dtype=bool)
    if not known.any():
        return None
    if not np.isfinite(logits).all():
        raise DivergedError(f"Predictions of {task.name} are NaN or infinite: the training has diverged.")
    decoded = task.decode(torch.as_tensor(logits)).numpy()
    if task.is_classification:
        truth = np.array([str(value) for value in values], dtype=object)
        predicted = np.array(task.labels, dtype=object)[decoded.argmax(-1)]
    else:
        truth, predicted = np.array(values, dtype=float), decoded.astype(float)
    columns = {name: np.array(clips[name][:], dtype=object)[known] for name in _COLUMNS}
    return _Answers(task, truth[known], predicted[known], np.asarray(logits)[known], columns)


def _task_metrics(answers: _Answers, intervals: bool) -> dict:
    columns = answers.columns
    parts = _parts(columns, groups=intervals)
    rows = _measure(answers, parts)
    draws = _draw(answers, parts) if intervals else {}
    for part, drawn in draws.items():
        corpus, speaker = columns["corpus"][parts[part]], columns["speaker"][parts[part]]
        rows[part] |= _intervals(rows[part], drawn, count_speakers(corpus, speaker))
    places = sorted({*columns["locale"]} - {None})
    result = {
        "kind": answers.task.kind,
        "clips": int(answers.truth.size),
        "corpora": _under(rows, "corpora"),
        "locales": {
            place: mean_over_corpora(_under(rows, "locales", place), _under(draws, "locales", place))
            for place in places
        },
        "mean_over_corpora": mean_over_corpora(_under(rows, "corpora"), _under(draws, "corpora")),
        "pooled": rows["pooled",],
    }
    if intervals:
        result["groups"] = {grouping: _under(rows, "groups", grouping) for grouping in GROUPINGS}
    if answers.task.is_classification:
        return result | _class_metrics(answers, calibration=intervals)
    return {**result, "unit": answers.task.unit}


def _parts(columns: Mapping[str, np.ndarray], groups: bool) -> dict[_Part, np.ndarray]:
    """What metrics are computed over, and which clips belong to it."""
    corpus, locale = columns["corpus"], columns["locale"]
    parts: dict[_Part, np.ndarray] = {("pooled",): np.ones(corpus.size, dtype=bool)}
    parts |= {("corpora", name): corpus == name for name in dict.fromkeys(corpus)}
    for place in {*locale} - {None}:
        for member in dict.fromkeys(corpus[locale == place]):
            parts["locales", place, member] = (locale == place) & (corpus == member)
    if groups:
        for grouping, members in group_clips(columns).items():
            parts |= {("groups", grouping, name): mine for name, mine in members.items()}
    return parts


def _under(parts: Mapping[_Part, dict], *kind: str) -> dict[str, dict]:
    """The parts of one kind by the last of their names, such as that of the corpus."""
    return {part[-1]: values for part, values in parts.items() if part[:-1] == kind}


def _measure(answers: _Answers, parts: Mapping[_Part, np.ndarray]) -> dict[_Part, dict]:
    kind = ClassificationMetric if answers.task.is_classification else RegressionMetric
    with tempfile.TemporaryDirectory() as cache_dir:
        metric = kind(cache_dir=cache_dir, keep_in_memory=True)
        return {
            part: {
                **metric.compute(references=answers.truth[mine].tolist(), predictions=answers.predicted[mine].tolist()),
                "clips": int(mine.sum()),
                "speakers": _known_speakers(answers.columns["corpus"][mine], answers.columns["speaker"][mine]),
            }
            for part, mine in parts.items()
        }


def _draw(answers: _Answers, parts: Mapping[_Part, np.ndarray]) -> dict[_Part, dict[str, np.ndarray]]:
    """Each metric of each part in every resample, `(resamples,)`."""
    if answers.task.is_classification:
        features, scores = classification_features, classification_scores
    else:
        features, scores = regression_features, regression_scores
    corpus, speaker = answers.columns["corpus"], answers.columns["speaker"]
    sums = resampled_sums(features(answers.truth, answers.predicted), parts, corpus, speaker)
    return {part: scores(values) for part, values in sums.items()}


def _known_speakers(corpus: np.ndarray, speaker: np.ndarray) -> int | None:
    known = np.array([name is not None for name in speaker], dtype=bool)
    return count_speakers(corpus[known], speaker[known]) or None


def _intervals(row: Mapping[str, Any], draws: Mapping[str, np.ndarray], speakers: int) -> dict[str, Any]:
    """Intervals of a row's metrics, or why it has none."""
    if reason := too_few(row["clips"], speakers):
        return {f"{name}_ci": None for name in draws if row[name] is not None} | {"ci_reason": reason}
    bounds = {name: interval(drawn) for name, drawn in draws.items() if row[name] is not None}
    return {f"{name}_ci": bound for name, bound in bounds.items() if bound}


def mean_over_corpora(corpora: Mapping[str, dict], draws: Mapping[str, dict[str, np.ndarray]]) -> dict:
    """Mean of each metric over the corpora that have it, with its interval; clips and speakers in all, the corpora.

    The mean has an interval where all corpora together have enough speakers. A corpus that has none itself adds the
    differences between its clips to it, and nothing of how its speakers differ from others.
    """
    first = next(iter(corpora.values()))
    mean, drawn = {}, {}
    for name in (name for name in (*CLASSIFICATION_METRICS, *REGRESSION_METRICS) if name in first):
        having = [corpus for corpus, row in corpora.items() if row[name] is not None]
        mean[name] = float(np.mean([corpora[corpus][name] for corpus in having])) if having else None
        if having and draws:
            drawn[name] = mean_resamples([draws[corpus][name] for corpus in having])
    row = {
        **mean,
        "clips": sum(row["clips"] for row in corpora.values()),
        "speakers": sum(row["speakers"] or 0 for row in corpora.values()) or None,
        "corpora": list(corpora),
    }
    drawn_from = sum(row["speakers"] or row["clips"] for row in corpora.values())
    return row | (_intervals(row, drawn, drawn_from) if draws else {})


def _class_metrics(answers: _Answers, calibration: bool) -> dict:
    """What a classification has beside its rows of metrics."""
    task, truth = answers.task, answers.truth
    labels = [*task.labels, *sorted(set(truth) - set(task.labels))]
    counts = confusion_matrix(truth.tolist(), answers.predicted.tolist(), labels=labels)
    result = {
        "confusion": {"labels": labels, "counts": counts.tolist()},
        "unknown_labels": {label: int((truth == label).sum()) for label in labels[len(task.labels) :]},
        "labels_without_clips": [label for label in task.labels if label not in set(truth)],
    }
    if calibration:
        targets = np.array([task.encode(value) for value in truth])
        corpus, speaker = answers.columns["corpus"], answers.columns["speaker"]
        result["calibration"] = calibration_report(answers.logits, targets, task.temperature, corpus, speaker)
    return result
