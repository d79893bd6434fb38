"""The result of an evaluation: its metrics.json, what else comparisons need, and what a training log has of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from datasets import Dataset

from modeling import Task

from ..metrics.compute import Measurements


@dataclass(frozen=True)
class Evaluation:
    """One checkpoint on one split.

    Args:
        report: its `metrics.json`.
        resampled_means: of the main task, as in [`~evaluation.metrics.compute.Measurements`]; empty unless it is a
            classification.
        clips: ids of the clips.
        resampled_corpora: the same of each corpus by itself.
    """

    report: Mapping[str, Any]
    resampled_means: Mapping[str, Mapping[str, np.ndarray]]
    clips: frozenset[str]
    resampled_corpora: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)

    @property
    def main(self) -> Mapping[str, Any]:
        """Metrics of the main task."""
        return self.report["tasks"][self.report["main_task"]]


def to_evaluation(report: Mapping[str, Any], measured: Measurements, clips: Dataset) -> Evaluation:
    """An evaluation from its `metrics.json` and from what was measured on these clips."""
    main = report["main_task"]
    means, corpora = measured.resampled_means.get(main, {}), measured.resampled_corpora.get(main, {})
    return Evaluation(report, means, frozenset(clips["id"]), corpora)


def main_scores(tasks: Sequence[Task], metrics: dict[str, dict]) -> dict[str, float]:
    """The means over corpora under the names `TASK_METRIC`, for a training log."""
    return {
        f"{task.name}_{name}": value
        for task in tasks
        for name, value in metrics[task.name].get("mean_over_corpora", {}).items()
        if isinstance(value, float)
    }
