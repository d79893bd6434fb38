"""Resuming: the checkpoint to resume from, and the settings that must not change (`resume_settings.json`)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import DatasetDict
from transformers import PreTrainedConfig, TrainingArguments

from common.files import write_json
from modeling import Task
from modeling.auto_ser import architecture_of
from preprocessing.prepared.task_values import target_columns

from .arguments.settings import DataArguments, ModelArguments
from .arguments.training_arguments import SERTrainingArguments
from .tasks import kind_of

LATEST = ("latest", "true", "True")
SWEEP = "sweep"  # folder of the points of a sweep, in its output folder
TRAININGS = "trainings"  # folder of the study of several seeds or folds, in their output folder
STUDY_NAME = "study_name.txt"
RESUME_SETTINGS = "resume_settings.json"
ADAPTERS = "adapters.safetensors"  # of a training with LoRA
# Settings that affect the weights; others, such as the number of epochs, may change on a resume.
_OF_MODEL = ("reset_heads", "freeze", "layerdrop", "mask_time_prob")
_OF_NETWORK = ("padding", "num_hidden_layers", "layer_weights", "pooling", "dense_layers")
_OF_TRAINING = (
    *("seed", "learning_rate", "weight_decay", "warmup_steps", "lr_scheduler_type", "lr_scheduler_kwargs"),
    *("optim", "optim_args", "adam_beta1", "adam_beta2", "adam_epsilon", "max_grad_norm"),
    *("train_sampling_strategy", "bf16", "metric_for_best_model"),
    *("head_learning_rate", "layer_decay", "lora_rank", "lora_alpha"),
)
_STATE = ("optimizer.pt", "scheduler.pt")


def checkpoint_to_resume(output_dir: Path, resume_from: str | None) -> str | None:
    """The checkpoint that training resumes from, `None` to start from the beginning.

    Args:
        output_dir: where the training writes.
        resume_from: a checkpoint; `latest` for the last complete one in `output_dir`, or else the beginning; or
            `None`.

    Raises:
        ValueError: `output_dir` holds another training that would be mixed with this one, or the checkpoint does not
            exist.
    """
    if (output_dir / SWEEP / STUDY_NAME).exists():
        raise ValueError(f"{output_dir} holds a sweep: resume it with --sweep, or choose another --output_dir.")
    if (output_dir / TRAININGS / STUDY_NAME).exists():
        raise ValueError(
            f"{output_dir} holds several trainings: resume them with their --seeds or folds, or choose another "
            "--output_dir."
        )
    if resume_from is None or resume_from == "false":
        if _holds_training(output_dir):
            raise ValueError(
                f"{output_dir} holds another training: resume it with --resume_from_checkpoint "
                "latest, or choose another --output_dir."
            )
        return None
    if resume_from in LATEST:
        complete = [path for path in _checkpoints(output_dir) if _is_complete(path)]
        if not complete and _is_finished(output_dir):
            raise ValueError(
                f"{output_dir} holds a finished training without a checkpoint to resume from, and starting again would "
                "replace it: choose another --output_dir."
            )
        return str(complete[-1]) if complete else None
    if not _is_complete(Path(resume_from)):
        raise ValueError(f"--resume_from_checkpoint {resume_from}: expected a complete checkpoint in this folder.")
    if Path(resume_from).resolve().parent != output_dir.resolve() and _holds_training(output_dir):
        raise ValueError(
            f"{output_dir} holds another training than --resume_from_checkpoint {resume_from}: choose another "
            "--output_dir."
        )
    return resume_from


def check_sweep(args: TrainingArguments) -> None:
    """Checks that a sweep with these settings can compare its points, and that `output_dir` holds no other training.

    Raises:
        ValueError: it cannot, or `output_dir` holds a single training.
    """
    output = Path(str(args.output_dir))
    if args.resume_from_checkpoint not in (None, "false"):
        raise ValueError(
            "--sweep resumes the sweep in --output_dir without --resume_from_checkpoint: remove that flag."
        )
    if not args.load_best_model_at_end:
        raise ValueError(
            "--sweep compares points by their validation scores: it needs --load_best_model_at_end true, with "
            "--eval_strategy and --save_strategy epoch or steps."
        )
    if args.save_only_model:
        raise ValueError("--save_only_model saves nothing from which an interrupted point of a --sweep could resume.")
    if not (output / SWEEP / STUDY_NAME).exists() and _holds_training(output):
        raise ValueError(f"{output} holds a training without --sweep: choose another --output_dir.")


def check_cross_validation(args: TrainingArguments) -> None:
    """Checks that several trainings with these settings can be resumed, and that `output_dir` holds no single one.

    Raises:
        ValueError: they cannot, or it does.
    """
    output = Path(str(args.output_dir))
    if args.resume_from_checkpoint not in (None, "false"):
        raise ValueError(
            f"--resume_from_checkpoint {args.resume_from_checkpoint} is for one training: several seeds or folds are "
            "resumed by the same command without it."
        )
    if args.save_only_model:
        raise ValueError("--save_only_model saves nothing from which an interrupted seed or fold could resume.")
    if (output / SWEEP / STUDY_NAME).exists() or _holds_training(output):
        raise ValueError(f"{output} holds another training: choose another --output_dir.")


def _holds_training(output_dir: Path) -> bool:
    return bool(_checkpoints(output_dir)) or _is_finished(output_dir)


def _is_finished(output_dir: Path) -> bool:
    return (output_dir / "model.safetensors").exists()


def _checkpoints(output_dir: Path) -> list[Path]:
    found = [path for path in output_dir.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", path.name)]
    return sorted(found, key=lambda path: int(path.name.rpartition("-")[2]))


def _is_complete(path: Path) -> bool:
    """Whether the Trainer wrote all of it: its state is the last file."""
    try:
        json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def resume_settings(
    data: DataArguments,
    model: ModelArguments,
    args: SERTrainingArguments,
    splits: DatasetDict,
    config: PreTrainedConfig,
    start: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of `resume_settings.json`, which is written at the start and into every checkpoint, without paths.

    - `protocol`; `data`: of the training and the validation clips a SHA-256 of their ids, durations and targets;
    - `architecture`, its options, and `max_duration_s` of a clip;
    - `tasks` with their kinds, `labels` and `task_weights`;
    - `start`: what the training starts from, as [`start_identity`] has it;
    - `batch_size` (clips per update, over all processes), and the settings that affect the weights, `augment` and its
      probability and `corpus_temperature` where they are set.
    """
    tasks = config.get_tasks()
    settings = {name: getattr(model, name) for name in _OF_MODEL} | {name: getattr(args, name) for name in _OF_TRAINING}
    content = {
        "protocol": data.protocol,
        "data": {name: _digest(splits, name, tasks) for name in ("train", "validation") if name in splits},
        "architecture": architecture_of(config),
        **{name: config.to_dict().get(name) for name in _OF_NETWORK},  # some of which CNN14 lacks
        "max_duration_s": config.max_duration_s,
        "tasks": [f"{task.name}:{kind_of(task)}" for task in tasks],
        "labels": {task.name: task.labels for task in tasks if task.is_classification},
        "task_weights": {task.name: task.weight for task in tasks},
        "start": start_identity(model, start),
        "batch_size": args.effective_batch_size,
        **settings,
    }
    if data.augment:  # which earlier states of the project did not have
        content |= {"augment": sorted(data.augment), "augment_probability": data.augment_probability}
    if args.corpus_temperature != 1:  # as above
        content["corpus_temperature"] = args.corpus_temperature
    return json.loads(json.dumps(content))


def _digest(splits: DatasetDict, split: str, tasks: tuple[Task, ...]) -> str:
    targets = {name for task in tasks for name in target_columns(task, splits[split].column_names)}
    columns = ["id", "duration_s", *sorted(targets)]
    values = {column: splits[split][column][:] for column in columns}
    return hashlib.sha256(json.dumps(values, default=str).encode()).hexdigest()


def start_identity(model: ModelArguments, start: Mapping[str, Any]) -> str:
    """Identity of what a training starts from: a commit on the Hub, or a SHA-256 of the weights or the config.

    Args:
        model: its name or path.
        start: as returned by [`~training.start.describe_start`].
    """
    if start["revision"] is not None:
        return f"{start['base_model']}@{start['revision']}"
    path = Path(str(model.model_name_or_path or model.config_name))
    files = [path]
    if path.is_dir():
        files = sorted({*path.glob("model*.safetensors"), *path.glob("pytorch_model*.bin")})
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            hashlib.file_digest(stream, lambda: digest)  # which updates the same digest
    return digest.hexdigest()


def write_resume_settings(settings: Mapping[str, Any], folder: Path) -> None:
    """Writes `resume_settings.json` into the folder of a training, or of a checkpoint."""
    write_json(folder / RESUME_SETTINGS, settings)


def check_resume(checkpoint: str | Path, settings: Mapping[str, Any]) -> None:
    """Checks that a training can resume from a checkpoint.

    Args:
        checkpoint: its folder.
        settings: [`resume_settings`] of the training that is to resume.

    Raises:
        ValueError: the checkpoint is of another training, whose differences the message lists, or it lacks files that
            resuming needs.
    """
    needed = (RESUME_SETTINGS, *_STATE, *([ADAPTERS] if settings["lora_rank"] else []))
    lacking = [name for name in needed if not Path(checkpoint, name).is_file()]
    if lacking:
        raise ValueError(
            f"{checkpoint} lacks {' and '.join(lacking)}, which resuming needs. To start another training from "
            "its weights, "
            "pass it as --model_name_or_path."
        )
    theirs = json.loads(Path(checkpoint, RESUME_SETTINGS).read_text(encoding="utf-8"))
    if changes := differences(theirs, settings):
        raise ValueError(
            f"{checkpoint} is of another training: {'; '.join(changes)}. Resume with the same settings and data, or "
            "start another training from it with --model_name_or_path and another --output_dir."
        )


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any], ignored: tuple[str, ...] = ()) -> list[str]:
    """The settings in which two trainings differ, with both values."""
    names = [name for name in {**ours, **theirs} if name not in ignored and theirs.get(name) != ours.get(name)]
    return [f"{name} was {_shown(theirs.get(name))}, but is {_shown(ours.get(name))}" for name in names]


def _shown(value: object) -> str:
    """A value in a message: a list by its items, a digest by its first digits."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return value[:12] if isinstance(value, str) and len(value) == 64 else str(value)
