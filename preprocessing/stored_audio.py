"""The audio of a prepared clip: 16-bit mono FLAC at 16 kHz, and the factor by which it was scaled down to fit."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import soundfile

from modeling import SAMPLING_RATE, load_audio


def encode_waveform(waveform: np.ndarray) -> tuple[bytes, float]:
    """Encodes a waveform for the prepared table.

    16 bits hold ±1. A waveform that exceeds this range (resampling overshoots on loud recordings) is scaled down, never
    clipped.

    Args:
        waveform: of shape `(samples,)`, float32, mono at 16 kHz.

    Returns:
        The FLAC file, and the factor that restores the level, at least 1.
    """
    scale = max(1.0, float(waveform.max()) * 32768 / 32767, float(-waveform.min()))
    encoded = io.BytesIO()
    pcm = np.round(waveform / np.float32(scale) * 32768).astype(np.int16)
    soundfile.write(encoded, pcm, SAMPLING_RATE, format="FLAC", subtype="PCM_16")
    return encoded.getvalue(), scale


def stored_waveform(row: Mapping[str, Any], max_duration_s: float | None = None) -> np.ndarray:
    """The audio of a row of the prepared table, from its beginning, as mono float32 at 16 kHz of shape `(samples,)`."""
    return load_audio(row["audio"]["bytes"], end_s=max_duration_s) * np.float32(row["scale"])
