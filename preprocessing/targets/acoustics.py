"""Targets of the auxiliary tasks: fundamental frequency, energy and voiced ratio of what the model processes."""

from __future__ import annotations

import librosa
import numpy as np

from modeling import SAMPLING_RATE

from .pyin import pyin

FRAME_LENGTH = 1024
HOP_LENGTH = 256
# A range for speech. Below it pYIN finds pitch in noise: with 50 Hz, 4 % of the voiced frames of acted speech lie under
# 60 Hz.
FMIN_HZ = 65.0
FMAX_HZ = 600.0
# Column -> unit. FS: samples at full scale are ±1. SD: the clip's samples have a standard deviation of 1.
UNITS = {
    "f0_mean": "Hz",
    "f0_std": "Hz",
    "energy_mean": "FS",
    "energy_std": "FS",
    "voiced_ratio": "",
    "energy_mean_normalized": "SD",
    "energy_std_normalized": "SD",
}
ACOUSTIC_TARGETS = tuple(UNITS)


def acoustic_targets(waveform: np.ndarray) -> dict[str, float | None]:
    """Measures a clip as the paper's auxiliary tasks need it (section 4).

    F0 is pYIN's over voiced frames. Energy is, per frame, the L2 norm of the STFT magnitude as in FastSpeech 2
    (Ren et al. 2020, section 2.3), linear and not in dB, of the waveform as recorded: half the level is half the
    energy, and an offset counts. `energy_…_normalized` is the same of the waveform at zero mean and unit variance,
    where mean² + std² is about the same number for every clip, so that both measure one property: how unevenly the
    energy is distributed over the clip. The voiced ratio is the share of frames that pYIN calls voiced.

    Args:
        waveform: of shape `(samples,)`, mono at 16 kHz, full scale ±1, no longer than what the model processes.

    Returns:
        The columns of `UNITS`, `voiced_ratio` from 0 to 1. F0 is `None` where no frame is voiced, normalized energy
        where all samples are the same.
    """
    energy = _energy(waveform)
    if waveform.min() == waveform.max():
        return {**dict.fromkeys(ACOUSTIC_TARGETS), **energy, "voiced_ratio": 0.0}
    standardized = ((waveform - waveform.mean()) / waveform.std()).astype(np.float32)
    f0, voiced = pyin(
        standardized,
        sr=SAMPLING_RATE,
        fmin=FMIN_HZ,
        fmax=FMAX_HZ,
        frame_length=FRAME_LENGTH,
        hop_length=HOP_LENGTH,
    )
    f0 = f0[voiced]
    return {
        "f0_mean": float(f0.mean()) if f0.size else None,
        "f0_std": float(f0.std()) if f0.size else None,
        **energy,
        "voiced_ratio": float(voiced.mean()),
        **{f"{name}_normalized": value for name, value in _energy(standardized).items()},
    }


def _energy(waveform: np.ndarray) -> dict[str, float]:
    """Mean and standard deviation over frames of the L2 norm of the STFT magnitude."""
    magnitude = np.abs(librosa.stft(waveform, n_fft=FRAME_LENGTH, hop_length=HOP_LENGTH))  # (bins, frames)
    energy = np.linalg.norm(magnitude, axis=0)
    return {"energy_mean": float(energy.mean()), "energy_std": float(energy.std())}
