"""The outputs of the heads for a clip, formatted for people and programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .tasks_ser import Task

if TYPE_CHECKING:
    import torch

NO_SPEECH = "no speech was found"


@dataclass(frozen=True)
class OutputOptions:
    """How the outputs of a clip are formatted; what the model computes does not depend on it.

    Args:
        top_k: number of classes to return of each classification head; by default all.
        labels: classes of the main task to choose among. The others get no probability, and the probabilities of
            these are scaled to sum to one. By default all.
        uncertain_below: score of the likeliest class of the main task below which the output is marked `uncertain`.

    Raises:
        ValueError: a value is out of its range, or a label is repeated.
    """

    top_k: int | None = None
    labels: tuple[str, ...] = ()
    uncertain_below: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", (self.labels,) if isinstance(self.labels, str) else tuple(self.labels))
        repeated = [label for label, count in Counter(self.labels).items() if count > 1]
        if repeated:
            raise ValueError(f"labels must be distinct, got {', '.join(map(repr, repeated))} more than once.")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be 1 or more, got {self.top_k}.")
        if self.uncertain_below is not None and not 0 <= self.uncertain_below <= 1:
            raise ValueError(f"uncertain_below must be between 0 and 1, got {self.uncertain_below}.")

    def check(self, main_task: Task) -> None:
        """Raises a `ValueError` where one of `labels` is not a class of the main task."""
        unknown = [label for label in self.labels if label not in main_task.labels]
        if unknown:
            raise ValueError(
                f"The model cannot predict {', '.join(map(repr, unknown))}. Its classes of {main_task.name} are: "
                f"{', '.join(main_task.labels) or 'none, because it predicts a number'}."
            )


def restrict(probabilities: np.ndarray, classes: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Probabilities restricted to some classes. With several windows this comes before their mean is taken.

    Args:
        probabilities: `(…, classes)`.
        classes: their names.
        labels: names of the classes to keep; all if empty.

    Returns:
        `(…, classes)`: 0 for the others, and those of `labels` scaled to sum to one; equal where all of them are 0.
    """
    if not labels:
        return probabilities
    possible = np.isin(classes, labels)
    kept = np.where(possible, probabilities, 0.0)
    total = kept.sum(axis=-1, keepdims=True)
    restricted = np.broadcast_to(possible / possible.sum(), kept.shape).copy()
    np.divide(kept, total, out=restricted, where=total > 0)
    return restricted


def format_no_speech(tasks: Sequence[Task]) -> dict[str, Any]:
    """The output for a clip without speech: every head as [`format_outputs`] gives it, without a class or value.

    Returns:
        Task name to `[{"label": None, "score": None}]` or `{"value": None, "unit"}`, and `reason`.
    """
    outputs: dict[str, Any] = {
        task.name: [{"label": None, "score": None}] if task.is_classification else {"value": None, "unit": task.unit}
        for task in tasks
    }
    return {**outputs, "reason": NO_SPEECH}


def format_outputs(
    tasks: Sequence[Task],
    main_task: Task,
    decoded: Mapping[str, torch.Tensor | np.ndarray],
    options: OutputOptions = OutputOptions(),
) -> dict[str, Any]:
    """The outputs for one clip or one segment of a recording.

    Args:
        tasks: of the model.
        main_task: the one of them that `options.labels` and `options.uncertain_below` apply to.
        decoded: task name to probabilities `(num_outputs,)` or a single value in the task's unit.
        options: how to format them.

    Returns:
        Task name to `[{"label", "score"}, …]`, the likeliest first, or `{"value", "unit"}`. Where `uncertain_below` is
        set, `uncertain` is whether the main task's best score is below it.
    """
    outputs: dict[str, Any] = {}
    for task in tasks:
        values = np.asarray(decoded[task.name], dtype=np.float64)
        if not task.is_classification:
            outputs[task.name] = {"value": float(values), "unit": task.unit}
            continue
        labels = options.labels if task.name == main_task.name else ()
        scores = dict(zip(task.labels, restrict(values, task.labels, labels).tolist(), strict=True))
        scores = {label: scores[label] for label in labels or task.labels}
        ranked = sorted(scores.items(), key=lambda entry: -entry[1])[: options.top_k]
        outputs[task.name] = [{"label": label, "score": score} for label, score in ranked]
    if options.uncertain_below is not None and main_task.is_classification:
        outputs["uncertain"] = outputs[main_task.name][0]["score"] < options.uncertain_below
    return outputs
