"""The level of a recording."""

from __future__ import annotations

import numpy as np

from modeling import SAMPLING_RATE

_SYLLABLE_S = 0.1
_SILENCE_DBFS = -120.0  # the level of digital silence; one step of 16 bits is at -90


def level_dbfs(waveform: np.ndarray) -> float:
    """Root mean square of the loudest 0.1 s in dB re full scale, so that pauses do not lower the level of a clip.

    Args:
        waveform: of shape `(samples,)`, 16 kHz.
    """
    size = min(round(_SYLLABLE_S * SAMPLING_RATE), waveform.size)
    blocks = (waveform - waveform.mean())[: waveform.size // size * size].reshape(-1, size)
    return float(10 * np.log10(max((blocks**2).mean(axis=1).max(), 10 ** (_SILENCE_DBFS / 10))))
