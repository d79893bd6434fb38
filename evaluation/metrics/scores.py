"""Metrics of many resamples at once, computed from sums over clips.

Per kind of task: features of each clip whose weighted sums are all that the metrics need, and the metrics of such sums.
The weight of a clip is how often it is in a resample, as scikit-learn's `sample_weight`; with weights of one the
metrics are those of the clips themselves.
"""

from __future__ import annotations

import numpy as np

CLASSIFICATION_METRICS = ("weighted_f1", "weighted_recall", "weighted_precision", "macro_f1", "unweighted_recall")
REGRESSION_METRICS = ("mae", "r2", "pearson", "ccc")
_CONSTANT = 1e-12  # a variance below it, of numbers of deviation 1, is rounding


def classification_features(targets: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Per class: whether a clip belongs to it, whether it is predicted to, and whether both.

    Args:
        targets, predicted: indices of classes, `(clips,)`.
        num_classes: how many classes there are.

    Returns:
        `(clips, 3 * num_classes)`.
    """
    classes = np.arange(num_classes)
    true, claimed = (side[:, None] == classes for side in (targets, predicted))
    return np.concatenate([true, claimed, true & claimed], axis=1).astype(float)


def classification_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Weighted F1, recall (which is accuracy), precision, macro-F1, unweighted recall, over the classes that occur.

    Args:
        sums: of [`classification_features`], `(resamples, 3 * num_classes)`.

    Returns:
        Name to `(resamples,)`; NaN where there are no clips.
    """
    support, claimed, hits = np.split(sums, 3, axis=1)
    recall = hits / np.maximum(support, 1)
    precision = hits / np.maximum(claimed, 1)
    f1 = 2 * hits / np.maximum(support + claimed, 1)
    with np.errstate(invalid="ignore"):
        share = support / support.sum(axis=1, keepdims=True)
        equal = (support > 0) / (support > 0).sum(axis=1, keepdims=True)
    values = (share * f1, share * recall, share * precision, equal * f1, equal * recall)
    return dict(zip(CLASSIFICATION_METRICS, (value.sum(axis=1) for value in values), strict=True))


def regression_features(targets: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The moments of numbers and of their predictions, standardized by the former, which keeps rounding small.

    Args:
        targets, predicted: numbers, `(clips,)`.

    Returns:
        `(clips, 7)`.
    """
    mean, std = targets.mean(), targets.std() or 1.0
    t, p = (targets - mean) / std, (predicted - mean) / std
    return np.stack([np.ones_like(t), np.abs(targets - predicted), t, p, t * t, p * p, t * p], axis=1)


def regression_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Mean absolute error, R², Pearson's and Lin's concordance correlation.

    Args:
        sums: of [`regression_features`], `(resamples, 7)`.

    Returns:
        Name to `(resamples,)`; NaN where there are no clips, or a metric is undefined because values are constant.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        error, t, p, tt, pp, tp = (sums[:, 1:] / sums[:, :1]).T
        variance = np.where(tt - t * t > _CONSTANT, tt - t * t, np.nan)
        predicted = pp - p * p
        covariance = tp - t * p
        correlated = np.where(predicted > _CONSTANT, variance * predicted, np.nan)
        values = (
            error,
            1 - (tt - 2 * tp + pp) / variance,
            covariance / np.sqrt(correlated),
            2 * covariance / (variance + predicted + (t - p) ** 2),
        )
    return dict(zip(REGRESSION_METRICS, values, strict=True))


def single_scores(scores: dict[str, np.ndarray]) -> dict[str, float | None]:
    """The metrics of one set of clips, from those of a single resample; `None` where a metric is undefined."""
    return {name: float(value) if np.isfinite(value) else None for name, (value,) in scores.items()}
