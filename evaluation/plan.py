"""What an evaluation needs, checked before a clip is processed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets import Dataset, DatasetDict
from transformers import PreTrainedConfig
from transformers.utils.logging import get_logger

from common.checkpoint import load_config
from common.training_clips import training_protocol
from modeling import Task
from modeling.auto_ser import architecture_of
from preprocessing.augmentation.conditions import Condition
from preprocessing.prepared.load import load_prepared
from preprocessing.prepared.table import load_report
from preprocessing.targets.acoustics import UNITS

from .metrics.baseline import check_baseline

logger = get_logger(__name__)


@dataclass(frozen=True)
class EvaluationPlan:
    """An evaluation that has passed all checks.

    Args:
        checkpoint: folder or Hub id.
        data: prepared folder.
        protocol: which clips are in which split.
        splits: by this protocol.
        split: the one to evaluate on.
        config: of the checkpoint.
        tasks: those of its tasks that the data have a column for, in the same unit.
        baseline: whether to train and evaluate the baseline too.
    """

    checkpoint: str
    data: Path
    protocol: str
    splits: DatasetDict
    split: str
    config: PreTrainedConfig
    tasks: list[Task]
    baseline: bool

    @property
    def clips(self) -> Dataset:
        return self.splits[self.split]

    @property
    def main_task(self) -> Task:
        return self.config.main_task


def plan_evaluation(
    checkpoint: str, data: Path, protocol: str | None = None, *, split: str = "test", baseline: bool = False
) -> EvaluationPlan:
    """Checks what can be wrong before a clip is processed.

    Args:
        checkpoint: folder or Hub id of a checkpoint.
        data: prepared folder.
        protocol: which clips are in which split; by default that of the checkpoint's training.
        split: the split to evaluate on.
        baseline: whether to train and evaluate the baseline too.

    Raises:
        ValueError: the folder is not a checkpoint of this project, or the data have no such split, not the main task's
            column, or nothing to train the baseline on.
    """
    config = load_config(checkpoint)
    if architecture_of(config) is None:
        raise ValueError(f"{checkpoint} is a {config.model_type!r} checkpoint, not one that train.py wrote.")
    protocol = protocol or training_protocol(checkpoint)
    splits = load_prepared(data, protocol)
    if split not in splits:
        raise ValueError(f"Protocol {protocol} of {data} has no {split} clips; it has {', '.join(splits)}.")
    _check_duration(checkpoint, data, config.max_duration_s)
    tasks = [task for task in config.get_tasks() if _is_in_data(task, splits[split])]
    main_task = config.main_task
    if main_task not in tasks:
        raise ValueError(f"{data} has no column {main_task.column!r}, the target of the main task of {checkpoint}.")
    if baseline:
        check_baseline(splits, split, main_task)
    return EvaluationPlan(checkpoint, data, protocol, splits, split, config, tasks, baseline)


def _check_duration(checkpoint: str, data: Path, max_duration_s: float) -> None:
    """Refuses data whose targets were measured over another length than the model processes."""
    measured_s = load_report(data)["settings"]["max_duration_s"]
    if measured_s != max_duration_s:
        raise ValueError(
            f"{checkpoint} processes {max_duration_s} s of a clip, but the targets of {data} were measured over "
            f"{measured_s} s: prepare it with --max_duration_s {max_duration_s}."
        )


def _is_in_data(task: Task, clips: Dataset) -> bool:
    """Whether the data hold what the head predicts, in its unit."""
    unit = UNITS.get(task.column, task.unit)
    if unit != task.unit:
        logger.warning(
            "The head %s is not evaluated: it predicts values in %s, the data hold %s.",
            *(task.name, task.unit or "another unit", unit),
        )
    return task.column in clips.column_names and unit == task.unit


def check_conditions(conditions: Sequence[Condition], plans: Sequence[EvaluationPlan]) -> None:
    """Refuses conditions that change what the main task predicts.

    Raises:
        ValueError: the target of a main task is one of the acoustic targets that a condition changes.
    """
    for condition in conditions:
        for plan in plans:
            if plan.main_task.column in condition.changed_targets:
                raise ValueError(
                    f"--condition {condition} changes {plan.main_task.column}, the target of the main task of "
                    f"{plan.checkpoint}: its labels would be wrong."
                )
