"""What the encoders on waveforms share, wav2vec 2.0 and others: convolutions on standardized clips, SpecAugment."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from transformers.modeling_outputs import BaseModelOutput

from .configuration_ser import SpeechEncoderConfigMixin
from .masked_group_norm_ser import mask_group_norm, with_mask
from .modeling_encoder_ser import SpeechEncoderMixin


@dataclass(repr=False, eq=False, kw_only=True)
class SpecAugmentConfigMixin(SpeechEncoderConfigMixin):
    """Configuration of an encoder that can drop layers and mask spans of its input, before the encoder's own."""

    # A model for a handful of sentences per speaker has no use for the two that wav2vec 2.0 switches on by default.
    layerdrop: float | int = 0.0
    mask_time_prob: float | int = 0.0

    def _check_architecture(self) -> None:
        super()._check_architecture()
        if self.add_adapter:
            raise ValueError("add_adapter=True is not supported: the heads pool the transformer's own frames.")
        if self.layer_weights and self.layerdrop:
            raise ValueError("layerdrop must be 0 with layer_weights: a layer that is skipped has no output to sum.")


@dataclass(repr=False, eq=False, kw_only=True)
class WaveformEncoderConfigMixin(SpecAugmentConfigMixin):
    """Configuration of an encoder on waveforms, before the encoder's own configuration."""

    standardizes_input = True

    feat_extract_norm: str = "layer"


class SpecAugmentMixin(SpeechEncoderMixin):
    """An encoder that can drop layers and mask spans of its input in training; both are off by default."""

    training_options = (*SpeechEncoderMixin.training_options, "layerdrop", "mask_time_prob")
    reset_fields = MappingProxyType({"layerdrop": 0.0, "mask_time_prob": 0.0, "mask_feature_prob": 0.0})

    @classmethod
    def _is_backbone_weight(cls, key: str, config: Any) -> bool:
        # Every checkpoint holds SpecAugment's vector; a model has it only where SpecAugment is on.
        unused = not config.mask_time_prob and key.endswith(".masked_spec_embed")
        return not unused and super()._is_backbone_weight(key, config)

    def _count_frames(self, samples: int) -> int:
        """Frames that the encoder computes of so many samples."""
        raise NotImplementedError

    def _mask_for_short_clips(self, waveform: torch.Tensor) -> torch.Tensor | None:
        """An empty SpecAugment mask where a batch is shorter than one masked span, which transformers rejects."""
        if not (self.speech_encoder.training and self.config.mask_time_prob):
            return None
        frames = self._count_frames(waveform.shape[1])
        if frames >= self.config.mask_time_length:
            return None
        return torch.zeros(waveform.shape[0], frames, dtype=torch.bool, device=waveform.device)


class WaveformEncoderMixin(SpecAugmentMixin):
    """An encoder whose input are standardized waveforms, such as [`~transformers.Wav2Vec2Model`]."""

    feature_encoder = ("feature_extractor",)
    lora_targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "out_proj", "intermediate_dense", "output_dense")
    # Of the family's PreTrainedModel.
    _get_feat_extract_output_lengths: Any
    _get_feature_vector_attention_mask: Any

    def __init__(self, config: Any):
        super().__init__(config)
        self.min_samples = receptive_field(config.conv_kernel, config.conv_stride)

    def _add_encoder(self, config: Any) -> None:
        super()._add_encoder(config)
        if config.feat_extract_norm == "group":
            mask_group_norm(self.speech_encoder)

    def _count_frames(self, samples: int) -> int:
        return int(self._get_feat_extract_output_lengths(samples))

    @property
    def final_modules(self) -> tuple[str, ...]:
        """The last norm of encoders that normalize before each layer; the others have it before their layers."""
        return ("encoder.layer_norm",) if self.config.do_stable_layer_norm else ()

    def _encode(
        self, waveform: torch.Tensor, mask: torch.Tensor, **kwargs: Any
    ) -> tuple[BaseModelOutput, torch.Tensor]:
        input_values = waveform.to(self.dtype)
        outputs: BaseModelOutput = self.speech_encoder(
            with_mask(input_values, mask) if self.config.feat_extract_norm == "group" else input_values,
            attention_mask=mask,
            mask_time_indices=self._mask_for_short_clips(waveform),
            **kwargs,
        )
        states: Any = outputs.last_hidden_state
        frame_mask: torch.Tensor = self._get_feature_vector_attention_mask(states.shape[1], mask)
        return outputs, frame_mask


def receptive_field(kernels: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Samples that one frame of the feature encoder depends on: 400 for every published backbone."""
    samples, stride = 1, 1
    for kernel, step in zip(kernels, strides, strict=True):
        samples += (kernel - 1) * stride
        stride *= step
    return samples
