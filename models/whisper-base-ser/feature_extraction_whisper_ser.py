"""Whisper's front end: waveform -> log-mel spectrogram, as [`~transformers.WhisperFeatureExtractor`] computes it."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers.audio_utils import mel_filter_bank

from .audio_resampling_ser import SAMPLING_RATE

WINDOW = 400  # samples
HOP = 160


class WhisperLogMel(nn.Module):
    """The log-mel spectrogram of each clip of a batch, equal to that of the clip alone.

    For a clip it is `WhisperFeatureExtractor(clip, padding="do_not_pad")`: one frame per 160 samples, the clip
    reflected at both of its ends, and a floor at 8 below the clip's own maximum. It computes in float32 whatever the
    rest computes in, has no parameters, and adds nothing to a checkpoint.
    """

    def __init__(self, mel_bins: int):
        super().__init__()
        turns = np.outer(np.arange(WINDOW // 2 + 1), np.arange(WINDOW)) % WINDOW / WINDOW
        window = np.hanning(WINDOW + 1)[:-1]
        parts = np.concatenate([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)]) * window
        mel = mel_filter_bank(
            WINDOW // 2 + 1, mel_bins, 0.0, SAMPLING_RATE / 2, SAMPLING_RATE, norm="slaney", mel_scale="slaney"
        )
        # Not buffers: they are neither saved, nor cast to bfloat16, nor lost where a model is built on the meta device.
        self.fourier_filters = torch.from_numpy(parts).float().unsqueeze(1)
        self.mel_filters = torch.from_numpy(mel).float()

    def forward(self, waveform: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Waveforms and mask `(batch, samples)` -> `(batch, mel_bins, frames)` and frame mask `(batch, frames)`.

        Behind a clip's frames the spectrogram is 0, which is what Whisper's convolutions pad with.
        """
        with torch.no_grad(), torch.autocast(waveform.device.type, enabled=False):
            samples = mask.sum(dim=1, keepdim=True)
            frames = waveform.shape[1] // HOP
            frame_mask = torch.arange(frames, device=mask.device) < samples // HOP
            spectrum = F.conv1d(
                _reflect(waveform, samples).unsqueeze(1), self.fourier_filters.to(waveform.device), stride=HOP
            )[:, :, :frames]
            real, imaginary = spectrum.square().chunk(2, dim=1)
            power = (real + imaginary).transpose(1, 2) @ self.mel_filters.to(waveform.device)
            log = power.clamp(min=1e-10).log10().masked_fill(~frame_mask.unsqueeze(-1), -10.0)
            log = torch.maximum(log, log.amax(dim=(1, 2), keepdim=True) - 8.0)
            log = ((log + 4.0) / 4.0).masked_fill(~frame_mask.unsqueeze(-1), 0.0)
        return log.transpose(1, 2), frame_mask


def _reflect(waveform: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
    """Each clip `(batch, samples)` with half a window more on either side, mirrored at the clip's own ends."""
    position = torch.arange(-(WINDOW // 2), waveform.shape[1] + WINDOW // 2, device=waveform.device).abs()
    index = torch.where(position < samples, position, 2 * (samples - 1) - position).clamp(min=0)
    return waveform.gather(1, index)
