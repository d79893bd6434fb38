"""What the models of all architectures share: strict loading, heads, and the output from a clip's pooled features."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm  # what all kinds of batch norm have in common
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.utils import logging

from .cpu_convolutions_ser import adapt_convolutions_to_cpu
from .modeling_heads_ser import MultiTaskHeads, MultiTaskSEROutput, multi_task_loss
from .tasks_ser import Task

if TYPE_CHECKING:  # the mixin completes whatever network class stands behind it
    # Saving a model copies the files that this one imports; the pipeline has to travel with it.
    from .pipeline_ser import SpeechEmotionPipeline  # noqa: F401

    _ModelBase = PreTrainedModel
else:
    _ModelBase = object

logger = logging.get_logger(__name__)


class IncompleteCheckpointError(ValueError):
    """The weights of a checkpoint are not those of its model."""


class MultiTaskSERMixin(_ModelBase):
    """
    Comes before [`~transformers.PreTrainedModel`] in a model that has `heads` and processes `max_samples` of a clip.

    For training a model is built by `from_config_file(path, tasks, **options)` with random weights, or by
    `from_backbone(name, tasks, **options)` from pre-trained ones. Options are `max_duration_s` and those that
    `training_options` names.
    """

    accepts_loss_kwargs = True  # `forward` takes `num_items_in_batch`
    training_options: tuple[str, ...] = ()
    frozen_modules: tuple[str, ...] = ()  # what is never trained
    lora_targets: tuple[str, ...] = ()  # names, in a layer of the encoder, of the projections that LoRA adapts
    config: Any
    config_class: Any
    heads: MultiTaskHeads
    max_samples: int

    @property
    def has_batch_statistics(self) -> bool:
        """Whether training computes statistics over a batch, so that it matters which clips are in one together."""
        return any(isinstance(module, _BatchNorm) for module in self.modules())

    @property
    def layers(self) -> nn.ModuleList:
        """The encoder's transformer layers, the lowest first; empty where it has none."""
        return nn.ModuleList()

    def layer_numbers(self) -> dict[str, int | None]:
        """Parameter name -> its layer of the encoder, from 1; 0 below the first; `None` for what is new on the encoder.

        What comes after the last layer, such as a final norm, counts as part of it.
        """
        return {name: None if name.startswith("heads.") else 0 for name, _ in self.named_parameters()}

    def post_init(self) -> None:
        """Ends `__init__`, as in [`~transformers.PreTrainedModel`]."""
        super().post_init()
        adapt_convolutions_to_cpu(self)

    def _freeze(self) -> None:
        for name in self.frozen_modules:
            self.get_submodule(name).requires_grad_(False)

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str] | None, *args: Any, **kwargs: Any
    ) -> Any:
        """Loads a fine-tuned checkpoint whole, as [`~transformers.PreTrainedModel.from_pretrained`] does.

        Raises:
            IncompleteCheckpointError: weights are missing, unexpected, or of another shape. Such a model would predict
                at random, and transformers only warns.
        """
        with_info = kwargs.pop("output_loading_info", False)
        kwargs["ignore_mismatched_sizes"] = True  # they come back in `info`, to be named
        kwargs["output_loading_info"] = True
        loaded: Any = super().from_pretrained(pretrained_model_name_or_path, *args, **kwargs)
        model, info = loaded
        wrong = [
            f"{len(info[kind])} {kind.replace('_', ' ')} ({', '.join(sorted(map(str, info[kind]))[:6])})"
            for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")
            if info[kind]
        ]
        if wrong:
            raise IncompleteCheckpointError(
                f"{pretrained_model_name_or_path} is not a complete checkpoint of {cls.__name__}: {'; '.join(wrong)}. "
                "Use `from_backbone` to load a backbone without heads, and `train.py --reset_heads` to train new heads "
                "for a checkpoint."
            )
        # Loaded parameters are trainable again: https://github.com/huggingface/transformers/issues/11294
        model._freeze()
        return (model, info) if with_info else model

    @classmethod
    def _load_backbone(
        cls,
        name: str | os.PathLike[str],
        config: PreTrainedConfig,
        is_backbone: Callable[[str], bool],
        **kwargs: Any,
    ) -> Any:
        """A model whose backbone is that of a checkpoint and whose other weights are new.

        Args:
            name: of the checkpoint.
            config: of the model.
            is_backbone: whether a weight of this name belongs to the backbone.
            kwargs: of [`~transformers.PreTrainedModel.from_pretrained`].

        Raises:
            ValueError: a weight of the backbone is missing, unexpected, of another shape, or cannot be read.
        """
        source = None if "state_dict" in kwargs else name
        options = {"ignore_mismatched_sizes": True, "output_loading_info": True, **kwargs}
        try:
            # Not the strict one of this class.
            loaded: Any = super().from_pretrained(source, config=config, weights_only=True, **options)
        except (OSError, ValueError):
            raise
        except Exception as error:  # what a file of any kind makes its readers raise has no common class
            raise ValueError(
                f"The weights of {name} cannot be read, or hold objects other than tensors; no code in them was run."
            ) from error
        model, info = loaded
        new = {key for key, _ in model.named_parameters() if not is_backbone(key)}
        lost = set(info["missing_keys"]) ^ new
        lost |= {key for key in info["unexpected_keys"] if is_backbone(key)}
        lost |= {key for key, *_ in info["mismatched_keys"]}
        if lost:
            raise ValueError(
                f"{name} does not hold this backbone: {len(lost)} weights do not match "
                f"({', '.join(sorted(lost)[:6])}{' …' if len(lost) > 6 else ''})."
            )
        model._freeze()
        others = sorted({key.partition(".")[0] for key in new} - {"heads"})
        logger.warning(
            "Backbone of %s; new, untrained heads: %s%s.",
            name,
            ", ".join(model.heads),
            f"; new, untrained layers: {', '.join(others)}" if others else "",
        )
        return model

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
                found = list(trained[task.name].labels) if task.name in trained else "missing"
                raise ValueError(
                    f"The checkpoint's head for {task.name} does not match: training expects "
                    f"{list(task.labels) or task.kind}, the checkpoint's head is {found}. Train a new head with "
                    f"--reset_heads {task.name}."
                )
        weight = next(self.heads.parameters())
        heads = MultiTaskHeads(weight.shape[1], tasks).to(weight)
        for task in tasks:
            if task.name in new:
                self._init_weights(heads[task.name])
            else:
                heads[task.name] = self.heads[task.name]
        self.heads = heads
        self.config.set_tasks(list(tasks))

    def _cut(
        self, input_values: torch.Tensor, attention_mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The samples that the model processes, and 1 where they hold audio, both `(batch, samples)` in float32."""
        waveform = input_values[:, : self.max_samples].float()
        if attention_mask is None:
            return waveform, torch.ones_like(waveform)
        return waveform, attention_mask[:, : self.max_samples].to(waveform.dtype)

    def _build_output(
        self,
        pooled: torch.Tensor,
        labels: Mapping[str, torch.Tensor] | None,
        num_items_in_batch: Mapping[str, torch.Tensor | int] | None,
        **outputs: Any,
    ) -> MultiTaskSEROutput:
        """The heads' outputs for `pooled` `(batch, features)`, and the loss; `outputs` are the backbone's own."""
        task_logits = self.heads(pooled)
        loss, task_losses = None, None
        if labels is not None:
            loss, task_losses = multi_task_loss(task_logits, labels, self.config.get_tasks(), num_items_in_batch)
        return MultiTaskSEROutput(
            loss=loss,
            logits=task_logits[self.config.main_task.name],
            task_logits=task_logits,
            task_losses=task_losses,
            embeddings=pooled,
            **outputs,
        )


def read_config_file(path: str | os.PathLike[str], model_type: str) -> dict[str, Any]:
    """The fields of a JSON file that configures a network of this type.

    Raises:
        ValueError: the file is missing, is not a JSON object, or configures another type of network.
    """
    fields = _read_fields(path)
    found = fields.pop("model_type", None)
    if found != model_type:
        raise ValueError(
            f"--config_name {path} has model_type {found!r}, but this architecture expects {model_type!r}."
        )
    return fields


def read_model_type(path: str | os.PathLike[str]) -> object:
    """`model_type` in a JSON file that configures a network, `None` if it has none.

    Raises:
        ValueError: the file is missing, or is not a JSON object.
    """
    return _read_fields(path).get("model_type")


def _read_fields(path: str | os.PathLike[str]) -> dict[str, Any]:
    if not Path(path).is_file():
        raise ValueError(f"--config_name {path}: file not found.")
    try:
        fields: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"--config_name {path} is not a JSON file: {error}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"--config_name {path} is not a JSON object of a network's settings.")
    return {str(name): value for name, value in fields.items()}
