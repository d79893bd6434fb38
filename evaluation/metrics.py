"""Metrics of predictions: per corpus, their mean, per locale, pooled; for every head, with bootstrap intervals.

A class is compared by its name, so that a clip whose label the model does not know counts as an error and not as
nothing.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence

import datasets
import evaluate
import numpy as np
import torch
from scipy import stats
from sklearn.metrics import (
    confusion_matrix,
    f1_score,
    mean_absolute_error,
    precision_recall_fscore_support,
    r2_score,
    recall_score,
)

from modeling import Task

CLASSIFICATION_METRICS = (
    "weighted_f1",
    "weighted_recall",
    "weighted_precision",
    "macro_f1",
    "unweighted_recall",
)
REGRESSION_METRICS = ("mae", "r2", "pearson", "ccc")
_RESAMPLES = 1000


class ClassificationMetric(evaluate.Metric):
    """Weighted F1, recall (which is accuracy), precision, macro-F1, unweighted recall, over the classes that occur."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Metrics of a classification of clips, as in Sharma 2022, tables 2 to 4.",
            citation="",
            features=datasets.Features({name: datasets.Value("string") for name in ("predictions", "references")}),
        )

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        labels = sorted(set(references))
        kwargs = {"labels": labels, "zero_division": 0}
        precision, recall, f1, _ = precision_recall_fscore_support(
            references, predictions, average="weighted", **kwargs
        )
        values = (
            f1,
            recall,
            precision,
            f1_score(references, predictions, average="macro", **kwargs),
            recall_score(references, predictions, average="macro", **kwargs),
        )
        return dict(zip(CLASSIFICATION_METRICS, map(float, values), strict=True))


class RegressionMetric(evaluate.Metric):
    """Mean absolute error, R², Pearson's and Lin's concordance correlation; `None` where a constant leaves one open."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Metrics of a regression over clips.",
            citation="",
            features=datasets.Features({name: datasets.Value("float64") for name in ("predictions", "references")}),
        )

    def _compute(self, predictions: Sequence[float], references: Sequence[float]) -> dict[str, float | None]:
        predicted, true = np.asarray(predictions), np.asarray(references)
        values: dict[str, float | None] = {"mae": float(mean_absolute_error(true, predicted))}
        varies = true.size > 1 and np.ptp(true) > 0
        values["r2"] = float(r2_score(true, predicted)) if varies else None
        correlated = varies and np.ptp(predicted) > 0
        values["pearson"] = float(stats.pearsonr(true, predicted).statistic) if correlated else None
        covariance = np.cov(true, predicted, bias=True) if varies else None
        values["ccc"] = (
            float(2 * covariance[0, 1] / (np.trace(covariance) + (true.mean() - predicted.mean()) ** 2))
            if varies
            else None
        )
        return values


def compute_metrics(
    clips: datasets.Dataset, task_logits: Mapping[str, np.ndarray], tasks: Sequence[Task], *, intervals: bool = True
) -> dict[str, dict]:
    """Metrics of every head on the clips of a split.

    Args:
        clips: the clips, with the tasks' columns, `corpus` and `locale`.
        task_logits: task name to `(clips, num_outputs)`, in the order of `clips`.
        tasks: what the heads predict.
        intervals: whether to add 95 % bootstrap intervals over clips, as `NAME_ci`.

    Returns:
        Task name to its metrics, each figure with the number of labelled `clips` behind it:

        - `corpora`: corpus to metrics; `locales`: locale to the mean over its corpora; `mean_over_corpora`;
        - `pooled`: over all clips at once; `confusion` (classification): `labels` and `counts[true][predicted]`;
        - `unknown_labels` (classification): labels that the head does not have, with their clips.

    Raises:
        ValueError: a prediction is no number.
    """
    groups = {name: clips[name][:] for name in ("corpus", "locale")}
    metrics = {}
    for task in tasks:
        values = clips[task.column][:]
        known = np.array([value is not None for value in values], dtype=bool)
        if not known.any():
            metrics[task.name] = {"kind": task.kind, "clips": 0}
            continue
        if not np.isfinite(task_logits[task.name]).all():
            raise ValueError(f"Predictions of {task.name} are NaN or infinite: the training has diverged.")
        decoded = task.decode(torch.as_tensor(task_logits[task.name])).numpy()
        truth = np.array([str(v) if task.is_classification else v for v in values], dtype=object)
        predicted = np.array(task.labels, dtype=object)[decoded.argmax(-1)] if task.is_classification else decoded
        corpus, locale = (np.array(groups[name], dtype=object)[known] for name in ("corpus", "locale"))
        metrics[task.name] = _task_metrics(task, truth[known], predicted[known], corpus, locale, intervals)
    return metrics


def _task_metrics(
    task: Task, truth: np.ndarray, predicted: np.ndarray, corpus: np.ndarray, locale: np.ndarray, intervals: bool
) -> dict:
    with tempfile.TemporaryDirectory() as cache_dir:
        kind = ClassificationMetric if task.is_classification else RegressionMetric
        metric = kind(cache_dir=cache_dir, keep_in_memory=True)

        def measure(mine: np.ndarray) -> dict:
            values = metric.compute(references=truth[mine].tolist(), predictions=predicted[mine].tolist())
            return {**values, "clips": int(mine.sum())}

        corpora = {name: measure(corpus == name) for name in dict.fromkeys(corpus)}
        pairs = defaultdict(dict)
        for name in sorted({place for place in locale if place is not None}):
            for member in dict.fromkeys(corpus[locale == name]):
                pairs[name][member] = measure((locale == name) & (corpus == member))
        result = {
            "kind": task.kind,
            "clips": int(truth.size),
            "corpora": corpora,
            "locales": {name: _mean(members) for name, members in pairs.items()},
            "mean_over_corpora": _mean(corpora),
            "pooled": measure(np.ones(truth.size, dtype=bool)),
        }
    if task.is_classification:
        labels = [*task.labels, *sorted(set(truth) - set(task.labels))]
        counts = confusion_matrix(truth.tolist(), predicted.tolist(), labels=labels)
        result["confusion"] = {"labels": labels, "counts": counts.tolist()}
        result["unknown_labels"] = {label: int((truth == label).sum()) for label in labels[len(task.labels) :]}
        if intervals:
            _add_classification_intervals(result, truth, predicted, corpus, labels)
    else:
        result["unit"] = task.unit
        if intervals:
            _add_regression_intervals(result["pooled"], truth.astype(float), predicted)
    return result


def _mean(groups: Mapping[str, dict]) -> dict:
    """Mean of each metric over the groups that have it, the clips in all, and the groups."""
    names = [name for name in next(iter(groups.values())) if name != "clips"]
    mean = {}
    for name in names:
        values = [group[name] for group in groups.values() if group[name] is not None]
        mean[name] = float(np.mean(values)) if values else None
    return {**mean, "clips": sum(group["clips"] for group in groups.values()), "corpora": list(groups)}


def _add_classification_intervals(
    result: dict, truth: np.ndarray, predicted: np.ndarray, corpus: np.ndarray, labels: Sequence[str]
) -> None:
    """Adds 95 % intervals: clips drawn with replacement are counts drawn over the cells of the confusion matrix."""
    random = np.random.default_rng(0)
    drawn = {}
    for name in result["corpora"]:
        mine = corpus == name
        counts = confusion_matrix(truth[mine].tolist(), predicted[mine].tolist(), labels=labels)
        cells = random.multinomial(counts.sum(), counts.ravel() / counts.sum(), size=_RESAMPLES)
        drawn[name] = _weighted(cells.reshape(_RESAMPLES, *counts.shape))
        _set_intervals(result["corpora"][name], drawn[name])
    mean = {
        metric: np.mean([draws[metric] for draws in drawn.values()], axis=0) for metric in next(iter(drawn.values()))
    }
    _set_intervals(result["mean_over_corpora"], mean)


def _weighted(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Weighted F1, recall and precision of confusion matrices `(..., true, predicted)`, as scikit-learn's."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    support, claimed = counts.sum(axis=-1), counts.sum(axis=-2)
    share = support / support.sum(axis=-1, keepdims=True)
    recall = hits / np.maximum(support, 1)
    precision = hits / np.maximum(claimed, 1)
    f1 = 2 * hits / np.maximum(support + claimed, 1)
    return {
        "weighted_f1": (share * f1).sum(axis=-1),
        "weighted_recall": (share * recall).sum(axis=-1),
        "weighted_precision": (share * precision).sum(axis=-1),
    }


def _add_regression_intervals(pooled: dict, truth: np.ndarray, predicted: np.ndarray) -> None:
    random = np.random.default_rng(0)
    draws: dict[str, list[float]] = {"mae": [], "r2": []}
    for _ in range(_RESAMPLES):
        chosen = random.integers(truth.size, size=truth.size)
        error = truth[chosen] - predicted[chosen]
        draws["mae"].append(np.abs(error).mean())
        varies = np.ptp(truth[chosen]) > 0
        draws["r2"].append(1 - (error**2).mean() / truth[chosen].var() if varies else np.nan)
    _set_intervals(pooled, {name: np.array(values) for name, values in draws.items()})


def _set_intervals(target: dict, draws: Mapping[str, np.ndarray]) -> None:
    for name, values in draws.items():
        if target[name] is not None:
            target[f"{name}_ci"] = [float(bound) for bound in np.nanpercentile(values, [2.5, 97.5])]
