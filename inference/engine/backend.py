"""The interface that every backend implements: padded waveforms in, logits of every head out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from modeling import Task


class ModelConfig(Protocol):
    """Of the configuration of a model, what predictions depend on."""

    @property
    def max_duration_s(self) -> float: ...

    @property
    def main_task(self) -> Task: ...

    def get_tasks(self) -> tuple[Task, ...]: ...


class Backend(Protocol):
    """The network as a function. It cuts waveforms to the model's window itself, as `forward` of the model does."""

    def __call__(self, input_values: np.ndarray, attention_mask: np.ndarray) -> Mapping[str, np.ndarray]:
        """
        Args:
            input_values: mono waveforms at 16 kHz, padded with zeros, float32 of shape `(batch, samples)`.
            attention_mask: 1 where they hold audio, int64 of shape `(batch, samples)`.

        Returns:
            Task name to logits `(batch, num_outputs)`.
        """


def pad(waveforms: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The inputs of a [`Backend`] for waveforms `(samples,)`, which are padded to the longest of them."""
    longest = max(waveform.size for waveform in waveforms)
    input_values = np.zeros((len(waveforms), longest), np.float32)
    attention_mask = np.zeros((len(waveforms), longest), np.int64)
    for row, waveform in enumerate(waveforms):
        input_values[row, : waveform.size] = waveform
        attention_mask[row, : waveform.size] = 1
    return input_values, attention_mask
