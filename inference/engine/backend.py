"""The interface of a backend: padded waveforms in, logits of every head out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

# (input_values, attention_mask), both (batch, samples) -> task name to logits (batch, num_outputs)
Forward = Callable[[np.ndarray, np.ndarray], Mapping[str, np.ndarray]]


def pad(waveforms: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Waveforms `(samples,)` as what a `Forward` takes: padded to the longest, and 1 where they hold audio."""
    longest = max(waveform.size for waveform in waveforms)
    input_values = np.zeros((len(waveforms), longest), np.float32)
    attention_mask = np.zeros((len(waveforms), longest), np.int64)
    for row, waveform in enumerate(waveforms):
        input_values[row, : waveform.size] = waveform
        attention_mask[row, : waveform.size] = 1
    return input_values, attention_mask
