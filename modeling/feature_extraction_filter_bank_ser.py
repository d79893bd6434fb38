"""w2v-BERT 2.0's front end: waveform -> Kaldi filter banks, as `SeamlessM4TFeatureExtractor` computes them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from transformers.audio_utils import mel_filter_bank, window_function

from .audio_resampling_ser import SAMPLING_RATE

_WINDOW, _HOP, _FFT, _BANDS = 400, 160, 512, 80
_STRIDE = 2  # frames that are stacked to one
_PREEMPHASIS = 0.97
_SCALE = 2.0**15  # Kaldi takes 16-bit integers
_MIN_POWER = 1.192092955078125e-07  # float32's epsilon, as in Kaldi
_EPSILON = 1e-7  # of the variance
MIN_SAMPLES = _WINDOW + (_STRIDE - 1) * _HOP  # below, there is nothing to stack, and no variance over time


class FilterBank(nn.Module):
    """Logarithm of the power in 80 mel bands every 10 ms, normalized per clip and band, in pairs of frames.

    Subtracting a frame's mean, preemphasis, the window and the Fourier transform are linear: one matrix does all. It
    computes in float64, as numpy does, because quiet bands of short clips are divided by small deviations. It has no
    parameters, and adds nothing to a checkpoint.
    """

    def __init__(self) -> None:
        super().__init__()
        # Not buffers: they are neither saved, nor cast to bfloat16, nor lost where a model is built on the meta device.
        self.fourier_filters = fourier_filters()
        self.mel_bands = mel_bands()

    def forward(self, waveform: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features of clips that hold at least `MIN_SAMPLES`.

        Args:
            waveform: `(batch, samples)` at 16 kHz, 0 in the padding.
            mask: `(batch, samples)`, 1 at the clip's samples, which come first.

        Returns:
            `(batch, steps, 160)` in float32, 0 in the padding, and the mask of the steps, `(batch, steps)`. A last
            frame without a partner counts in the normalization and is then left out.
        """
        with torch.no_grad(), torch.autocast(waveform.device.type, enabled=False):
            # Apple's GPUs lack float64.
            log_power = self._log_power(waveform.float() if waveform.device.type == "mps" else waveform.double())
            frames = torch.div(mask.sum(dim=1, keepdim=True) - _WINDOW, _HOP, rounding_mode="floor") + 1
            features = _normalize(log_power, torch.arange(log_power.shape[1], device=mask.device) < frames)
            steps = count_steps(waveform.shape[1])
            features = features[:, : steps * _STRIDE].reshape(-1, steps, _STRIDE * _BANDS)
            inside = torch.arange(steps, device=mask.device) < torch.div(frames, _STRIDE, rounding_mode="floor")
        return (features * inside.unsqueeze(2)).float(), inside

    def _log_power(self, waveform: torch.Tensor) -> torch.Tensor:
        """`(batch, samples)` -> `(batch, frames, bands)`."""
        parts = (waveform.unfold(1, _WINDOW, _HOP) @ self.fourier_filters.to(waveform)).square()
        real, imaginary = parts.chunk(2, dim=2)
        return ((real + imaginary) @ self.mel_bands.to(waveform)).clamp(min=_MIN_POWER).log()


def count_steps(samples: int) -> int:
    """Steps that [`FilterBank`] computes of so many samples."""
    return ((samples - _WINDOW) // _HOP + 1) // _STRIDE


def _normalize(log_power: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """Zero mean and unit variance per band over the clip's own frames; both `(batch, frames, …)`.

    The first frame is subtracted before: a band that never changes, as in digital silence, is then 0, where the
    rounding of its mean would be divided by the root of `_EPSILON`.
    """
    weights = inside.unsqueeze(2).to(log_power.dtype)
    frames = weights.sum(dim=1, keepdim=True)
    shifted = (log_power - log_power[:, 0].unsqueeze(1)) * weights
    centered = (shifted - shifted.sum(dim=1, keepdim=True) / frames) * weights
    variance = centered.square().sum(dim=1, keepdim=True) / (frames - 1)
    return centered * torch.rsqrt(variance + _EPSILON)


def fourier_filters() -> torch.Tensor:
    """Real and imaginary part of each frequency as filters of the samples of a frame: `(400, 514)`."""
    frequencies = np.arange(_FFT // 2 + 1)
    angles = 2 * np.pi * (np.outer(frequencies, np.arange(_WINDOW)) % _FFT) / _FFT
    waves = np.concatenate((np.cos(angles), -np.sin(angles))) * window_function(_WINDOW, "povey", periodic=False)
    preemphasis = np.eye(_WINDOW) - _PREEMPHASIS * np.eye(_WINDOW, k=-1)
    preemphasis[0, 0] = 1 - _PREEMPHASIS
    without_mean = np.eye(_WINDOW) - 1 / _WINDOW
    return torch.from_numpy(_SCALE * (waves @ preemphasis @ without_mean).T)


def mel_bands() -> torch.Tensor:
    """Weights of the frequencies in each band, on Kaldi's mel scale: `(257, 80)`."""
    bands = mel_filter_bank(
        num_frequency_bins=_FFT // 2 + 1,
        num_mel_filters=_BANDS,
        min_frequency=20,
        max_frequency=SAMPLING_RATE // 2,
        sampling_rate=SAMPLING_RATE,
        norm=None,
        mel_scale="kaldi",
        triangularize_in_mel_space=True,
    )
    return torch.from_numpy(bands)
