"""The metrics of single clips' predictions, as metrics of Hugging Face's `evaluate`."""

from __future__ import annotations

from collections.abc import Sequence

import datasets
import evaluate
import numpy as np
from scipy import stats
from sklearn.metrics import (
    f1_score,
    mean_absolute_error,
    precision_recall_fscore_support,
    r2_score,
    recall_score,
)

from .metrics.resampled import CLASSIFICATION_METRICS


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
