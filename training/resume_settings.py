"""What a training is made of: written before its first step and into every checkpoint, and compared on a resume."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import DatasetDict
from transformers import PreTrainedConfig

from common.files import write_json
from modeling import Task
from modeling.auto_ser import architecture_of

from .arguments.parse import DataArguments, ModelArguments, SERTrainingArguments
from .tasks import kind_of

RECORD = "resume_settings.json"
# Settings that decide what is learned; others, such as the number of epochs, may change on a resume.
_OF_MODEL = ("new_heads", "freeze_feature_encoder", "layerdrop", "mask_time_prob")
_OF_TRAINING = (
    *("seed", "learning_rate", "weight_decay", "warmup_steps", "lr_scheduler_type", "lr_scheduler_kwargs"),
    *("optim", "optim_args", "adam_beta1", "adam_beta2", "adam_epsilon", "max_grad_norm"),
    *("train_sampling_strategy", "bf16", "metric_for_best_model"),
)
_STATE = ("optimizer.pt", "scheduler.pt")


def resume_settings(
    data: DataArguments,
    model: ModelArguments,
    args: SERTrainingArguments,
    splits: DatasetDict,
    config: PreTrainedConfig,
    start: Mapping[str, Any],
) -> dict[str, Any]:
    """What `resume_settings.json` holds; it names no folder of the machine.

    - `protocol`; `data`: of the training and the validation clips a SHA-256 of their ids, durations and targets;
    - `architecture`, `padding`, and `max_duration_s` of a clip that the network gets;
    - `tasks` with their kinds, `labels` and `task_weights`;
    - `start`: what the training starts from, as [`start_identity`] has it;
    - `batch_size` (clips per update, over all processes), and the settings that decide what is learned.
    """
    tasks = config.get_tasks()
    settings = {name: getattr(model, name) for name in _OF_MODEL} | {name: getattr(args, name) for name in _OF_TRAINING}
    record = {
        "protocol": data.protocol,
        "data": {name: _digest(splits, name, tasks) for name in ("train", "validation") if name in splits},
        "architecture": architecture_of(config),
        "padding": config.to_dict().get("padding"),  # CNN14 has none to choose
        "max_duration_s": config.max_duration_s,
        "tasks": [f"{task.name}:{kind_of(task)}" for task in tasks],
        "labels": {task.name: task.labels for task in tasks if task.is_classification},
        "task_weights": {task.name: task.weight for task in tasks},
        "start": start_identity(model, start),
        "batch_size": args.effective_batch_size,
        **settings,
    }
    return json.loads(json.dumps(record))


def _digest(splits: DatasetDict, split: str, tasks: tuple[Task, ...]) -> str:
    columns = ["id", "duration_s", *sorted({task.column for task in tasks})]
    values = {column: splits[split][column][:] for column in columns}
    return hashlib.sha256(json.dumps(values, default=str).encode()).hexdigest()


def start_identity(model: ModelArguments, start: Mapping[str, Any]) -> str:
    """What a training starts from: a commit on the Hub, or a SHA-256 of the weights, or of the config, it reads.

    Args:
        model: names it.
        start: of [`~training.start.describe_start`].
    """
    if start["revision"] is not None:
        return f"{start['base_model']}@{start['revision']}"
    path = Path(model.model_name_or_path or model.config_name)
    files = [path]
    if path.is_dir():
        files = sorted({*path.glob("model*.safetensors"), *path.glob("pytorch_model*.bin")})
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            hashlib.file_digest(stream, lambda: digest)  # which goes on with the same digest
    return digest.hexdigest()


def write_resume_settings(record: Mapping[str, Any], folder: Path) -> None:
    """Writes `resume_settings.json` into the folder of a training, or of a checkpoint."""
    write_json(folder / RECORD, record)


def check_resume(checkpoint: str | Path, record: Mapping[str, Any]) -> None:
    """Checks that a training can go on from a checkpoint.

    Args:
        checkpoint: its folder.
        record: of the training that is to go on.

    Raises:
        ValueError: the checkpoint is of another training, which the message tells apart from this one, or lacks what a
            training goes on with.
    """
    lacking = [name for name in (RECORD, *_STATE) if not Path(checkpoint, name).is_file()]
    if lacking:
        raise ValueError(
            f"{checkpoint} has no {' and no '.join(lacking)}, and a resumed training needs all of a checkpoint. To "
            "start another training from its weights, give it as --model_name_or_path."
        )
    theirs = json.loads(Path(checkpoint, RECORD).read_text(encoding="utf-8"))
    if changes := differences(theirs, record):
        raise ValueError(
            f"{checkpoint} is of another training: {'; '.join(changes)}. Resume with the same settings and data, or "
            "start another training from it with --model_name_or_path and another --output_dir."
        )


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any], ignored: tuple[str, ...] = ()) -> list[str]:
    """What tells two records apart, each with both values."""
    names = [name for name in {**ours, **theirs} if name not in ignored and theirs.get(name) != ours.get(name)]
    return [f"{name} was {_shown(theirs.get(name))}, and is {_shown(ours.get(name))}" for name in names]


def _shown(value: object) -> str:
    """A value for people: a list as its items, a digest by its beginning."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return value[:12] if isinstance(value, str) and len(value) == 64 else str(value)
