"""Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685) by peft, without a trace of it in a checkpoint's weights.

Adapters are injected into the model, whose class stays. A checkpoint holds the merged weights, as that of any other
training, and the adapters, from which the training resumes: the encoder's own weights are those of the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import Linear as LoraLinear
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel
from transformers.utils import SAFE_WEIGHTS_NAME
from transformers.utils.logging import get_logger

from .resume import ADAPTERS
from .trainer import MultiTaskSERTrainer

logger = get_logger(__name__)

_NAME = "default"  # peft's own


def add_adapters(model: Any, rank: int, alpha: float) -> None:
    """Freezes the encoder, and adds an adapter to every projection that `model.lora_targets` names in its layers.

    Layers that are frozen as a whole get none. What is not part of the encoder is trained as before.

    Args:
        model: it is changed.
        rank: of the updates.
        alpha: scale of the updates, which is divided by the rank.

    Raises:
        ValueError: no layer of an encoder with projections to adapt is trained.
    """
    numbers = model.layer_numbers()
    others = [p for name, p in model.named_parameters() if numbers[name] is None and p.requires_grad]
    places = {module: name for name, module in model.named_modules()}
    targets = [
        places[module]
        for layer in model.layers
        if any(parameter.requires_grad for parameter in layer.parameters())
        for name, module in layer.named_modules()
        if name.endswith(model.lora_targets)
    ]
    if not targets:
        raise ValueError(f"--lora_rank {rank} needs an encoder with layers to train, which this network lacks.")
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets), model)  # type: ignore[arg-type]
    for parameter in others:
        parameter.requires_grad_(True)  # which peft has frozen
    logger.warning(
        "LoRA of rank %d in %d projections: %s of %s parameters are trained.",
        *(rank, len(targets)),
        *(f"{model.num_parameters(only_trainable=only):,}" for only in (True, False)),
    )


def _adapted(model: torch.nn.Module) -> dict[str, LoraLinear]:
    """The projections that have an adapter, by their names."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLinear)}


def merged_state_dict(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """The weights of the model with its adapters merged, under the names that they have without peft."""
    state = model.state_dict()
    for name, layer in _adapted(model).items():
        for key in [key for key in state if key.startswith(f"{name}.")]:
            value = state.pop(key)
            if key.startswith(f"{name}.base_layer."):
                state[key.replace(f"{name}.base_layer.", f"{name}.")] = value
        base: Any = layer.get_base_layer()
        state[f"{name}.weight"] = base.weight.detach() + layer.get_delta_weight(_NAME).detach()
    return state


def merge_adapters(model: PreTrainedModel) -> None:
    """Merges the adapters into the weights of the model, and removes them; without adapters nothing changes."""
    for name, layer in _adapted(model).items():
        layer.merge()
        model.set_submodule(name, layer.get_base_layer())


def adapter_state_dict(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """The adapters' own weights, under their names in the model."""
    return {
        f"{place}.{name}": parameter.detach()
        for place, layer in _adapted(model).items()
        for name, parameter in layer.named_parameters()
        if not name.startswith("base_layer.")
    }


def load_weights(model: PreTrainedModel, checkpoint: Path) -> None:
    """Loads a checkpoint of the same training into a model with adapters, whose encoder is that of the start."""
    state: Mapping[str, torch.Tensor] = {
        **load_file(checkpoint / SAFE_WEIGHTS_NAME),
        **load_file(checkpoint / ADAPTERS),
    }
    # The merged weights have names that the adapted projections lack.
    missing, _ = model.load_state_dict(state, strict=False)
    kept = {f"{name}.base_layer.{own}" for name in _adapted(model) for own in ("weight", "bias")}
    if not kept >= {*missing}:
        raise ValueError(f"{checkpoint} lacks weights of this model: {', '.join(sorted({*missing} - kept)[:6])}.")


class LoraTrainer(MultiTaskSERTrainer):
    """A [`MultiTaskSERTrainer`] for a model with adapters, which are merged at the end of the training."""

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Trains as the Trainer does; afterwards the model has plain weights."""
        output = super().train(*args, **kwargs)
        merge_adapters(self.accelerator.unwrap_model(self.model))
        return output

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        model: Any = self.accelerator.unwrap_model(self.model)
        super()._save(output_dir, merged_state_dict(model))
        save_file(adapter_state_dict(model), Path(output_dir or str(self.args.output_dir), ADAPTERS))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: torch.nn.Module | None = None) -> None:
        load_weights(self.accelerator.unwrap_model(model or self.model), Path(resume_from_checkpoint))

    def _load_best_model(self) -> None:
        load_weights(self.accelerator.unwrap_model(self.model), Path(str(self.state.best_model_checkpoint)))
