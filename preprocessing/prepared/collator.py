"""Rows of the prepared table -> padded batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import SequenceFeatureExtractor

from modeling import Task

from ..stored_audio import stored_waveform
from .rows import ROW


def encode(task: Task, values: Sequence[str | float | None]) -> torch.Tensor:
    """The targets of clips, `(clips,)`: int64 for classes, float32 for numbers, missing ones as by [`Task.encode`]."""
    dtype = torch.int64 if task.is_classification else torch.float32
    return torch.tensor([task.encode(value) for value in values], dtype=dtype)


@dataclass
class SERDataCollator:
    """Decodes, cuts and pads clips, and encodes their labels.

    Args:
        feature_extractor: pads, and returns the attention mask.
        tasks: tasks whose targets to encode.
        max_duration_s: the part of a clip that the model processes, from its beginning.

    Returns from a call:
        `input_values` and `attention_mask` of shape `(batch, samples)`, and `labels`: task name to `(batch,)` as
        [`Task.encode`] gives them, and `row`, the rows of the clips in the prepared table.
    """

    feature_extractor: SequenceFeatureExtractor
    tasks: Sequence[Task]
    max_duration_s: float

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        waveforms = [stored_waveform(row, self.max_duration_s) for row in rows]
        batch = self.feature_extractor(  # type: ignore[operator]  # the base class lacks __call__
            waveforms,
            sampling_rate=self.feature_extractor.sampling_rate,
            padding=True,
            return_attention_mask=True,
            return_tensors="pt",
        )
        labels = {task.name: encode(task, [row[task.column] for row in rows]) for task in self.tasks}
        labels[ROW] = torch.tensor([row[ROW] for row in rows])
        return {**batch, "labels": labels}
