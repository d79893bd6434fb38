"""Wav2Vec2ForMultiTaskSER: a wav2vec 2.0 backbone, mean pooling over time, one linear head per task (Sharma 2022)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F
from transformers import AutoConfig, Wav2Vec2Config, Wav2Vec2Model, Wav2Vec2PreTrainedModel
from transformers.utils import can_return_tuple, logging

from .audio_ser import SAMPLING_RATE
from .configuration_ser import Wav2Vec2MultiTaskSERConfig
from .heads_ser import MultiTaskHeads, MultiTaskSEROutput, masked_mean, multi_task_loss
from .tasks_ser import Task

if TYPE_CHECKING:  # saving a model copies the files that it names; the pipeline has to travel with it
    from .pipeline_ser import SpeechEmotionPipeline  # noqa: F401

logger = logging.get_logger(__name__)


class Wav2Vec2ForMultiTaskSER(Wav2Vec2PreTrainedModel):
    """
    Wav2vec 2.0 with masked mean pooling and one linear head per task, for speech emotion recognition.

    The model itself cuts a clip to `config.max_duration_s`, brings it to zero mean and unit variance and pads it, so
    that a clip gets one answer, however long, padded or loud the array is in which it arrives.

    Args:
        config ([`Wav2Vec2MultiTaskSERConfig`]): architecture and tasks.
    """

    config: Wav2Vec2MultiTaskSERConfig
    config_class = Wav2Vec2MultiTaskSERConfig
    accepts_loss_kwargs = True  # `forward` takes `num_items_in_batch`

    def __init__(self, config: Wav2Vec2MultiTaskSERConfig):
        if not config.tasks:
            raise ValueError("The config names no tasks. To start from a backbone, call `from_backbone`.")
        super().__init__(config)
        self.wav2vec2 = Wav2Vec2Model(config)
        self.heads = MultiTaskHeads(config.hidden_size, config.get_tasks())
        self.max_samples = round(config.max_duration_s * SAMPLING_RATE)
        self.min_samples = 1  # the receptive field of one frame
        for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
            self.min_samples = (self.min_samples - 1) * stride + kernel
        self.post_init()

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike, *args: Any, **kwargs: Any) -> Any:
        """Loads a fine-tuned checkpoint whole, as [`~transformers.PreTrainedModel.from_pretrained`] does.

        Raises:
            ValueError: weights are missing, too many, or of another shape. Such a model would answer at random, and
                transformers only warns.
        """
        with_info = kwargs.pop("output_loading_info", False)
        kwargs["ignore_mismatched_sizes"] = True  # they come back in `info`, to be named
        model, info = super().from_pretrained(pretrained_model_name_or_path, *args, **kwargs, output_loading_info=True)
        wrong = [
            f"{len(info[kind])} {kind.replace('_', ' ')} ({', '.join(sorted(map(str, info[kind]))[:6])})"
            for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")
            if info[kind]
        ]
        if wrong:
            raise ValueError(
                f"{pretrained_model_name_or_path} is not a whole checkpoint of {cls.__name__}: {'; '.join(wrong)}. "
                "A backbone without heads is loaded by `from_backbone`; heads of a checkpoint start anew with "
                "`train.py --new_heads`."
            )
        return (model, info) if with_info else model

    @classmethod
    def from_backbone(
        cls,
        pretrained_model_name_or_path: str | os.PathLike,
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
        """Puts new heads on a pre-trained wav2vec 2.0 backbone and says which weights are new.

        Args:
            pretrained_model_name_or_path: Hub id or folder of a layer-norm checkpoint of the wav2vec 2.0 family
                (XLSR-53, XLS-R, MMS, lv60), with or without a pre-training or CTC head.
            tasks: what the heads shall predict.
            max_duration_s, padding: see [`Wav2Vec2MultiTaskSERConfig`].
            layerdrop, mask_time_prob: regularisation by dropping layers and by SpecAugment, both off by default.
            revision: branch, tag or commit of a Hub repository.
            dtype: of the weights, new heads included.
            kwargs: further arguments of [`~transformers.PreTrainedModel.from_pretrained`].

        Raises:
            ValueError: the checkpoint is of another architecture, of a group-norm backbone, or lacks a weight.
        """
        backbone = AutoConfig.from_pretrained(pretrained_model_name_or_path, revision=revision, trust_remote_code=False)
        if type(backbone) is not Wav2Vec2Config:
            raise ValueError(
                f"{pretrained_model_name_or_path} is a {backbone.model_type!r} checkpoint; a backbone has the type "
                "'wav2vec2' (XLSR-53, XLS-R, MMS, wav2vec2-large-lv60)."
            )
        config = cls.config_from_backbone(
            backbone,
            tasks,
            max_duration_s=max_duration_s,
            padding=padding,
            layerdrop=layerdrop,
            mask_time_prob=mask_time_prob,
        )
        model, info = super().from_pretrained(
            pretrained_model_name_or_path,
            config=config,
            revision=revision,
            dtype=dtype,
            output_loading_info=True,
            **kwargs,
        )
        heads = {f"heads.{name}" for name, _ in model.heads.named_parameters()}
        lost = set(info["missing_keys"]) - heads
        if not config.mask_time_prob:
            info["unexpected_keys"] = set(info["unexpected_keys"]) - {"wav2vec2.masked_spec_embed"}
        lost |= {key for key in info["unexpected_keys"] if key.startswith("wav2vec2.")}
        if lost or set(info["missing_keys"]) != heads:
            raise ValueError(
                f"{pretrained_model_name_or_path} does not hold this backbone: {len(lost)} weights do not fit "
                f"({', '.join(sorted(lost)[:6])} …)."
            )
        logger.warning(
            "Backbone of %s; new, untrained heads: %s.", pretrained_model_name_or_path, ", ".join(model.heads)
        )
        return model

    @staticmethod
    def config_from_backbone(
        backbone: Wav2Vec2Config, tasks: Sequence[Task], **overrides: Any
    ) -> Wav2Vec2MultiTaskSERConfig:
        """The configuration of a model with this backbone and these tasks; `overrides` replace single fields."""
        fields = backbone.to_dict()
        for key in ("architectures", "model_type", "transformers_version", "id2label", "label2id", "dtype"):
            fields.pop(key, None)
        fields.pop("gradient_checkpointing", None)  # old configs carry it, and it would switch checkpointing on
        fields.update(overrides, tasks=[task.to_dict() for task in tasks])
        return Wav2Vec2MultiTaskSERConfig(**fields)

    def replace_heads(self, tasks: Sequence[Task], new: Sequence[str]) -> None:
        """Gives the model these tasks: those in `new` get a new, untrained head, the others keep theirs.

        Raises:
            ValueError: a task that keeps its head has other outputs than the head was trained for.
        """
        trained = {task.name: task for task in self.config.get_tasks()}
        for task in tasks:
            if task.name in new:
                continue
            if task.name not in trained or trained[task.name].labels != task.labels:
                has = list(trained[task.name].labels) if task.name in trained else "no such head"
                raise ValueError(
                    f"The checkpoint's head for {task.name} does not fit: it has {has}, training asks for "
                    f"{list(task.labels) or task.kind}. Let it start anew with --new_heads {task.name}."
                )
        heads = MultiTaskHeads(self.config.hidden_size, tasks).to(self.device, self.dtype)
        for task in tasks:
            if task.name in new:
                self._init_weights(heads[task.name])
            else:
                heads[task.name] = self.heads[task.name]
        self.heads = heads
        self.config.set_tasks(list(tasks))

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
                Labelled clips of the effective batch, as in [`multi_task_loss`].
            kwargs: further arguments of [`~transformers.Wav2Vec2Model.forward`].
        """
        input_values, attention_mask = self._hear(input_values, attention_mask)
        outputs = self.wav2vec2(
            input_values,
            attention_mask=attention_mask,
            mask_time_indices=self._mask_for_short_clips(input_values),
            **kwargs,
        )
        hidden_states = outputs.last_hidden_state  # (batch, frames, hidden)
        frame_mask = None
        if attention_mask is not None:
            frame_mask = self._get_feature_vector_attention_mask(hidden_states.shape[1], attention_mask)
        task_logits = self.heads(masked_mean(hidden_states, frame_mask))
        loss, task_losses = None, None
        if labels is not None:
            loss, task_losses = multi_task_loss(task_logits, labels, self.config.get_tasks(), num_items_in_batch)
        return MultiTaskSEROutput(
            loss=loss,
            logits=task_logits[self.config.main_task.name],
            task_logits=task_logits,
            task_losses=task_losses,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )

    def _hear(
        self, input_values: torch.Tensor, attention_mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Cuts to the clip length, standardises each clip over its own samples, and pads."""
        waveform = input_values[:, : self.max_samples].float()
        if attention_mask is None:
            mask = torch.ones_like(waveform)
        else:
            mask = attention_mask[:, : self.max_samples].to(waveform.dtype)
        samples = mask.sum(dim=1, keepdim=True).clamp(min=1)
        mean = (waveform * mask).sum(dim=1, keepdim=True) / samples
        centred = (waveform - mean) * mask
        variance = centred.square().sum(dim=1, keepdim=True) / samples
        waveform = centred * torch.rsqrt(variance + 1e-7)  # the epsilon of Wav2Vec2FeatureExtractor
        shortest = self.max_samples if self.config.padding == "paper" else self.min_samples
        missing = max(0, shortest - waveform.shape[1])
        waveform = F.pad(waveform, (0, missing)).to(self.dtype)
        if self.config.padding == "paper":
            return waveform, None
        mask = F.pad(mask, (0, missing)).long()
        mask[:, : self.min_samples] = 1  # below the receptive field transformers' frame mask wraps around
        return waveform, mask

    def _mask_for_short_clips(self, input_values: torch.Tensor) -> torch.Tensor | None:
        """An empty SpecAugment mask where a batch is shorter than one masked span, which transformers refuses."""
        if not (self.training and self.config.mask_time_prob):
            return None
        frames = int(self._get_feat_extract_output_lengths(input_values.shape[1]))
        if frames >= self.config.mask_time_length:
            return None
        return torch.zeros(input_values.shape[0], frames, dtype=torch.bool, device=input_values.device)
