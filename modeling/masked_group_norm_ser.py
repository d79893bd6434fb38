"""Group norm over a clip's own frames, for the feature encoders of wav2vec2-base, hubert-base and wavlm-base.

Their first convolution is followed by a group norm with one group per channel, whose statistics are taken over time: in
a batch, over the padding as well. Here they are taken over the frames that lie within the clip.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer


class MaskedGroupNorm(nn.GroupNorm):
    """Group norm over time with one group per channel, as in a clip without padding."""

    def forward(self, hidden_states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """`hidden_states` `(batch, channels, frames)` -> the same shape.

        Args:
            hidden_states: of any floating type. Sums over 19,200 frames are taken in float64: in float32 their errors
                differ with the length of the batch by more than the later layers forgive.
            mask: `(batch, frames)`, 1 at the frames whose statistics count. The others are finite and meaningless.
        """
        weights = mask.unsqueeze(1).float()
        mean = _mean(hidden_states.float() * weights, weights)
        centered = (hidden_states.float() - mean) * weights
        variance = _mean(centered.square(), weights)
        scale = torch.rsqrt(variance + self.eps) * self.weight.float().unsqueeze(1)
        return (centered * scale + self.bias.float().unsqueeze(1)).to(hidden_states.dtype)


def _mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """`(batch, channels, frames)`, 0 where `weights` `(batch, 1, frames)` are -> `(batch, channels, 1)` in float32."""
    precision = torch.float32 if values.device.type == "mps" else torch.float64  # which Apple's GPUs lack
    total = values.sum(dim=2, keepdim=True, dtype=precision)
    return (total / weights.sum(dim=2, keepdim=True)).float()


class MaskedGroupNormConvLayer(GradientCheckpointingLayer):
    """The first layer of a group-norm feature encoder, under the names that it has in transformers.

    Args:
        layer: transformers' layer, whose modules this one takes over.
    """

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.conv = cast(nn.Conv1d, layer.conv)
        self.activation = cast(nn.Module, layer.activation)
        norm = cast(nn.GroupNorm, layer.layer_norm)
        if norm.num_groups != norm.num_channels:
            raise ValueError(f"The group norm must have a group per channel, got {norm.num_groups} groups.")
        self.layer_norm = MaskedGroupNorm(norm.num_groups, norm.num_channels, eps=norm.eps)

    def forward(self, waveform_and_mask: torch.Tensor) -> torch.Tensor:
        """`(batch, 1, 2, samples)`, made by [`with_mask`] -> `(batch, channels, frames)`."""
        hidden_states = self.conv(waveform_and_mask[:, :, 0])
        samples = waveform_and_mask[:, 0, 1].float().sum(dim=1, keepdim=True)
        own = torch.div(samples - self.conv.kernel_size[0], self.conv.stride[0], rounding_mode="floor") + 1
        frames = torch.arange(hidden_states.shape[2], device=hidden_states.device)
        output: torch.Tensor = self.activation(self.layer_norm(hidden_states, frames < own))
        return output


def with_mask(input_values: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """What a feature encoder takes after [`mask_group_norm`]: `(batch, 2, samples)`, the waveform and its mask.

    Transformers' models pass their input to the feature encoder as it is, without a mask.

    Args:
        input_values: `(batch, samples)`.
        attention_mask: `(batch, samples)`, 1 at the clip's samples.
    """
    return torch.stack((input_values, attention_mask.to(input_values.dtype)), dim=1)


def mask_group_norm(encoder: Any) -> None:
    """Replaces the first layer of the group-norm feature encoder of a transformers model."""
    layers = encoder.feature_extractor.conv_layers
    layers[0] = MaskedGroupNormConvLayer(layers[0])
