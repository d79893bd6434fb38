"""Prepared folder and settings -> checkpoint: what `train.py` does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from datasets import Dataset, DatasetDict
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    PreTrainedModel,
    Wav2Vec2FeatureExtractor,
    set_seed,
)
from transformers.utils.logging import disable_progress_bar, get_logger

from evaluation.metrics import CLASSIFICATION_METRICS, REGRESSION_METRICS, compute_metrics
from evaluation.predict import in_order, longest_first
from evaluation.report import format_report, main_scores
from evaluation.run import evaluate_checkpoint, plan_evaluation, read_training_clips, union, write_training_clips
from evaluation.summary import write_summary
from modeling import SAMPLING_RATE, Task
from modeling.cpu_ser import keep_freed_memory
from modeling.heads_ser import multi_task_loss
from preprocessing.collator import SERDataCollator, encode
from preprocessing.dataset import count_in_no_split, load_prepared, load_report
from preprocessing.report import check_writable, write_text

from .arguments import MAIN_METRIC, DataArguments, ModelArguments, SERTrainingArguments, SweepArguments
from .best import BestCallback, describe_best
from .calibrate import calibrate
from .checkpoints import check_sweep, checkpoint_to_resume
from .facts import start_facts, write_training_facts
from .network import build_model, clips_of_start, freeze_feature_encoder, task_names
from .record import check_resume, training_record, write_record
from .tasks import fit_tasks
from .trainer import MultiTaskSERTrainer

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
    record: dict[str, Any]  # as `training_record.json` has it

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
    start = start_facts(model)
    record = training_record(data, model, args, splits, network.config, start)
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


def train(job: Job) -> dict:
    """Trains, and leaves in `output_dir` the best checkpoint with its feature extractor, settings, facts and report.

    Returns:
        The report on the test split, in the first process; empty in the others, or where there are no test clips.
    """
    keep_freed_memory()
    trainer = build_trainer(job)
    if trainer.is_world_process_zero():
        trainer.write_record(Path(job.args.output_dir))  # before the first step, whatever ends the training
    trainer.train(resume_from_checkpoint=job.resume_from)
    if trainer.is_world_process_zero():
        print(describe_best(trainer.state, job.args.metric_for_best_model, trainer.state.epoch or 0))
    return finish(trainer, job)


def _write_record(job: Job, folder: Path) -> None:
    write_record(job.record, folder)
    write_training_clips(folder, job.splits["train"]["id"], job.trained_before)


def build_trainer(job: Job, kind: type[MultiTaskSERTrainer] = MultiTaskSERTrainer) -> MultiTaskSERTrainer:
    """A Trainer of the model, the clips and the settings of `job`."""
    if job.args.disable_tqdm:
        disable_progress_bar()  # of saving and loading, too
    feature_extractor = Wav2Vec2FeatureExtractor(
        # wav2vec 2.0 brings each clip to unit variance itself, and CNN14 hears the level as recorded.
        do_normalize=False,
        return_attention_mask=True,
        sampling_rate=SAMPLING_RATE,
    )
    return kind(
        job.model,
        job.args,
        tasks=job.tasks,
        write_record=partial(_write_record, job),
        data_collator=SERDataCollator(feature_extractor, job.tasks, job.model.config.max_duration_s),
        train_dataset=job.splits["train"],
        eval_dataset=longest_first(job.splits["validation"]) if "validation" in job.splits else None,
        processing_class=feature_extractor,
        compute_metrics=lambda prediction: score(prediction, job.splits["validation"], job.tasks),
        callbacks=_callbacks(job.args),
    )


def finish(trainer: MultiTaskSERTrainer, job: Job) -> dict:
    """Makes of a trained model what `train` leaves and returns."""
    output = Path(job.args.output_dir)
    hardware = {"per_device_eval_batch_size": job.args.per_device_eval_batch_size, "use_cpu": job.args.use_cpu}
    if job.args.calibrate and "validation" in job.splits:
        calibrate(job.model, trainer.processing_class, job.splits["validation"], output, **hardware)
    if trainer.is_world_process_zero():
        (output / "metrics.json").unlink(missing_ok=True)  # of other weights, if there is one
        job.model.save_pretrained(output)
        (output / "model.safetensors").chmod(0o644)  # safetensors writes for the owner alone
        trainer.processing_class.save_pretrained(output)
        write_text(output / "train_config.yaml", yaml.safe_dump(job.settings, allow_unicode=True))
        trainer.write_record(output)
        write_training_facts(job, trainer, output)
    trainer.accelerator.wait_for_everyone()
    report = None
    if "test" in job.splits:  # in float32 from what was saved, as evaluate.py has it
        planned = plan_evaluation(str(output), Path(job.data.data), job.data.protocol)
        evaluation = evaluate_checkpoint(planned, output, **hardware)
        report = evaluation.report if evaluation else None
        if evaluation:
            write_summary([evaluation], output)
    if report:
        print("\n" + format_report(report))
    trainer.end()
    return report or {}


def score(prediction: EvalPrediction, clips: Dataset, tasks: tuple[Task, ...]) -> dict[str, float]:
    """What an evaluation during training logs: means over corpora, and the losses over all clips."""
    logits = in_order(prediction, clips)
    as_tensors = {name: torch.as_tensor(values) for name, values in logits.items()}
    labels = {task.name: encode(task, clips[task.column][:]) for task in tasks}
    # The Trainer's own is a mean over batches, in which one with a single labelled clip weighs as much as a full one.
    total, losses = multi_task_loss(as_tensors, labels, tasks)
    metrics = compute_metrics(clips, logits, tasks, intervals=False)
    return {
        "loss": total.item(),
        **{f"loss_{name}": loss.item() for name, loss in losses.items()},
        **main_scores(tasks, metrics),
    }


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


def _callbacks(args: SERTrainingArguments) -> list:
    if args.early_stopping_patience is None:
        return [BestCallback()]
    return [BestCallback(), EarlyStoppingCallback(args.early_stopping_patience)]
