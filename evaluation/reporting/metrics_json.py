"""The result of an evaluation: its metrics.json, what comparisons need beside it, and what a training log has of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modeling import Task


@dataclass(frozen=True)
class Evaluation:
    """One checkpoint on one split.

    Args:
        report: its `metrics.json`.
        resampled_means: of the main task, as in [`~evaluation.metrics.compute.Measurements`]; empty unless it is a
            classification.
        clips: ids of the clips.
    """

    report: Mapping[str, Any]
    resampled_means: Mapping[str, Mapping[str, np.ndarray]]
    clips: frozenset[str]

    @property
    def main(self) -> Mapping[str, Any]:
        """Metrics of the main task."""
        return self.report["tasks"][self.report["main_task"]]


def main_scores(tasks: Sequence[Task], metrics: dict[str, dict]) -> dict[str, float]:
    """The means over corpora under the names `TASK_METRIC`, for a training log."""
    return {
        f"{task.name}_{name}": value
        for task in tasks
        for name, value in metrics[task.name].get("mean_over_corpora", {}).items()
        if isinstance(value, float)
    }
