"""The model to train: from random weights, from a pre-trained backbone, or from a checkpoint of this project."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.utils.logging import get_logger

from common.checkpoint import load_checkpoint, load_config
from common.training_clips import read_training_clips
from modeling import ARCHITECTURES, PannsMultiTaskSERConfig, Task
from modeling.auto_ser import architecture_of, architecture_of_type
from modeling.modeling_base_ser import read_model_type

from .arguments.settings import BEST_ROW, ModelArguments
from .tasks import kind_of

logger = get_logger(__name__)

# Suffixes of the classes of backbones whose training needed no labels of clips.
_UNLABELED = ("Model", "ForPreTraining", "ForCTC", "ForConditionalGeneration")


def task_names(arguments: ModelArguments) -> list[str]:
    """The tasks of `--tasks`, else those of the checkpoint, else the paper's best row.

    A head that is kept has the same kind as before, unless `--tasks` names another one.
    """
    config = trained_config(arguments)
    trained = () if config is None else config.get_tasks()
    kinds = {task.name: f"{task.name}:{kind_of(task)}" for task in trained}
    asked = [entry if entry in arguments.reset_heads else kinds.get(entry, entry) for entry in arguments.tasks or ()]
    entries = asked or list(kinds.values()) or list(BEST_ROW)
    names = [entry.partition(":")[0] for entry in entries]
    unknown = {*arguments.reset_heads, *arguments.weights()} - {*names}
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            f"--reset_heads and --task_weights must name tasks of --tasks ({', '.join(names)}), each of them once; "
            f"got {', '.join(sorted(unknown)) or 'a task twice'}."
        )
    removed = [task.name for task in trained if task.name not in names]
    if removed:
        logger.warning("--tasks removes these heads of %s: %s.", arguments.model_name_or_path, ", ".join(removed))
    return entries


def build_model(arguments: ModelArguments, tasks: list[Task], max_duration_s: float) -> PreTrainedModel:
    """The network to train: from random weights, from a backbone, or from a checkpoint of this project.

    Raises:
        ValueError: the checkpoint is of another kind, one of its heads does not fit the data, or the architecture lacks
            an option.
    """
    config = trained_config(arguments)
    architecture = _architecture(arguments, config)
    model_class: Any = ARCHITECTURES[architecture]
    options = _options(arguments)
    for name in options.keys() - {*model_class.training_options}:
        flag = "layers" if name in ("num_layers", "layer_weights") else name
        raise ValueError(f"--{flag} is not an option of the architecture {architecture}: remove the flag.")
    options["max_duration_s"] = max_duration_s
    if config is not None:
        return _continue_checkpoint(arguments, config, tasks, options)
    if arguments.config_name is not None:
        return model_class.from_config_file(arguments.config_name, tasks, **options)
    if arguments.reset_heads:
        raise ValueError(
            f"{arguments.model_name_or_path} is a backbone, whose heads are all new: remove --reset_heads."
        )
    if arguments.model_revision != "main":
        if architecture == "panns":
            raise ValueError(f"--model_revision needs a Hub repository, but {arguments.model_name_or_path} is a file.")
        options["revision"] = arguments.model_revision
    return model_class.from_backbone(arguments.model_name_or_path, tasks, **options, dtype=torch.float32)


def _options(arguments: ModelArguments) -> dict[str, Any]:
    """What flags state about the network, as arguments of `from_backbone`."""
    given = {
        "padding": arguments.padding,
        "pooling": arguments.pooling,
        "dense_layers": arguments.dense_layers,
        "layerdrop": arguments.layerdrop or None,
        "mask_time_prob": arguments.mask_time_prob or None,
        **arguments.layer_options(),
    }
    return {name: value for name, value in given.items() if value is not None}


def _architecture(arguments: ModelArguments, config: PreTrainedConfig | None) -> str:
    """The name in `ARCHITECTURES` of what training starts from, which `--architecture` may repeat.

    Raises:
        ValueError: the network is unknown, or `--architecture` is another one.
    """
    if arguments.architecture not in (None, *ARCHITECTURES):
        raise ValueError(f"--architecture {arguments.architecture!r} is not one of {', '.join(ARCHITECTURES)}.")
    start = arguments.config_name or arguments.model_name_or_path
    if config is None and arguments.config_name is not None:
        model_type = read_model_type(arguments.config_name)
    elif str(start).endswith(".pth"):  # which has no configuration
        model_type = PannsMultiTaskSERConfig.model_type
    else:
        model_type = (config or load_config(str(start), arguments.model_revision)).model_type
    found = architecture_of_type(model_type)
    if found is None:
        raise ValueError(
            f"{start} has model_type {model_type!r}, which is not one of the encoders {', '.join(ARCHITECTURES)}."
        )
    if arguments.architecture not in (None, found):
        raise ValueError(f"{start} has the architecture {found}, not {arguments.architecture}.")
    return found


def freeze(network: Any, arguments: ModelArguments) -> None:
    """Freezes what `--freeze` names of the pre-trained encoder.

    Raises:
        ValueError: its weights are random, so it must be trained; or the encoder lacks what `--freeze` names.
    """
    if arguments.freeze not in ("none", "feature_encoder") and (arguments.layerdrop or arguments.mask_time_prob):
        raise ValueError(
            f"--layerdrop and --mask_time_prob must be 0 with --freeze {arguments.freeze}: frozen layers are not "
            "regularized."
        )
    trainable = network.num_parameters(only_trainable=True)
    network.freeze(arguments.freeze)
    frozen = trainable - network.num_parameters(only_trainable=True)
    if frozen and arguments.config_name is not None:
        raise ValueError(
            f"The {frozen:,} parameters that --freeze {arguments.freeze} names are random (--config_name "
            f"{arguments.config_name}) and must not be frozen: add --freeze none, or start from a pre-trained network "
            "with --model_name_or_path."
        )


def trained_config(arguments: ModelArguments) -> PreTrainedConfig | None:
    """The configuration of the checkpoint of this project that training starts from, or `None`."""
    name = arguments.model_name_or_path
    if name is None or name.endswith(".pth"):
        return None
    config = load_config(name, arguments.model_revision)
    return config if architecture_of(config) else None


def clips_of_start(arguments: ModelArguments) -> set[str] | None:
    """Ids of the clips that the start of a training was trained on, `None` if they are unknown.

    Random weights have none, nor have backbones without a head for labels. Others may have been trained on any clips.
    """
    if trained_config(arguments) is not None:
        return read_training_clips(str(arguments.model_name_or_path))
    name = arguments.model_name_or_path
    if name is None or name.endswith(".pth"):
        return set()
    kinds = load_config(name, arguments.model_revision).architectures or ()
    return set() if all(kind.endswith(_UNLABELED) for kind in kinds) else None


def _continue_checkpoint(
    arguments: ModelArguments, config: PreTrainedConfig, tasks: list[Task], options: dict[str, Any]
) -> PreTrainedModel:
    """A checkpoint of this project, with new heads where `--reset_heads` and `--tasks` ask for them."""
    name = str(arguments.model_name_or_path)
    for option, asked in options.items():
        has = getattr(config, "num_hidden_layers" if option == "num_layers" else option)
        if option != "layerdrop" and asked != has:
            flag = {"num_layers": "layers", "layer_weights": "layers"}.get(option, option)
            raise ValueError(
                f"{name} was trained with {option} {has}, but this training has {asked}: remove --{flag} "
                "(max_duration_s: of prepare.py)."
            )
    network: Any
    network, _ = load_checkpoint(name, arguments.model_revision)
    if "layerdrop" in network.training_options:
        network.config.layerdrop = arguments.layerdrop
    kept = _keep_trained_tasks(config.get_tasks(), tasks, arguments.reset_heads)
    network.replace_heads(kept, arguments.reset_heads)
    return network


def _keep_trained_tasks(trained: tuple[Task, ...], tasks: list[Task], reset_heads: list[str]) -> list[Task]:
    """A head that is kept keeps its labels, and the mean and deviation of its outputs."""
    known = {task.name: task for task in trained if task.name not in reset_heads}
    return [_merge_task(known[task.name], task) if task.name in known else task for task in tasks]


def _merge_task(trained: Task, task: Task) -> Task:
    if not trained.is_classification:
        if task.unit and trained.unit != task.unit:
            raise ValueError(
                f"The checkpoint's head for {task.name} predicts values in {trained.unit or 'another unit'}, but the "
                f"data hold {task.unit}. Reset it with --reset_heads {task.name}."
            )
        return replace(task, mean=trained.mean, std=trained.std)
    if not set(task.labels) <= set(trained.labels):
        return task  # which `replace_heads` refuses
    weights = dict(zip(task.labels, task.class_weights, strict=True))
    return replace(task, labels=trained.labels, class_weights=tuple(weights.get(c, 1.0) for c in trained.labels))
