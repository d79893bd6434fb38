"""Task: what one head predicts, and the conversion of its logits to labels and probabilities or physical units."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch

Array = TypeVar("Array", "np.ndarray", "torch.Tensor")

# Names that batches, prepared tables, outputs and their tables use for other columns than a head's.
RESERVED_NAMES = frozenset(
    [
        *("row", "seconds", "input_values", "attention_mask", "labels", "loss", "logits"),
        *("id", "path", "audio", "split", "scale", "start_s", "end_s", "duration_s"),
        *("file", "error", "channel", "analyzed_s", "speech_s", "reason", "segments", "embedding", "uncertain"),
        *("label", "score", "value", "unit", "backend", "precision", "size", "mtime_ns", "fingerprint"),
    ]
)
# Attributes of `torch.nn.ModuleDict`, which holds the heads by their names.
_OF_MODULES = frozenset(
    [
        *"add_module apply bfloat16 buffers call_super_init children clear compile cpu cuda double".split(),
        *"eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu items".split(),
        *"keys load_state_dict modules mtia named_buffers named_children named_modules named_parameters".split(),
        *"parameters pop register_backward_hook register_buffer register_forward_hook requires_grad_".split(),
        *"register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook xpu".split(),
        *"register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module zero_grad".split(),
        *"register_parameter register_state_dict_post_hook register_state_dict_pre_hook set_extra_state".split(),
        *"dump_patches set_submodule share_memory state_dict to to_empty train training type update values".split(),
    ]
)
MEASURED = "measured_"  # begins the columns of what is measured, not predicted, in the same tables
SER_FORMAT = 2  # of checkpoints; increased whenever an older one would be read wrongly
IGNORE_INDEX = -100  # a missing class; a missing number is NaN


@dataclass(frozen=True)
class Task:
    """What one head predicts, with the statistics of its target in the training split.

    Args:
        name: name of the head; a lower-case identifier.
        kind: `"classification"` (one of `labels`) or `"regression"` (one number).
        column: column of the prepared data that holds the target.
        labels: class names, in the order of the head's outputs.
        class_weights: weight of each class in the loss, in the order of `labels`; empty for equal weights.
        unit: unit of a regression target, for people.
        temperature: what the logits of a classification were divided by after training, so that their softmax is a
            calibrated probability (Guo et al. 2017). The head's weights hold it already.
        mean, std: of a regression target over the training split; the head predicts `(target - mean) / std`.
        loss: of a regression: `"l2"` on standardized targets (the paper's), or `"ccc"`, one minus Lin's concordance
            correlation over the clips of a batch, which is usual for valence, arousal and dominance. Of a
            classification: `"soft"`, cross entropy with the annotators' shares of the labels instead of one label.
        weight: weight of the task in the total loss.

    Raises:
        ValueError: a field is invalid, or contradicts another.
    """

    name: str
    kind: Literal["classification", "regression"]
    column: str
    labels: tuple[str, ...] = ()
    class_weights: tuple[float, ...] = ()
    temperature: float = 1.0
    unit: str = ""
    mean: float = 0.0
    std: float = 1.0
    loss: Literal["l2", "ccc", "soft"] = "l2"
    weight: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "class_weights", tuple(float(weight) for weight in self.class_weights))
        taken = self.name in RESERVED_NAMES | _OF_MODULES or self.name.startswith(MEASURED)
        if taken or not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"A task's name must be a lower-case identifier that is not reserved, got {self.name!r}.")
        if self.kind not in ("classification", "regression"):
            raise ValueError(f"Task {self.name}: kind must be 'classification' or 'regression', got {self.kind!r}.")
        if self.is_classification and (not self.labels or len(set(self.labels)) < len(self.labels)):
            raise ValueError(f"Task {self.name}: a classification must have distinct labels, got {self.labels}.")
        if self.class_weights and len(self.class_weights) != len(self.labels):
            raise ValueError(
                f"Task {self.name}: class_weights must have one weight for each of the {len(self.labels)} labels, got "
                f"{len(self.class_weights)}."
            )
        if not (math.isfinite(self.mean) and math.isfinite(self.std) and self.std > 0):
            raise ValueError(f"Task {self.name}: mean must be finite and std above 0, got {self.mean} and {self.std}.")
        losses = ("l2", "soft") if self.is_classification else ("l2", "ccc")
        if self.loss not in losses:
            raise ValueError(f"Task {self.name}: loss of a {self.kind} must be one of {losses}, got {self.loss!r}.")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"Task {self.name}: temperature must be above 0, got {self.temperature}.")
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise ValueError(f"Task {self.name}: weight must be 0 or more, got {self.weight}.")

    @property
    def is_classification(self) -> bool:
        return self.kind == "classification"

    @property
    def has_soft_labels(self) -> bool:
        return self.loss == "soft"

    @property
    def num_outputs(self) -> int:
        return len(self.labels) if self.is_classification else 1

    def encode(self, value: str | float | None) -> int | float:
        """The target of one clip: a class index or the number itself, `-100` or NaN if missing."""
        if self.is_classification:
            return self.labels.index(str(value)) if str(value) in self.labels else IGNORE_INDEX
        return math.nan if value is None else float(value)

    def decode(self, logits: Array) -> Array:
        """Logits `(batch, num_outputs)` -> probabilities `(batch, num_outputs)` or values in `unit`, `(batch,)`.

        Float32, as a tensor or, from an array, as an array.
        """
        if isinstance(logits, np.ndarray):
            values = logits.astype(np.float32)
            if not self.is_classification:
                return values[..., 0] * np.float32(self.std) + np.float32(self.mean)
            scores = np.exp(values - values.max(axis=-1, keepdims=True))
            return scores / scores.sum(axis=-1, keepdims=True)
        if self.is_classification:
            return logits.float().softmax(dim=-1)
        return logits.float().squeeze(-1) * self.std + self.mean

    def to_dict(self) -> dict[str, Any]:
        """The task as a dictionary for a JSON file."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    def output_columns(self) -> list[str]:
        """Names of the columns that a table of outputs has for this head."""
        suffixes = ("score", *self.labels) if self.is_classification else ()
        return [self.name, *(f"{self.name}_{suffix}" for suffix in suffixes)]

    def evaluation_columns(self) -> list[str]:
        """Names of the columns that `predictions.csv` of an evaluation has for this head."""
        suffixes = ("predicted", "confidence", *self.labels) if self.is_classification else ("predicted",)
        return [self.name, *(f"{self.name}_{suffix}" for suffix in suffixes)]


def main_task_of(tasks: Sequence[Task]) -> Task:
    """The task that `logits` belong to: `emotion`, or the first one where no task has this name."""
    return next((task for task in tasks if task.name == "emotion"), tasks[0])


def check_column_names(tasks: Sequence[Task]) -> None:
    """Checks that no two values would be written to one column of a table, where one of them would be lost.

    Raises:
        ValueError: two heads, or a head and something else, have a column of the same name.
    """
    for columns_of in (Task.output_columns, Task.evaluation_columns):
        owners: dict[str, str] = dict.fromkeys(RESERVED_NAMES, "another column")
        for task in tasks:
            for column in columns_of(task):
                if column in owners or column.startswith(MEASURED):
                    other = owners.get(column, "another column")
                    raise ValueError(
                        f"Task {task.name} and {other} would both write the column {column!r}: rename the task or the "
                        "class."
                    )
                owners[column] = f"task {task.name}"
