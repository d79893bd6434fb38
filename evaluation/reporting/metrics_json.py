"""The content of metrics.json, the result of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.versions import versions
from modeling import Task

_PACKAGES = ("transformers", "torch", "datasets", "evaluate", "accelerate", "scikit-learn")


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


def build_report(
    metrics: dict[str, dict],
    main_task: str,
    *,
    checkpoint: str,
    split: str,
    protocol: dict,
    num_clips_seen_in_training: int | None,
    **settings: object,
) -> dict[str, Any]:
    """The content of `metrics.json`.

    Args:
        metrics: as [`compute_metrics`] returns them.
        main_task: name of the task that the tables show in full.
        checkpoint: what was evaluated.
        split: on which split.
        protocol: as [`~preprocessing.prepared.split_files.load_protocol`] gives it.
        num_clips_seen_in_training: how many of the clips the checkpoint was trained on, `None` where unknown.
        settings: further values to write, such as `raw_labels` and `merged_labels`, the number of clips by the authors'
            labels ([`~preprocessing.labels.raw_labels`]).
    """
    return {
        "checkpoint": checkpoint,
        "split": split,
        "protocol": protocol,
        "versions": versions(*_PACKAGES),
        "num_clips_seen_in_training": num_clips_seen_in_training,
        **settings,
        "main_task": main_task,
        "tasks": metrics,
    }


def main_scores(tasks: Sequence[Task], metrics: dict[str, dict]) -> dict[str, float]:
    """The means over corpora under the names `TASK_METRIC`, for a training log."""
    return {
        f"{task.name}_{name}": value
        for task in tasks
        for name, value in metrics[task.name].get("mean_over_corpora", {}).items()
        if isinstance(value, float)
    }
