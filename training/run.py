"""Prepared folder and settings -> checkpoint: what `train.py` does."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from datasets import Dataset, DatasetDict
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    PreTrainedModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    set_seed,
)
from transformers.utils.logging import disable_progress_bar

from evaluation.metrics import CLASSIFICATION_METRICS, REGRESSION_METRICS, compute_metrics
from evaluation.predict import in_order, longest_first
from evaluation.report import build_report, format_report, main_scores, write_report
from modeling import (
    SAMPLING_RATE,
    Task,
    Wav2Vec2ForMultiTaskSER,
    Wav2Vec2MultiTaskSERConfig,
    load_checkpoint,
    load_config,
)
from modeling.heads_ser import multi_task_loss
from preprocessing.collator import SERDataCollator
from preprocessing.dataset import load_prepared, load_report

from .arguments import DataArguments, ModelArguments, SERTrainingArguments
from .checkpoints import checkpoint_to_resume
from .tasks import fit_tasks
from .trainer import MultiTaskSERTrainer


@dataclass
class Job:
    """A training that has passed all checks."""

    data: DataArguments
    args: SERTrainingArguments
    settings: dict[str, Any]
    splits: DatasetDict
    model: PreTrainedModel
    resume_from: str | None

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self.model.config.get_tasks()


def plan(data: DataArguments, model: ModelArguments, args: SERTrainingArguments, settings: dict[str, Any]) -> Job:
    """Checks everything that can be wrong before a step is made, and loads data and model.

    Raises:
        ValueError: a setting does not fit the data, the checkpoint or another setting.
    """
    resume_from = checkpoint_to_resume(Path(args.output_dir), args.resume_from_checkpoint)
    args.resume_from_checkpoint = None
    splits = load_prepared(data.data, data.protocol)
    if args.eval_strategy != "no" and "validation" not in splits:
        raise ValueError(
            f"Protocol {data.protocol} of {data.data} has no validation clips: choose another, or train with "
            "--eval_strategy no --load_best_model_at_end false."
        )
    tasks = fit_tasks(model.tasks, model.weights(), splits["train"])
    max_duration_s = load_report(data.data)["settings"]["max_duration_s"]
    _choose_metric(args, tasks)
    set_seed(args.seed)
    network = build_model(model, tasks, max_duration_s)
    if model.freeze_feature_encoder:
        network.freeze_feature_encoder()
    if model.layerdrop:
        args.ddp_find_unused_parameters = True  # a skipped layer has no gradient
    return Job(data, args, settings, splits, network, resume_from)


def train(job: Job) -> dict:
    """Trains, and leaves in `output_dir` the best checkpoint, its feature extractor, metrics and settings.

    Returns:
        The report on the test split, as written to `metrics.json`; empty where there is no test split.
    """
    output = Path(job.args.output_dir)
    if job.args.disable_tqdm:
        disable_progress_bar()  # of saving and loading, too
    feature_extractor = Wav2Vec2FeatureExtractor(
        # The model brings each clip to unit variance itself: to do it twice would change very quiet ones.
        do_normalize=False,
        return_attention_mask=True,
        sampling_rate=SAMPLING_RATE,
    )
    trainer = MultiTaskSERTrainer(
        job.model,
        job.args,
        tasks=job.tasks,
        data_collator=SERDataCollator(feature_extractor, job.tasks, job.model.config.max_duration_s),
        train_dataset=job.splits["train"],
        eval_dataset=longest_first(job.splits["validation"]) if "validation" in job.splits else None,
        processing_class=feature_extractor,
        compute_metrics=lambda prediction: score(prediction, job.splits["validation"], job.tasks),
        callbacks=_callbacks(job.args),
    )
    trainer.train(resume_from_checkpoint=job.resume_from)
    report = evaluate_test(trainer, job)
    if trainer.is_world_process_zero():
        job.model.save_pretrained(output)
        feature_extractor.save_pretrained(output)
        (output / "train_config.yaml").write_text(yaml.safe_dump(job.settings, allow_unicode=True), encoding="utf-8")
        if report:
            write_report(report, output / "metrics.json")
            print("\n" + format_report(report))
    trainer.end()
    return report


def evaluate_test(trainer: MultiTaskSERTrainer, job: Job) -> dict:
    """The report on the test split."""
    if "test" not in job.splits:
        return {}
    trainer.compute_metrics = None
    prediction = trainer.predict(longest_first(job.splits["test"]))
    metrics = compute_metrics(job.splits["test"], in_order(prediction, job.splits["test"]), job.tasks)
    protocol = json.loads(Path(job.data.data, "splits", f"{job.data.protocol}.json").read_text(encoding="utf-8"))
    return build_report(
        metrics,
        job.model.config.main_task.name,
        checkpoint=job.args.output_dir,
        split="test",
        protocol=protocol,
        training_seed=job.args.seed,
    )


def build_model(arguments: ModelArguments, tasks: list[Task], max_duration_s: float) -> Wav2Vec2ForMultiTaskSER:
    """The network to train: from random weights, from a backbone, or from a checkpoint of this project.

    Raises:
        ValueError: the checkpoint is of another kind, or a head of it does not fit the data.
    """
    options = {
        "max_duration_s": max_duration_s,
        "padding": arguments.padding or "masked",
        "layerdrop": arguments.layerdrop,
        "mask_time_prob": arguments.mask_time_prob,
    }
    if arguments.config_name is not None:
        if not Path(arguments.config_name).is_file():
            raise ValueError(f"--config_name {arguments.config_name}: no such file.")
        backbone = Wav2Vec2Config.from_json_file(arguments.config_name)
        config = Wav2Vec2ForMultiTaskSER.config_from_backbone(backbone, tasks, **options)
        return Wav2Vec2ForMultiTaskSER(config)
    where = {"revision": arguments.model_revision}
    config = load_config(arguments.model_name_or_path, **where)
    if not isinstance(config, Wav2Vec2MultiTaskSERConfig):
        if arguments.new_heads:
            raise ValueError(f"{arguments.model_name_or_path} is a backbone: all its heads are new, drop --new_heads.")
        return Wav2Vec2ForMultiTaskSER.from_backbone(
            arguments.model_name_or_path, tasks, **options, **where, dtype=torch.float32
        )
    options["padding"] = arguments.padding or config.padding
    for name in ("max_duration_s", "padding", "mask_time_prob"):
        if getattr(config, name) != options[name]:
            raise ValueError(
                f"{arguments.model_name_or_path} was trained with {name} {getattr(config, name)}, this training has "
                f"{options[name]}: give --{name} {getattr(config, name)}, for max_duration_s to prepare.py."
            )
    network, _ = load_checkpoint(arguments.model_name_or_path, **where)
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
        return replace(task, mean=trained.mean, std=trained.std)
    if not set(task.labels) <= set(trained.labels):
        return task  # which `replace_heads` refuses
    weights = dict(zip(task.labels, task.class_weights, strict=True))
    return replace(task, labels=trained.labels, class_weights=tuple(weights.get(c, 1.0) for c in trained.labels))


def score(prediction: EvalPrediction, clips: Dataset, tasks: tuple[Task, ...]) -> dict[str, float]:
    """What an evaluation during training logs: means over corpora, and each task's loss over all clips."""
    logits = in_order(prediction, clips)
    as_tensors = {name: torch.as_tensor(values) for name, values in logits.items()}
    labels = {
        task.name: torch.tensor(
            [task.encode(value) for value in clips[task.column][:]],
            dtype=torch.int64 if task.is_classification else torch.float32,
        )
        for task in tasks
    }
    _, losses = multi_task_loss(as_tensors, labels, tasks)
    metrics = compute_metrics(clips, logits, tasks, intervals=False)
    return {**{f"loss_{name}": loss.item() for name, loss in losses.items()}, **main_scores(tasks, metrics)}


def _choose_metric(args: SERTrainingArguments, tasks: list[Task]) -> None:
    """Sets or checks the metric that picks the best checkpoint."""
    main = next((task for task in tasks if task.name == "emotion"), tasks[0])
    if args.metric_for_best_model in (None, "loss") and args.load_best_model_at_end:
        args.metric_for_best_model = f"{main.name}_{'weighted_f1' if main.is_classification else 'ccc'}"
        args.greater_is_better = True
    names = [
        f"{task.name}_{metric}"
        for task in tasks
        for metric in (CLASSIFICATION_METRICS if task.is_classification else REGRESSION_METRICS)
    ]
    names += ["loss", *(f"loss_{task.name}" for task in tasks)]
    if args.metric_for_best_model is not None and args.metric_for_best_model.removeprefix("eval_") not in names:
        raise ValueError(
            f"--metric_for_best_model {args.metric_for_best_model}: an evaluation has no such figure. It has "
            f"{', '.join(names)}."
        )
    if args.early_stopping_patience is not None and args.eval_strategy == "no":
        raise ValueError("--early_stopping_patience needs evaluations: --eval_strategy epoch or steps.")


def _callbacks(args: SERTrainingArguments) -> list:
    if args.early_stopping_patience is None:
        return []
    return [EarlyStoppingCallback(args.early_stopping_patience)]
