"""Wav2Vec2ForMultiTaskSER: a wav2vec 2.0 backbone, mean pooling over time, one linear head per task (Sharma 2022)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoConfig, Wav2Vec2Config, Wav2Vec2Model, Wav2Vec2PreTrainedModel
from transformers.modeling_outputs import Wav2Vec2BaseModelOutput
from transformers.utils.generic import can_return_tuple

from .audio_resampling_ser import SAMPLING_RATE
from .configuration_ser import Wav2Vec2MultiTaskSERConfig
from .modeling_base_ser import MultiTaskSERMixin, read_config_file
from .modeling_heads_ser import MultiTaskHeads, MultiTaskSEROutput, masked_mean
from .tasks_ser import Task


class Wav2Vec2ForMultiTaskSER(MultiTaskSERMixin, Wav2Vec2PreTrainedModel):
    """
    Wav2vec 2.0 with masked mean pooling and one linear head per task, for speech emotion recognition.

    The model itself cuts a clip to `config.max_duration_s`, standardizes it to zero mean and unit variance and pads
    it, so that a clip's output does not depend on the padding or the level of the array in which it arrives.

    Args:
        config ([`Wav2Vec2MultiTaskSERConfig`]): architecture and tasks.
    """

    config: Wav2Vec2MultiTaskSERConfig
    config_class = Wav2Vec2MultiTaskSERConfig
    training_options: tuple[str, ...] = ("padding", "layerdrop", "mask_time_prob")
    lora_targets = ("q_proj", "k_proj", "v_proj", "out_proj", "intermediate_dense", "output_dense")
    encoder_path = "wav2vec2"
    layers_path = "encoder.layers"

    def __init__(self, config: Wav2Vec2MultiTaskSERConfig):
        if not config.tasks:
            raise ValueError("The config has no tasks. Call `from_backbone` to start from a backbone.")
        super().__init__(config)
        self.wav2vec2 = Wav2Vec2Model(config)
        self.heads = MultiTaskHeads(config.pooled_size, config.get_tasks())
        self.max_samples = round(config.max_duration_s * SAMPLING_RATE)
        self.min_samples = receptive_field(config)
        self.post_init()

    @classmethod
    def from_config_file(
        cls,
        path: str | os.PathLike[str],
        tasks: Sequence[Task],
        *,
        max_duration_s: float = 6.0,
        padding: str = "masked",
        layerdrop: float = 0.0,
        mask_time_prob: float = 0.0,
    ) -> Wav2Vec2ForMultiTaskSER:
        """A model with random weights.

        Args:
            path: JSON file of a [`~transformers.Wav2Vec2Config`].
            tasks, max_duration_s, padding, layerdrop, mask_time_prob: see `from_backbone`.

        Raises:
            ValueError: the file configures another network, or a backbone that is not supported.
        """
        backbone = Wav2Vec2Config(**read_config_file(path, Wav2Vec2Config.model_type))
        options = {"padding": padding, "layerdrop": layerdrop, "mask_time_prob": mask_time_prob}
        return cls(cls.config_from_backbone(backbone, tasks, max_duration_s=max_duration_s, **options))

    @classmethod
    def from_backbone(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        tasks: Sequence[Task],
        *,
        max_duration_s: float = 6.0,
        padding: str = "masked",
        layerdrop: float = 0.0,
        mask_time_prob: float = 0.0,
        revision: str = "main",
        dtype: torch.dtype | str = torch.float32,
        **kwargs: Any,
    ) -> Wav2Vec2ForMultiTaskSER:
        """Puts new heads on a pre-trained wav2vec 2.0 backbone and logs which weights are new.

        Args:
            pretrained_model_name_or_path: Hub id or folder of a layer-norm checkpoint of the wav2vec 2.0 family
                (XLSR-53, XLS-R, MMS, lv60), with or without a pre-training or CTC head.
            tasks: what the heads predict.
            max_duration_s, padding: see [`Wav2Vec2MultiTaskSERConfig`].
            layerdrop, mask_time_prob: regularization by dropping layers and by SpecAugment, both off by default.
            revision: branch, tag or commit of a Hub repository.
            dtype: of the weights, new heads included.
            kwargs: further arguments of [`~transformers.PreTrainedModel.from_pretrained`].

        Raises:
            ValueError: the checkpoint is of another architecture, has a group-norm backbone, or lacks a weight.
        """
        backbone = AutoConfig.from_pretrained(pretrained_model_name_or_path, revision=revision, trust_remote_code=False)
        if type(backbone) is not Wav2Vec2Config:
            raise ValueError(
                f"{pretrained_model_name_or_path} has model_type {backbone.model_type!r}; a backbone must have "
                "'wav2vec2' (XLSR-53, XLS-R, MMS, wav2vec2-large-lv60)."
            )
        options = {"padding": padding, "layerdrop": layerdrop, "mask_time_prob": mask_time_prob}
        config = cls.config_from_backbone(backbone, tasks, max_duration_s=max_duration_s, **options)
        # Every checkpoint holds SpecAugment's vector; a model has it only where SpecAugment is on.
        unused = () if config.mask_time_prob else ("wav2vec2.masked_spec_embed",)
        model: Wav2Vec2ForMultiTaskSER = cls._load_backbone(
            pretrained_model_name_or_path,
            config,
            lambda key: key.startswith("wav2vec2.") and key not in unused,
            revision=revision,
            dtype=dtype,
            **kwargs,
        )
        return model

    @classmethod
    def config_from_backbone(
        cls, backbone: Wav2Vec2Config, tasks: Sequence[Task], **overrides: Any
    ) -> Wav2Vec2MultiTaskSERConfig:
        """The configuration of a model with this backbone and these tasks; `overrides` replace single fields."""
        fields = backbone.to_dict()
        for key in ("architectures", "model_type", "transformers_version", "id2label", "label2id", "dtype"):
            fields.pop(key, None)
        fields.pop("gradient_checkpointing", None)  # old configs carry it, and it would switch checkpointing on
        fields.update(overrides, tasks=[task.to_dict() for task in tasks])
        return cls.config_class(**fields)

    @property
    def layers(self) -> nn.ModuleList:
        """The encoder's transformer layers."""
        return self.wav2vec2.encoder.layers

    @property
    def final_modules(self) -> tuple[str, ...]:
        """Names, in the encoder, of the modules after its layers."""
        return ("encoder.layer_norm",) if self.config.do_stable_layer_norm else ()

    def layer_numbers(self) -> dict[str, int | None]:
        """As in [`~modeling.modeling_base_ser.MultiTaskSERMixin`]."""
        prefix = f"{self.encoder_path}."
        numbers: dict[str, int | None] = {
            name: 0 if name.startswith(prefix) else None for name, _ in self.named_parameters()
        }
        places = {f"{prefix}{self.layers_path}.{index}.": index + 1 for index in range(len(self.layers))}
        places |= {f"{prefix}{name}.": len(self.layers) for name in self.final_modules}
        for place, number in places.items():
            numbers |= {name: number for name in numbers if name.startswith(place)}
        return numbers

    def freeze_feature_encoder(self) -> None:
        """Freezes the convolutional feature encoder, as the paper does (section 4)."""
        self.wav2vec2.freeze_feature_encoder()

    @can_return_tuple
    def forward(
        self,
        input_values: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        labels: Mapping[str, torch.Tensor] | None = None,
        num_items_in_batch: Mapping[str, torch.Tensor | int] | None = None,
        **kwargs: Any,
    ) -> MultiTaskSEROutput:
        """
        Args:
            input_values (`torch.Tensor` of shape `(batch_size, samples)`):
                Waveforms at 16 kHz, at any level.
            attention_mask (`torch.Tensor` of shape `(batch_size, samples)`, *optional*):
                1 where `input_values` hold audio, 0 where they are padding; all audio by default.
            labels (`Mapping[str, torch.Tensor]`, *optional*):
                Task name to `(batch_size,)` targets: class indices (int64, -100 if missing), or numbers in the task's
                unit (float32, NaN if missing).
            num_items_in_batch (`Mapping[str, torch.Tensor]`, *optional*):
                Labeled clips of the effective batch, as in [`~modeling.modeling_heads_ser.multi_task_loss`].
            kwargs: further arguments of [`~transformers.Wav2Vec2Model.forward`].
        """
        input_values, attention_mask = self._prepare_input(input_values, attention_mask)
        outputs = self._encode(input_values, attention_mask, **kwargs)
        frames = self._frames(outputs)
        frame_mask = None
        if attention_mask is not None:
            long_mask = cast(torch.LongTensor, attention_mask)
            frame_mask = self._get_feature_vector_attention_mask(frames.shape[1], long_mask)
        return self._build_output(
            masked_mean(frames, frame_mask),
            labels,
            num_items_in_batch,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )

    def _encode(
        self, input_values: torch.Tensor, attention_mask: torch.Tensor | None, **kwargs: Any
    ) -> Wav2Vec2BaseModelOutput:
        masked = self._mask_for_short_clips(input_values)
        outputs: Wav2Vec2BaseModelOutput = self.wav2vec2(
            input_values, attention_mask=attention_mask, mask_time_indices=masked, **kwargs
        )
        return outputs

    def _frames(self, outputs: Wav2Vec2BaseModelOutput) -> torch.Tensor:
        """The frames that are averaged over time: `(batch, frames, pooled_size)`."""
        return cast(torch.Tensor, outputs.last_hidden_state)

    def _prepare_input(
        self, input_values: torch.Tensor, attention_mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Cuts to the clip length, standardizes each clip over its own samples, and pads: both `(batch, samples)`."""
        waveform, mask = self._cut(input_values, attention_mask)
        samples = mask.sum(dim=1, keepdim=True).clamp(min=1)
        mean = (waveform * mask).sum(dim=1, keepdim=True) / samples
        centered = (waveform - mean) * mask
        variance = centered.square().sum(dim=1, keepdim=True) / samples
        waveform = centered * torch.rsqrt(variance + 1e-7)  # the epsilon of Wav2Vec2FeatureExtractor
        shortest = self.max_samples if self.config.padding == "paper" else self.min_samples
        missing = max(0, shortest - waveform.shape[1])
        waveform = F.pad(waveform, (0, missing)).to(self.dtype)
        if self.config.padding == "paper":
            return waveform, None
        mask = F.pad(mask, (0, missing)).long()
        # Below the receptive field, transformers' frame mask wraps around (no upstream issue found).
        mask[:, : self.min_samples] = 1
        return waveform, mask

    def _mask_for_short_clips(self, input_values: torch.Tensor) -> torch.Tensor | None:
        """An empty SpecAugment mask where a batch is shorter than one masked span, which transformers rejects."""
        if not (self.training and self.config.mask_time_prob):
            return None
        frames = int(self._get_feat_extract_output_lengths(input_values.shape[1]))
        if frames >= self.config.mask_time_length:
            return None
        return torch.zeros(input_values.shape[0], frames, dtype=torch.bool, device=input_values.device)


def receptive_field(config: Wav2Vec2Config) -> int:
    """Samples that one frame of the convolutional feature encoder depends on: 400 for every published backbone."""
    samples, stride = 1, 1
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        samples += (kernel - 1) * stride
        stride *= step
    return samples
