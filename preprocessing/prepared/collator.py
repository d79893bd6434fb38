"""Rows of the prepared table -> padded batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import SequenceFeatureExtractor

from modeling import SAMPLING_RATE, Task

from ..stored_audio import stored_waveform
from ..targets.acoustics import ACOUSTIC_TARGETS
from .rows import ROW
from .task_values import encode, target_columns

Row = Mapping[str, Any]  # of the prepared table


@dataclass
class SERDataCollator:
    """Decodes, cuts and pads clips, and encodes their labels.

    Args:
        feature_extractor: pads, and returns the attention mask.
        tasks: tasks whose targets to encode.
        max_duration_s: the part of a clip that the model processes, from its beginning.
        transform: changes a clip: its row and its waveform `(samples,)`, of at most `max_duration_s`, to those of the
            changed clip. What exceeds `max_duration_s` afterwards is cut off, and the acoustic targets of such a clip
            are missing.

    Returns from a call:
        `input_values` and `attention_mask` of shape `(batch, samples)`, and `labels`: task name to `(batch,)`, of soft
        labels `(batch, labels)`, as [`encode`] gives them, and `row`, the rows of the clips in the prepared table.
    """

    feature_extractor: SequenceFeatureExtractor
    tasks: Sequence[Task]
    max_duration_s: float
    transform: Callable[[Row, np.ndarray], tuple[Row, np.ndarray]] | None = None

    def __call__(self, rows: Sequence[Row]) -> dict[str, Any]:
        rows, waveforms = zip(*map(self._load, rows), strict=True)
        batch = self.feature_extractor(  # type: ignore[operator]  # the base class lacks __call__
            list(waveforms),
            sampling_rate=self.feature_extractor.sampling_rate,
            padding=True,
            return_attention_mask=True,
            return_tensors="pt",
        )
        labels = {
            task.name: encode(task, {name: [row[name] for row in rows] for name in target_columns(task, rows[0])})
            for task in self.tasks
        }
        labels[ROW] = torch.tensor([row[ROW] for row in rows])
        return {**batch, "labels": labels}

    def _load(self, row: Row) -> tuple[Row, np.ndarray]:
        waveform = stored_waveform(row, self.max_duration_s)
        if self.transform is None:
            return row, waveform
        row, waveform = self.transform(row, waveform)
        num_samples = round(self.max_duration_s * SAMPLING_RATE)
        if waveform.size > num_samples:
            row = {**row, **dict.fromkeys(ACOUSTIC_TARGETS)}
        return row, waveform[:num_samples]
