"""What is trained: from random weights, from a pre-trained backbone, or from a checkpoint of this project."""

from __future__ import annotations

from dataclasses import replace

import torch
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.utils.logging import get_logger

from common.checkpoint import load_checkpoint, load_config
from common.training_clips import read_training_clips
from modeling import ARCHITECTURES, Task
from modeling.auto_ser import architecture_of

from .arguments.parse import BEST_ROW, ModelArguments
from .tasks import kind_of

logger = get_logger(__name__)

_UNLABELED = ("Model", "ForPreTraining", "ForCTC")  # ends of the class names of backbones without labels of clips


def task_names(arguments: ModelArguments) -> list[str]:
    """The tasks of `--tasks`, else those of the checkpoint, else the paper's best row.

    A head that is kept is learned as before, unless `--tasks` names another kind.
    """
    config = trained_config(arguments)
    trained = () if config is None else config.get_tasks()
    kinds = {task.name: f"{task.name}:{kind_of(task)}" for task in trained}
    asked = [entry if entry in arguments.new_heads else kinds.get(entry, entry) for entry in arguments.tasks or ()]
    entries = asked or list(kinds.values()) or list(BEST_ROW)
    names = [entry.partition(":")[0] for entry in entries]
    unknown = {*arguments.new_heads, *arguments.weights()} - {*names}
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            f"--new_heads and --task_weights name tasks of --tasks, which are {', '.join(names)}, each once; "
            f"got {', '.join(sorted(unknown)) or 'one of them twice'}."
        )
    left_out = [task.name for task in trained if task.name not in names]
    if left_out:
        logger.warning("Heads of %s that --tasks leaves out: %s.", arguments.model_name_or_path, ", ".join(left_out))
    return entries


def build_model(arguments: ModelArguments, tasks: list[Task], max_duration_s: float) -> PreTrainedModel:
    """The network to train: from random weights, from a backbone, or from a checkpoint of this project.

    Raises:
        ValueError: the checkpoint is of another kind, a head of it does not fit the data, or the architecture does not
            have an option.
    """
    config = trained_config(arguments)
    architecture = architecture_of(config) or arguments.architecture or "wav2vec2"
    model_class = ARCHITECTURES[architecture]
    given = {
        "padding": arguments.padding,
        "layerdrop": arguments.layerdrop or None,
        "mask_time_prob": arguments.mask_time_prob or None,
    }
    options = {name: value for name, value in given.items() if value is not None}
    for name in options.keys() - {*model_class.training_options}:
        raise ValueError(f"--{name} is no option of the architecture {architecture}: drop it.")
    if config is not None:
        return _go_on(arguments, config, tasks, max_duration_s)
    options["max_duration_s"] = max_duration_s
    if arguments.config_name is not None:
        return model_class.from_config_file(arguments.config_name, tasks, **options)
    if arguments.new_heads:
        raise ValueError(f"{arguments.model_name_or_path} is a backbone: all its heads are new, drop --new_heads.")
    if arguments.model_revision != "main":
        if architecture == "panns":
            raise ValueError(f"--model_revision is of a Hub repository, and {arguments.model_name_or_path} is a file.")
        options["revision"] = arguments.model_revision
    return model_class.from_backbone(arguments.model_name_or_path, tasks, **options, dtype=torch.float32)


def freeze_feature_encoder(network: PreTrainedModel, arguments: ModelArguments) -> None:
    """Freezes what a pre-trained network brings for features, where the architecture has such a part.

    Raises:
        ValueError: its weights are random: frozen, they would never learn.
    """
    learning = network.num_parameters(only_trainable=True)
    network.freeze_feature_encoder()
    frozen = learning - network.num_parameters(only_trainable=True)
    if frozen and arguments.config_name is not None:
        raise ValueError(
            f"The feature encoder starts from random weights (--config_name {arguments.config_name}), and frozen its "
            f"{frozen:,} parameters would never learn: add --freeze_feature_encoder false, or start from a pre-trained "
            "network with --model_name_or_path."
        )


def trained_config(arguments: ModelArguments) -> PreTrainedConfig | None:
    """The configuration of a checkpoint of this project that training goes on from, `None` if it starts elsewhere.

    Raises:
        ValueError: there is no such architecture, or the checkpoint is of another.
    """
    if arguments.architecture not in (None, *ARCHITECTURES):
        raise ValueError(f"--architecture takes {', '.join(ARCHITECTURES)}; got {arguments.architecture!r}.")
    name = arguments.model_name_or_path
    if name is None or (arguments.architecture == "panns" and name.endswith(".pth")):  # which has no configuration
        return None
    if name.endswith(".pth"):
        raise ValueError(f"{name}: a file of CNN14 is read with --architecture panns.")
    config = load_config(name, arguments.model_revision)
    architecture = architecture_of(config)
    if architecture and arguments.architecture not in (None, architecture):
        raise ValueError(f"{name} is a checkpoint of the architecture {architecture}, not {arguments.architecture}.")
    return config if architecture else None


def clips_of_start(arguments: ModelArguments) -> set[str] | None:
    """Ids of the clips that what a training starts from was trained on, `None` where they are not known.

    Random weights have none. A backbone has none either, as long as it has no head for labels: others may have been
    trained on any clips.
    """
    if trained_config(arguments) is not None:
        return read_training_clips(arguments.model_name_or_path)
    name = arguments.model_name_or_path
    if name is None or name.endswith(".pth"):
        return set()
    kinds = load_config(name, arguments.model_revision).architectures or ()
    return set() if all(kind.endswith(_UNLABELED) for kind in kinds) else None


def _go_on(
    arguments: ModelArguments, config: PreTrainedConfig, tasks: list[Task], max_duration_s: float
) -> PreTrainedModel:
    """A checkpoint of this project, with new heads where they are asked for."""
    name = arguments.model_name_or_path
    asked = {
        "max_duration_s": max_duration_s,
        "padding": arguments.padding,
        "mask_time_prob": arguments.mask_time_prob,
    }
    options = ARCHITECTURES[architecture_of(config)].training_options
    for option in asked.keys() & {"max_duration_s", *options}:
        has = getattr(config, option)
        if asked[option] not in (None, has):
            raise ValueError(
                f"{name} was trained with {option} {has}, this training has {asked[option]}: give --{option} {has}, "
                "for max_duration_s to prepare.py."
            )
    network, _ = load_checkpoint(name, arguments.model_revision)
    if "layerdrop" in options:
        network.config.layerdrop = arguments.layerdrop
    kept = _keep_what_heads_learned(config.get_tasks(), tasks, arguments.new_heads)
    network.replace_heads(kept, arguments.new_heads)
    return network


def _keep_what_heads_learned(trained: tuple[Task, ...], tasks: list[Task], new_heads: list[str]) -> list[Task]:
    """A head that is kept keeps its labels, and the mean and deviation by which it was trained to answer."""
    known = {task.name: task for task in trained if task.name not in new_heads}
    return [_continued(known[task.name], task) if task.name in known else task for task in tasks]


def _continued(trained: Task, task: Task) -> Task:
    if not trained.is_classification:
        if task.unit and trained.unit != task.unit:
            raise ValueError(
                f"The checkpoint's head for {task.name} predicts values in {trained.unit or 'another unit'}, the data "
                f"hold {task.unit}. Let it start anew with --new_heads {task.name}."
            )
        return replace(task, mean=trained.mean, std=trained.std)
    if not set(task.labels) <= set(trained.labels):
        return task  # which `replace_heads` refuses
    weights = dict(zip(task.labels, task.class_weights, strict=True))
    return replace(task, labels=trained.labels, class_weights=tuple(weights.get(c, 1.0) for c in trained.labels))
