"""Rows of metrics: their intervals, and their mean over corpora."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .bootstrap import interval, mean_of_corpora, too_few
from .scores import CLASSIFICATION_METRICS, REGRESSION_METRICS


def intervals(row: Mapping[str, Any], resampled: Mapping[str, np.ndarray], num_speakers: int) -> dict[str, Any]:
    """The 95 % intervals of a row's metrics, `NAME_ci`; where it has too few clips or speakers, `None` and a reason.

    Args:
        row: metrics and `clips`, their number.
        resampled: metric to `(num_resamples,)`.
        num_speakers: of the clips.
    """
    if reason := too_few(row["clips"], num_speakers):
        return {f"{name}_ci": None for name in resampled if row[name] is not None} | {"ci_reason": reason}
    bounds = {name: interval(values) for name, values in resampled.items() if row[name] is not None}
    return {f"{name}_ci": bound for name, bound in bounds.items() if bound}


def mean_over_corpora(
    corpora: Mapping[str, Mapping[str, Any]], resampled: Mapping[str, Mapping[str, np.ndarray]]
) -> dict[str, Any]:
    """Mean of each metric over the corpora that have it, with its interval; clips and speakers in all, the corpora.

    The mean has an interval where all corpora together have enough speakers. A corpus that has too few itself adds the
    differences between its clips to it, but not how its speakers differ from others.

    Args:
        corpora: corpus to its row of metrics.
        resampled: corpus to metric to `(num_resamples,)`; empty for a mean without intervals.
    """
    first = next(iter(corpora.values()))
    mean: dict[str, Any] = {}
    of_mean = {}
    for name in (name for name in (*CLASSIFICATION_METRICS, *REGRESSION_METRICS) if name in first):
        having = [corpus for corpus, row in corpora.items() if row[name] is not None]
        mean[name] = float(np.mean([corpora[corpus][name] for corpus in having])) if having else None
        if having and resampled:
            of_mean[name] = mean_of_corpora([resampled[corpus][name] for corpus in having])
    row = {
        **mean,
        "clips": sum(row["clips"] for row in corpora.values()),
        "speakers": sum(row["speakers"] or 0 for row in corpora.values()) or None,
        "corpora": list(corpora),
    }
    num_speakers = sum(row["speakers"] or row["clips"] for row in corpora.values())
    return row | (intervals(row, of_mean, num_speakers) if resampled else {})
