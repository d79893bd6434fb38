"""CNN14's front end: waveform -> log-mel spectrogram, as torchlibrosa computes it and under its names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers.audio_utils import mel_filter_bank

from .configuration_ser import PannsMultiTaskSERConfig

_MIN_POWER = 1e-10


class _Float32Module(nn.Module):
    """A module whose weights stay in float32 where the rest of the model is cast: bfloat16 has 3 digits."""

    def _apply(self, fn: Any, recurse: bool = True) -> Self:
        def moved(tensor: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = fn(tensor)
            return result if result.dtype == tensor.dtype else tensor.to(result.device)

        super()._apply(moved, recurse)
        return self


class FourierFilters(nn.Module):
    """One part, real or imaginary, of a Fourier transform with a periodic Hann window, as a convolution."""

    def __init__(self, window_size: int, hop_size: int, wave: Callable[[np.ndarray], np.ndarray]):
        super().__init__()
        self.hop_size = hop_size
        self.wave = wave
        self.weight = nn.Parameter(torch.empty(window_size // 2 + 1, 1, window_size))

    def filters(self) -> torch.Tensor:
        """The weight as defined: `(bins, 1, window_size)`."""
        bins, _, size = self.weight.shape
        turns = np.outer(np.arange(bins), np.arange(size)) % size / size
        window = np.hanning(size + 1)[:-1]
        return torch.from_numpy(self.wave(2 * np.pi * turns) * window).float().unsqueeze(1)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """`(batch, 1, samples)` -> `(batch, bins, frames)`."""
        return F.conv1d(waveform, self.weight, stride=self.hop_size)


def _negative_sine(angle: np.ndarray) -> np.ndarray:
    negative: np.ndarray = -np.sin(angle)
    return negative


class STFT(nn.Module):
    """Short-time Fourier transform with centered frames."""

    def __init__(self, window_size: int, hop_size: int):
        super().__init__()
        self.margin = window_size // 2
        self.conv_real = FourierFilters(window_size, hop_size, np.cos)
        self.conv_imag = FourierFilters(window_size, hop_size, _negative_sine)

    def forward(self, waveform: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`(batch, samples)` -> real and imaginary part, each `(batch, bins, frames)`."""
        waveform = F.pad(waveform.unsqueeze(1), (self.margin, self.margin), mode="reflect")
        return self.conv_real(waveform), self.conv_imag(waveform)


class Spectrogram(_Float32Module):
    """Power spectrogram."""

    def __init__(self, config: PannsMultiTaskSERConfig):
        super().__init__()
        self.stft = STFT(config.window_size, config.hop_size)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """`(batch, samples)` -> `(batch, frames, bins)`."""
        real, imaginary = self.stft(waveform)
        power: torch.Tensor = real.square() + imaginary.square()
        return power.transpose(1, 2)


class LogmelFilterBank(_Float32Module):
    """Power in mel bands (Slaney's scale and norm) in decibels, from -100 dB on."""

    def __init__(self, config: PannsMultiTaskSERConfig):
        super().__init__()
        self.config = config
        self.melW = nn.Parameter(torch.empty(config.window_size // 2 + 1, config.mel_bins))

    def filters(self) -> torch.Tensor:
        """The weight as defined: `(bins, mel_bins)`."""
        config = self.config
        weights = mel_filter_bank(
            config.window_size // 2 + 1,
            config.mel_bins,
            config.fmin,
            config.fmax,
            config.sampling_rate,
            norm="slaney",
            mel_scale="slaney",
        )
        return torch.from_numpy(weights).float()

    def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """`(batch, frames, bins)` -> `(batch, frames, mel_bins)` in dB."""
        decibels: torch.Tensor = 10 * (spectrogram @ self.melW).clamp(min=_MIN_POWER).log10()
        return decibels


def resample(waveform: torch.Tensor, rate: int, new_rate: int) -> torch.Tensor:
    """Upsamples `(batch, samples)` by zero-padding its spectrum, which adds nothing to its band."""
    if new_rate == rate:
        return waveform
    samples = waveform.shape[1]
    upsampled = samples * new_rate // rate
    spectrum = torch.view_as_real(torch.fft.rfft(waveform))
    if samples % 2 == 0:
        last = spectrum[:, -1:] / 2  # the highest bin stood for both signs of that frequency
        spectrum = torch.cat((spectrum[:, :-1], last), dim=1)
    spectrum = F.pad(spectrum, (0, 0, 0, upsampled // 2 + 1 - spectrum.shape[1]))
    output: torch.Tensor = torch.fft.irfft(torch.view_as_complex(spectrum), n=upsampled) * (upsampled / samples)
    return output
