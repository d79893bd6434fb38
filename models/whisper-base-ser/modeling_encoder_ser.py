"""What the models on a transformer speech encoder share: input, choice of layers, pooling over time, freezing.

A family of encoders is a file `modeling_FAMILY_ser.py` with a configuration, which takes
[`~modeling.configuration_ser.SpeechEncoderConfigMixin`], and a model, which takes [`SpeechEncoderMixin`] and adds what
is particular to its encoder: `_encode`, and the names of its parts.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, Self, cast

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoConfig, PreTrainedConfig
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils.generic import can_return_tuple

from .audio_resampling_ser import SAMPLING_RATE
from .modeling_base_ser import MultiTaskSERMixin, read_config_file
from .modeling_heads_ser import AttentiveStatisticsPooling, MultiTaskHeads, MultiTaskSEROutput, masked_mean
from .tasks_ser import Task

FREEZABLE = ("none", "feature_encoder", "encoder")  # or the number of the lowest layers


class LayerSum(nn.Module):
    """Weighted mean of layers, with the absolute values of learned weights, which start at 1 (Pepino et al. 2021)."""

    def __init__(self, layers: int):
        super().__init__()
        self.weights = nn.Parameter(torch.ones(layers))

    def forward(self, states: Sequence[torch.Tensor]) -> torch.Tensor:
        """`layers` tensors `(batch, frames, features)` -> one of the same shape."""
        weights = self.weights.abs() / self.weights.abs().sum()
        terms = (weight * state for weight, state in zip(weights, states, strict=True))
        output: torch.Tensor = reduce(torch.add, terms)
        return output.to(states[0].dtype)


class SpeechEncoderMixin(MultiTaskSERMixin):
    """
    A transformer speech encoder, pooling over time, and one linear head per task.

    It comes before the [`~transformers.PreTrainedModel`] of its family, whose encoder stands at `encoder_path` under
    the published names, so that a published checkpoint loads as it is.

    The model itself cuts a clip to `config.max_duration_s` and masks its padding, so that a clip's output does not
    depend on the batch. What is pooled are the frames after the encoder's last layer and final norm. A configuration
    may keep fewer layers than were trained (`num_layers` of `from_backbone`): the frames after the last one that is
    kept then go through the encoder's final norm. With `config.layer_weights` a learned weighted mean replaces them, of
    the input of the first layer and of the output of each layer, the last one after the final norm.

    Attributes:
        backbone_config_class: transformers' configuration of the encoder; its `model_type` is the architecture's name.
        encoder_class: the encoder itself.
        encoder_path: name of the encoder in the model.
        layers_path, feature_encoder, final_modules: names in the encoder of its list of layers, of the modules of the
            feature encoder, and of those that come after the layers.
        min_samples: samples that the encoder needs for one frame.
        reset_fields: fields of a backbone's configuration that a model starts with other values of.
    """

    backbone_config_class: type[PreTrainedConfig]
    encoder_class: Any
    encoder_path: str
    layers_path: str = "encoder.layers"
    feature_encoder: tuple[str, ...] = ()
    reset_fields: Mapping[str, Any] = {}
    min_samples: int
    training_options: tuple[str, ...] = ("padding", "num_layers", "layer_weights", "dense_layers", "pooling")
    # What a backbone's configuration holds besides its encoder. Old ones have a `gradient_checkpointing` that would
    # switch it on.
    _not_of_encoder = (
        *("architectures", "model_type", "transformers_version", "id2label", "label2id", "dtype"),
        *("gradient_checkpointing", "is_encoder_decoder", "auto_map", "custom_pipelines"),
    )

    def __init__(self, config: Any):
        if not config.tasks:
            raise ValueError("The config has no tasks. Call `from_backbone` to start from a backbone.")
        super().__init__(config)
        self._add_encoder(config)
        if config.layer_weights:
            self.layer_sum = LayerSum(config.num_hidden_layers + 1)
        width = config.hidden_size
        if config.dense_layers:
            self.dense = _dense(width, config.dense_layers, config.dense_dropout)
            width = config.dense_layers[-1]
        if config.pooling == "attentive_statistics":
            self.attention_pooling = AttentiveStatisticsPooling(width)
        self.heads = MultiTaskHeads(config.pooled_size, config.get_tasks())
        self.max_samples = round(config.max_duration_s * SAMPLING_RATE)
        self._kept_in_evaluation: list[nn.Module] = []
        self._trained_layers: list[nn.Module] = []
        self.post_init()
        self._freeze()

    def _add_encoder(self, config: Any) -> None:
        setattr(self, self.encoder_path, self.encoder_class(config))

    @property
    def speech_encoder(self) -> Any:  # a module of the family
        """The encoder without pooling and heads."""
        return self.get_submodule(self.encoder_path)

    @property
    def layers(self) -> nn.ModuleList:
        """The encoder's transformer layers, the lowest first."""
        return cast(nn.ModuleList, self.speech_encoder.get_submodule(self.layers_path))

    @property
    def final_modules(self) -> tuple[str, ...]:
        """Names, in the encoder, of the modules after its layers."""
        return ()

    def layer_numbers(self) -> dict[str, int | None]:
        """As in [`~modeling.modeling_base_ser.MultiTaskSERMixin`]."""
        encoder, top = f"{self.encoder_path}.", len(self.layers)
        numbers = {name: 0 if name.startswith(encoder) else None for name, _ in self.named_parameters()}
        places = {f"{encoder}{self.layers_path}.{index}.": index + 1 for index in range(top)}
        places |= {f"{encoder}{name}.": top for name in self.final_modules}
        for place, number in places.items():
            numbers |= {name: number for name in numbers if name.startswith(place)}
        return numbers

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, LayerSum):
            init.ones_(module.weights)

    # ---- building ----------------------------------------------------------------------------------------------

    @classmethod
    def from_config_file(
        cls, path: str | os.PathLike[str], tasks: Sequence[Task], *, num_layers: int | None = None, **fields: Any
    ) -> Self:
        """A model with random weights.

        Args:
            path: JSON file of the encoder's configuration in transformers.
            tasks, num_layers, fields: see `from_backbone`.

        Raises:
            ValueError: the file configures another network, or a backbone that is not supported.
        """
        backbone = cls.backbone_config_class(**read_config_file(path, cls.backbone_config_class.model_type))
        return cls(cls.config_from_backbone(backbone, tasks, num_layers=num_layers, **fields))

    @classmethod
    def from_backbone(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        tasks: Sequence[Task],
        *,
        num_layers: int | None = None,
        revision: str = "main",
        dtype: torch.dtype | str = torch.float32,
        **fields: Any,
    ) -> Self:
        """Puts new heads on a pre-trained encoder and logs which weights are new.

        Args:
            pretrained_model_name_or_path: Hub id or folder of a checkpoint of the family, with or without the heads or
                the decoder of its training, which are left out.
            tasks: what the heads predict.
            num_layers: how many of the lowest layers to keep; all by default.
            revision: branch, tag or commit of a Hub repository.
            dtype: of the weights, new heads included.
            fields: of the model's configuration, such as `max_duration_s`, `padding`, `layer_weights`, `pooling`.

        Raises:
            ValueError: the checkpoint is of another family, cannot be masked, or lacks a weight.
        """
        backbone = AutoConfig.from_pretrained(pretrained_model_name_or_path, revision=revision, trust_remote_code=False)
        if type(backbone) is not cls.backbone_config_class:
            raise ValueError(
                f"{pretrained_model_name_or_path} has model_type {backbone.model_type!r}; a backbone of {cls.__name__} "
                f"must have {cls.backbone_config_class.model_type!r}."
            )
        config = cls.config_from_backbone(backbone, tasks, num_layers=num_layers, **fields)
        model: Self = cls._load_backbone(
            pretrained_model_name_or_path,
            config,
            lambda key: cls._is_backbone_weight(key, config),
            revision=revision,
            dtype=dtype,
        )
        return model

    @classmethod
    def config_from_backbone(
        cls, backbone: PreTrainedConfig, tasks: Sequence[Task], *, num_layers: int | None = None, **fields: Any
    ) -> Any:
        """The configuration of a model with this backbone and these tasks; `fields` replace single ones.

        Raises:
            ValueError: the backbone has fewer layers than `num_layers`, or is not supported.
        """
        if num_layers is not None:
            if not 1 <= num_layers <= backbone.num_hidden_layers:
                raise ValueError(
                    f"The number of layers to keep must be from 1 to {backbone.num_hidden_layers}, got {num_layers}."
                )
            backbone = copy.deepcopy(backbone)
            backbone.num_hidden_layers = num_layers
        kept = {name: value for name, value in backbone.to_dict().items() if name not in cls._not_of_encoder}
        return cls.config_class(**{**kept, **cls.reset_fields, **fields, "tasks": [task.to_dict() for task in tasks]})

    @classmethod
    def _is_backbone_weight(cls, key: str, config: Any) -> bool:
        """Whether a checkpoint of the backbone must have a weight of this name, and the model takes it."""
        layer = key.removeprefix(f"{cls.encoder_path}.{cls.layers_path}.")
        if layer != key and int(layer.partition(".")[0]) >= config.num_hidden_layers:
            return False
        return key.startswith(f"{cls.encoder_path}.")

    # ---- freezing ----------------------------------------------------------------------------------------------

    def freeze(self, part: str) -> None:
        """Freezes a part of the encoder: no gradients, and no dropout in training mode either.

        Autograd keeps no graph of what lies below the first weight that is trained.

        Args:
            part: `"none"`; `"feature_encoder"`, the convolutions, as the paper does (section 4); `"encoder"`; or a
                number N: the lowest N layers and all below them.

        Raises:
            ValueError: it is not one of these, or the encoder has fewer layers.
        """
        encoder = self.speech_encoder
        self._trained_layers = []
        frozen: list[nn.Module] = []
        if part == "feature_encoder":
            frozen = [encoder.get_submodule(name) for name in self.feature_encoder]
        elif part == "encoder":
            frozen = [encoder]
        elif part.isdecimal() and 1 <= int(part) <= len(self.layers):
            frozen = [encoder]
            final = [encoder.get_submodule(name) for name in self.final_modules]
            self._trained_layers = [*self.layers[int(part) :], *final]
        elif part != "none":
            raise ValueError(
                f"--freeze {part} is not one of {', '.join(FREEZABLE)}, or a number of layers from 1 to "
                f"{len(self.layers)}."
            )
        encoder.requires_grad_(True)
        for module in frozen:
            module.requires_grad_(False)
        for module in self._trained_layers:
            module.requires_grad_(True)
        self._kept_in_evaluation = frozen
        self._freeze()
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Training mode for all but the frozen parts, in which dropout would only add noise to the features."""
        super().train(mode)
        for module in self._kept_in_evaluation:
            module.eval()
        for module in self._trained_layers:
            module.train(mode)
        return self

    # ---- computing ---------------------------------------------------------------------------------------------

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
            kwargs: further arguments of the encoder's `forward`, such as `output_hidden_states`.
        """
        waveform, mask = self._prepare_input(input_values, attention_mask)
        if self.config.layer_weights:
            kwargs["output_hidden_states"] = True
        outputs, frame_mask = self._encode(waveform, mask, **kwargs)
        return self._build_output(
            self._pool(self._choose_layers(outputs), frame_mask),
            labels,
            num_items_in_batch,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )

    def _prepare_input(
        self, input_values: torch.Tensor, attention_mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cuts to the clip length, standardizes, pads: waveform in float32 and mask in int64, `(batch, samples)`."""
        waveform, mask = self._cut(input_values, attention_mask)
        waveform = self._standardize(waveform, mask) if self.config.standardizes_input else waveform * mask
        paper = self.config.padding == "paper"
        missing = max(0, (self.max_samples if paper else self.min_samples) - waveform.shape[1])
        waveform, mask = F.pad(waveform, (0, missing)), F.pad(mask, (0, missing)).long()
        if paper:
            return waveform, torch.ones_like(mask)
        mask[:, : self.min_samples] = 1  # below these, there is no frame
        return waveform, mask

    def _standardize(self, waveform: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Each clip at mean 0 and variance 1 over its own samples, and 0 where it has none."""
        samples = mask.sum(dim=1, keepdim=True).clamp(min=1)
        mean = (waveform * mask).sum(dim=1, keepdim=True) / samples
        centered = (waveform - mean) * mask
        variance = centered.square().sum(dim=1, keepdim=True) / samples
        return centered * torch.rsqrt(variance + 1e-7)  # the epsilon of Wav2Vec2FeatureExtractor

    def _encode(
        self, waveform: torch.Tensor, mask: torch.Tensor, **kwargs: Any
    ) -> tuple[BaseModelOutput, torch.Tensor]:
        """The encoder's outputs, and where its frames hold audio, `(batch, frames)`.

        Args:
            waveform: `(batch, samples)` in float32, 0 in the padding, of at least `min_samples`.
            mask: `(batch, samples)` in int64.
            kwargs: of the encoder.
        """
        raise NotImplementedError

    def _choose_layers(self, outputs: BaseModelOutput) -> torch.Tensor:
        """The frames that are pooled over time: `(batch, frames, features)`."""
        frames = cast(torch.Tensor, outputs.last_hidden_state)
        if self.config.layer_weights:
            # Whether the last of `hidden_states` is before or after the final norm depends on the encoder.
            hidden_states = cast(tuple[torch.Tensor, ...], outputs.hidden_states)
            frames = self.layer_sum([*hidden_states[:-1], frames])
        return cast(torch.Tensor, self.dense(frames)) if self.config.dense_layers else frames

    def _pool(self, frames: torch.Tensor, frame_mask: torch.Tensor) -> torch.Tensor:
        """`(batch, frames, features)` -> `(batch, pooled_size)`."""
        if self.config.pooling == "attentive_statistics":
            return cast(torch.Tensor, self.attention_pooling(frames, frame_mask))
        return masked_mean(frames, frame_mask)


def _dense(inputs: int, widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Pointwise dense layers, each with ReLU and dropout."""
    modules: list[nn.Module] = []
    for width in widths:
        modules += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout)]
        inputs = width
    return nn.Sequential(*modules)
