"""Sounds like speech, made by arithmetic, on which networks are compared."""

from __future__ import annotations

import numpy as np

from modeling import SAMPLING_RATE


def synthetic_vowels(random: np.random.Generator, samples: int) -> np.ndarray:
    """Harmonics below two formants, with pitch and loudness that change as in speech.

    Float32 `(samples,)` at 16 kHz.
    """
    seconds = np.arange(samples) / SAMPLING_RATE
    f0 = random.uniform(90, 240) * (1 + 0.2 * np.sin(2 * np.pi * random.uniform(0.3, 1.5) * seconds))
    formants = random.uniform((300, 900), (800, 2400))
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLING_RATE
    waveform = np.zeros(samples)
    for harmonic in range(1, 25):
        distance = (harmonic * f0 - formants[:, None]) / 150
        waveform += np.sin(harmonic * phase) / (1 + distance**2).min(axis=0) / harmonic
    loudness = np.abs(np.sin(2 * np.pi * random.uniform(1, 3) * seconds)) * random.uniform(0.02, 0.3)
    return (loudness * waveform + random.normal(scale=1e-3, size=samples)).astype(np.float32)
