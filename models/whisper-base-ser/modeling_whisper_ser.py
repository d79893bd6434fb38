"""WhisperForMultiTaskSER: the encoder of Whisper (Radford et al. 2022) with one linear head per task."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import torch
from huggingface_hub.dataclasses import strict
from torch import nn
from torch.nn import functional as F
from transformers import WhisperConfig
from transformers.masking_utils import create_bidirectional_mask
from transformers.modeling_outputs import BaseModelOutput
from transformers.models.whisper.modeling_whisper import WhisperEncoder, WhisperPreTrainedModel
from transformers.utils.generic import merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from .audio_resampling_ser import SAMPLING_RATE
from .configuration_ser import SpeechEncoderConfigMixin
from .feature_extraction_whisper_ser import HOP, WINDOW, WhisperLogMel
from .modeling_encoder_ser import SpeechEncoderMixin

_SIZES = ("tiny", "base", "small", "medium", "large", "large-v2", "large-v3")
_DISTILLED = ("small.en", "medium.en", "large-v2", "large-v3")


@strict
class WhisperMultiTaskSERConfig(SpeechEncoderConfigMixin, WhisperConfig):
    r"""
    Configuration of [`~modeling.WhisperForMultiTaskSER`]: the fields of [`~transformers.WhisperConfig`] that belong to
    its encoder, and those of [`~modeling.configuration_ser.SpeechEncoderConfigMixin`].
    """

    model_type = "whisper_multitask_ser"
    auto_model = "modeling_whisper_ser.WhisperForMultiTaskSER"
    hub_tag = "whisper"
    encoder_name = paper_name = "Whisper"
    weight_licenses = MappingProxyType(
        {
            **{f"openai/whisper-{size}": "Apache-2.0" for size in _SIZES},
            **{f"openai/whisper-{size}.en": "Apache-2.0" for size in _SIZES[:4]},
            "openai/whisper-large-v3-turbo": "MIT",
            **{f"distil-whisper/distil-{size}": "MIT" for size in _DISTILLED},
        }
    )

    is_encoder_decoder: bool = False

    def _check_architecture(self) -> None:
        super()._check_architecture()
        longest = self.max_source_positions * 2 * HOP / SAMPLING_RATE
        if self.max_duration_s > longest:
            raise ValueError(
                f"max_duration_s must be at most {longest:g} s, for which Whisper has positions, got "
                f"{self.max_duration_s}."
            )


class _ClipEncoder(WhisperEncoder):
    """Whisper's encoder on spectrograms of any length up to 30 s, with a mask."""

    @merge_with_config_defaults
    @capture_outputs
    def forward(self, log_mel: torch.Tensor, frame_mask: torch.Tensor, **kwargs: Any) -> BaseModelOutput:
        """`(batch, mel_bins, frames)` and `(batch, frames)` -> outputs of `(frames + 1) // 2` frames.

        Both convolutions pad with zeros: so they have to find zeros behind every clip.
        """
        states = F.gelu(self.conv1(log_mel)) * frame_mask.unsqueeze(1)
        states = F.gelu(self.conv2(states)).transpose(1, 2)
        states = states + self.embed_positions.weight[: states.shape[1]]
        states = F.dropout(states, p=self.dropout, training=self.training)
        attention_mask = create_bidirectional_mask(
            config=self.config, inputs_embeds=states, attention_mask=frame_mask[:, ::2]
        )
        for layer in self.layers:
            states = layer(states, attention_mask, **kwargs)
        return BaseModelOutput(last_hidden_state=self.layer_norm(states))


class WhisperForMultiTaskSER(SpeechEncoderMixin, WhisperPreTrainedModel):
    """
    The encoder of Whisper (tiny to large-v3, turbo, distilled) with one linear head per task.

    It computes on a clip's own length and not on 30 s: the table of positions is cut, attention is masked, and 2 s cost
    2 s. For a clip of 30 s its frames are those of transformers' encoder. A checkpoint's decoder is left out.

    Args:
        config ([`WhisperMultiTaskSERConfig`]): architecture and tasks.
    """

    config: WhisperMultiTaskSERConfig
    config_class = WhisperMultiTaskSERConfig
    main_input_name = "input_values"
    backbone_config_class = WhisperConfig
    encoder_path = "model.encoder"
    layers_path = "layers"
    final_modules = ("layer_norm",)
    feature_encoder = ("conv1", "conv2")
    lora_targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
    frozen_modules = ("model.encoder.embed_positions",)  # sinusoids
    # For ONNX, where its filters are weights: the powers that they sum exceed float16.
    _keep_in_fp32_modules_strict = ("log_mel",)  # type: ignore[assignment]  # transformers takes any collection
    min_samples = WINDOW
    reset_fields = MappingProxyType({"encoder_layerdrop": 0.0})

    def _add_encoder(self, config: Any) -> None:
        self.model = nn.ModuleDict({"encoder": _ClipEncoder(config)})  # the published names, without the decoder
        self.log_mel = WhisperLogMel(config.num_mel_bins)

    def _encode(
        self, waveform: torch.Tensor, mask: torch.Tensor, **kwargs: Any
    ) -> tuple[BaseModelOutput, torch.Tensor]:
        log_mel, frame_mask = self.log_mel(waveform, mask)
        outputs: BaseModelOutput = self.speech_encoder(log_mel.to(self.dtype), frame_mask, **kwargs)
        return outputs, frame_mask[:, ::2]
