"""Settings, data and model -> a training that has passed all checks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import DatasetDict
from transformers import (
    PreTrainedModel,
    set_seed,
)
from transformers.utils.logging import get_logger

from common.files import check_writable
from common.training_clips import read_training_clips, union
from evaluation.metrics.scores import CLASSIFICATION_METRICS, REGRESSION_METRICS
from modeling import Task
from preprocessing.prepared.load import count_in_no_split, load_prepared, load_report

from .arguments.parse import MAIN_METRIC, DataArguments, ModelArguments, SERTrainingArguments, SweepArguments
from .model import build_model, clips_of_start, freeze_feature_encoder, task_names
from .resume import check_sweep, checkpoint_to_resume
from .resume_settings import check_resume, resume_settings
from .start import describe_start
from .tasks import fit_tasks

logger = get_logger(__name__)


@dataclass
class Job:
    """A training that has passed all checks."""

    data: DataArguments
    args: SERTrainingArguments
    sweep: SweepArguments
    settings: dict[str, Any]
    splits: DatasetDict
    model: PreTrainedModel
    resume_from: str | None
    start: dict[str, Any]  # what it starts from, as `training.json` has it
    # Ids of the clips that what it starts from, or goes on from, was trained on; `None` if they are not known.
    trained_before: set[str] | None
    record: dict[str, Any]  # as `resume_settings.json` has it

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self.model.config.get_tasks()


def plan(
    data: DataArguments,
    model: ModelArguments,
    args: SERTrainingArguments,
    sweep: SweepArguments,
    settings: dict[str, Any],
) -> Job:
    """Checks everything that can be wrong before a step is made, and loads data and model.

    Raises:
        ValueError: a setting does not fit the data, the checkpoint or another setting.
    """
    if sweep.sweep:
        check_sweep(args)
        resume_from = None  # each of its points finds its own
    else:
        resume_from = checkpoint_to_resume(Path(args.output_dir), args.resume_from_checkpoint)
    args.resume_from_checkpoint = None
    check_writable(Path(args.output_dir))
    splits = load_prepared(data.data, data.protocol)
    if unused := count_in_no_split(data.data, splits):
        logger.warning("Protocol %s: %d clips of %s are in no split.", data.protocol, unused, data.data)
    if "train" not in splits:
        raise ValueError(f"Protocol {data.protocol} of {data.data} has no training clips: choose another.")
    if args.eval_strategy != "no" and "validation" not in splits:
        raise ValueError(
            f"Protocol {data.protocol} of {data.data} has no validation clips: choose another, or train with "
            "--eval_strategy no --load_best_model_at_end false."
        )
    tasks = fit_tasks(task_names(model), model.weights(), splits["train"])
    max_duration_s = load_report(data.data)["settings"]["max_duration_s"]
    _choose_metric(args, tasks, splits)
    set_seed(args.seed)
    network = build_model(model, tasks, max_duration_s)
    if args.activation_checkpointing and not network.supports_gradient_checkpointing:
        raise ValueError("--activation_checkpointing True: this architecture cannot compute activations anew.")
    _say_absent_classes(network.config.get_tasks(), splits)
    args.fit_batches(batch_statistics=network.has_batch_statistics)
    if network.has_batch_statistics and args.per_device_train_batch_size < args.effective_batch_size:
        logger.warning(
            "Batch norm takes its statistics from %d clips, not from the %d of an update.",
            *(args.per_device_train_batch_size, args.effective_batch_size),
        )
    if model.freeze_feature_encoder:
        freeze_feature_encoder(network, model)
    if model.layerdrop:
        args.ddp_find_unused_parameters = True  # a skipped layer has no gradient
    start = describe_start(model)
    record = resume_settings(data, model, args, splits, network.config, start)
    before = clips_of_start(model)
    if resume_from is not None:
        check_resume(resume_from, record)
        before = union(before, read_training_clips(resume_from))
    return Job(data, args, sweep, settings, splits, network, resume_from, start, before, record)


def _say_absent_classes(tasks: tuple[Task, ...], splits: DatasetDict) -> None:
    """Warns of classes that the training clips lack, of which a head learns nothing."""
    for task in tasks:
        if task.is_classification:
            counts = {split: Counter(map(str, clips[task.column][:])) for split, clips in splits.items()}
            learned = counts.pop("train")
            for label in sorted({*task.labels, *sum(counts.values(), Counter())} - {*learned, str(None)}):
                clips = sum(count[label] for count in counts.values())
                logger.warning("No training clip is %s (%s), and %d of the other splits are.", label, task.name, clips)


def _choose_metric(args: SERTrainingArguments, tasks: list[Task], splits: DatasetDict) -> None:
    """Sets or checks the metric that picks the best checkpoint, and whether more of it is better."""
    if args.early_stopping_patience is not None and args.eval_strategy == "no":
        raise ValueError("--early_stopping_patience needs evaluations: --eval_strategy epoch or steps.")
    if not args.load_best_model_at_end and args.early_stopping_patience is None:
        args.metric_for_best_model = None
        return
    of_metric = {
        f"{task.name}_{metric}": task
        for task in tasks
        for metric in (CLASSIFICATION_METRICS if task.is_classification else REGRESSION_METRICS)
    } | {f"loss_{task.name}": task for task in tasks}
    name = (args.metric_for_best_model or MAIN_METRIC).removeprefix("eval_")
    if name == MAIN_METRIC:
        main = next((task for task in tasks if task.name == "emotion"), tasks[0])
        name = f"{main.name}_{'weighted_f1' if main.is_classification else 'ccc'}"
    if name != "loss" and name not in of_metric:
        raise ValueError(
            f"--metric_for_best_model {name}: an evaluation has no such figure. It has {MAIN_METRIC}, loss, "
            f"{', '.join(of_metric)}."
        )
    if name in of_metric:
        column = of_metric[name].column
        if len({value for value in splits["validation"][column][:] if value is not None}) < 2:
            raise ValueError(f"--metric_for_best_model {name}: the validation clips have no two values of {column!r}.")
    args.metric_for_best_model = name
    args.greater_is_better = not (name.startswith("loss") or name.endswith("_mae"))
