"""Settings, data and model -> a training that has passed all checks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import DatasetDict
from transformers import PreTrainedModel, set_seed
from transformers.utils.logging import get_logger

from common.files import check_writable
from common.training_clips import read_training_clips, union
from evaluation.metrics.scores import CLASSIFICATION_METRICS, REGRESSION_METRICS
from modeling import Task
from preprocessing.prepared.load import count_in_no_split, load_prepared
from preprocessing.prepared.table import load_report
from preprocessing.prepared.task_values import target_labels, target_values
from preprocessing.votes import has_votes

from .arguments.settings import DataArguments, ModelArguments, QueueArguments
from .arguments.training_arguments import MAIN_METRIC, SERTrainingArguments
from .corpus_sampling import CorpusSampling
from .learning_rates import learning_rates
from .model import build_model, clips_of_start, freeze, task_names
from .recipe import check_recipe
from .resume import check_resume, check_sweep, checkpoint_to_resume, resume_settings
from .start import describe_start
from .tasks import fit_tasks

logger = get_logger(__name__)


@dataclass
class TrainingJob:
    """A training that has passed all checks.

    Attributes:
        data, args, queue: groups of settings.
        settings: all of them, as `train_config.yaml` holds them.
        splits: clips by split.
        model: the model to train.
        resume_from: checkpoint to resume from, `None` to start from the beginning.
        start: what training starts from, as `training.json` holds it.
        clips_before: ids of the clips that this start, or the resumed checkpoint, was trained on; `None` if unknown.
        resume_settings: the content of `resume_settings.json`.
        trained_parameters: how many parameters are trained, those of adapters included.
    """

    data: DataArguments
    args: SERTrainingArguments
    queue: QueueArguments
    settings: dict[str, Any]
    splits: DatasetDict
    model: PreTrainedModel
    resume_from: str | None
    start: dict[str, Any]
    clips_before: set[str] | None
    resume_settings: dict[str, Any]
    trained_parameters: int

    @property
    def output_dir(self) -> Path:
        return Path(str(self.args.output_dir))

    @property
    def sampling(self) -> CorpusSampling | None:
        """Draws the training clips of an epoch; `None` where each has every clip once."""
        if self.args.corpus_temperature == 1:
            return None
        return CorpusSampling(self.splits["train"]["corpus"][:], self.args.corpus_temperature)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self.model.config.get_tasks()


def prepare_job(
    data: DataArguments,
    model: ModelArguments,
    args: SERTrainingArguments,
    queue: QueueArguments,
    settings: dict[str, Any],
) -> TrainingJob:
    """Checks everything that can be wrong before the first step, and loads data and model.

    Raises:
        ValueError: a setting does not fit the data, the checkpoint or another setting.
    """
    output_dir = Path(str(args.output_dir))
    if queue.sweep:
        check_sweep(args)
        resume_from = None  # each point has its own
    else:
        resume_from = checkpoint_to_resume(output_dir, args.resume_from_checkpoint)
    args.resume_from_checkpoint = None
    check_writable(output_dir)
    splits = _load_splits(data, args)
    tasks = fit_tasks(task_names(model), model.weights(), splits["train"])
    _choose_metric(args, tasks, splits)
    set_seed(args.seed)
    network = build_model(model, tasks, load_report(data.data)["settings"]["max_duration_s"])
    _warn_of_absent_classes(network.config.get_tasks(), splits)
    _warn_of_absent_votes(network.config.get_tasks(), splits)
    _adapt_to_network(args, model, network)
    if args.recipe_of is not None:
        if data.protocol != "all":
            raise ValueError(
                f"--recipe_of is for --protocol all; a model of --protocol {data.protocol} has figures of its own."
            )
        check_recipe(args.recipe_of, network.config.get_tasks(), settings)
    start = describe_start(model)
    resume = resume_settings(data, model, args, splits, network.config, start)
    clips_before = clips_of_start(model)
    if resume_from is not None:
        check_resume(resume_from, resume)
        clips_before = union(clips_before, read_training_clips(resume_from))
    trained = network.num_parameters(only_trainable=True)
    return TrainingJob(data, args, queue, settings, splits, network, resume_from, start, clips_before, resume, trained)


def _load_splits(data: DataArguments, args: SERTrainingArguments) -> DatasetDict:
    splits = load_prepared(data.data, data.protocol)
    if unused := count_in_no_split(data.data, splits):
        logger.warning("Protocol %s: %d clips of %s are in no split.", data.protocol, unused, data.data)
    if "train" not in splits:
        raise ValueError(f"Protocol {data.protocol} of {data.data} has no training clips: choose another one.")
    if args.eval_strategy != "no" and "validation" not in splits:
        raise ValueError(
            f"Protocol {data.protocol} of {data.data} has no validation clips: choose another one, or train with "
            "--eval_strategy no --load_best_model_at_end false."
        )
    return splits


def _adapt_to_network(args: SERTrainingArguments, model: ModelArguments, network: PreTrainedModel) -> None:
    """Sets what depends on the network: batch sizes, frozen weights, parameters without gradients."""
    if args.activation_checkpointing and not network.supports_gradient_checkpointing:
        raise ValueError("--activation_checkpointing True is not supported by this architecture.")
    args.set_batch_sizes(batch_statistics=bool(network.has_batch_statistics))
    if network.has_batch_statistics and args.per_device_train_batch_size != args.effective_batch_size:
        logger.warning(
            "Batch norm computes its statistics from %d clips, not from the %d of an update.",
            *(args.per_device_train_batch_size, args.effective_batch_size),
        )
    if args.bf16 and args.device.type == "cpu":
        network.set_attn_implementation("eager")  # the backward of the fused one is slow there in bfloat16
    freeze(network, model)
    if args.lora_rank:
        _add_adapters(args, model, network)
    learning_rates(network, args)  # which refuses what has no effect
    if model.layerdrop:
        args.ddp_find_unused_parameters = True  # a skipped layer has no gradient


def _add_adapters(args: SERTrainingArguments, model: ModelArguments, network: PreTrainedModel) -> None:
    if model.config_name is not None:
        raise ValueError(
            f"--lora_rank {args.lora_rank} freezes the encoder, whose weights are random (--config_name "
            f"{model.config_name}): start from a pre-trained network with --model_name_or_path."
        )
    if model.freeze == "none":
        raise ValueError(
            f"--lora_rank {args.lora_rank} freezes the encoder's own weights, but --freeze none trains them: remove "
            "one of them."
        )
    try:
        from .lora import add_adapters
    except ModuleNotFoundError as error:
        raise ValueError(f"--lora_rank {args.lora_rank} needs peft: pip install peft") from error
    add_adapters(network, args.lora_rank, args.lora_alpha or 2 * args.lora_rank)


def _warn_of_absent_classes(tasks: tuple[Task, ...], splits: DatasetDict) -> None:
    """Warns of classes without a training clip, which a head cannot learn."""
    for task in tasks:
        if task.is_classification:
            counts = {split: Counter(map(str, target_labels(task, clips))) for split, clips in splits.items()}
            trained = counts.pop("train")
            for label in sorted({*task.labels, *sum(counts.values(), Counter())} - {*trained, str(None)}):
                clips = sum(count[label] for count in counts.values())
                logger.warning(
                    "No training clip is %s (%s), but %d clips of other splits are.", label, task.name, clips
                )


def _warn_of_absent_votes(tasks: tuple[Task, ...], splits: DatasetDict) -> None:
    """Warns of clips whose soft label is their single label, because they have no votes."""
    for task in tasks:
        for split, clips in splits.items() if task.has_soft_labels else ():
            voted = has_votes(task.column, target_values(task, clips))
            alone = sum(label is not None for label in clips.select(np.flatnonzero(~voted))[task.column][:])
            if alone:
                logger.warning(
                    "Task %s: %d of %d %s clips have a label, but no votes; the label counts as all of the votes.",
                    *(task.name, alone, len(voted), split),
                )


def _choose_metric(args: SERTrainingArguments, tasks: list[Task], splits: DatasetDict) -> None:
    """Sets or checks the metric that chooses the best checkpoint, and whether greater is better."""
    if args.early_stopping_patience is not None and args.eval_strategy == "no":
        raise ValueError("--early_stopping_patience needs evaluations: --eval_strategy epoch or steps.")
    if not args.load_best_model_at_end and args.early_stopping_patience is None:
        args.metric_for_best_model = None
        return
    name = (args.metric_for_best_model or MAIN_METRIC).removeprefix("eval_")
    if name == MAIN_METRIC:
        main = next((task for task in tasks if task.name == "emotion"), tasks[0])
        name = f"{main.name}_{'weighted_f1' if main.is_classification else 'ccc'}"
    _check_metric(name, tasks, splits)
    args.metric_for_best_model = name
    args.greater_is_better = not (name.startswith("loss") or name.endswith("_mae"))


def _check_metric(name: str, tasks: list[Task], splits: DatasetDict) -> None:
    task_of_metric = {
        f"{task.name}_{metric}": task
        for task in tasks
        for metric in (CLASSIFICATION_METRICS if task.is_classification else REGRESSION_METRICS)
    } | {f"loss_{task.name}": task for task in tasks}
    if name != "loss" and name not in task_of_metric:
        raise ValueError(
            f"--metric_for_best_model {name} is not a metric of an evaluation. Those are {MAIN_METRIC}, loss, "
            f"{', '.join(task_of_metric)}."
        )
    if name in task_of_metric:
        task = task_of_metric[name]
        column = task.column
        if len({value for value in target_labels(task, splits["validation"]) if value is not None}) < 2:
            raise ValueError(
                f"--metric_for_best_model {name} needs at least two values of {column!r} among the validation clips."
            )
