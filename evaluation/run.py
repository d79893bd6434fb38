"""Checkpoint and prepared folder -> report: what `evaluate.py` does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from accelerate import PartialState
from datasets import Dataset, DatasetDict
from transformers import PreTrainedConfig
from transformers.utils.logging import get_logger

from common.checkpoint import load_checkpoint, load_config, weights_sha256
from common.files import write_json
from common.outputs import record_outputs
from common.training_clips import read_training_clips, training_protocol
from modeling import Task
from modeling.auto_ser import architecture_of
from preprocessing.labels import merged_labels, raw_labels
from preprocessing.prepared.load import load_prepared, load_report
from preprocessing.prepared.split_files import load_protocol
from preprocessing.targets.acoustics import UNITS

from .metrics.baseline import baseline_logits, check_baseline
from .metrics.compute import compute_metrics, resample_means
from .predict import predict
from .predictions import write_predictions
from .reporting.metrics_json import Evaluation, build_report
from .reporting.paper import row_name
from .reporting.seeds import training_identity

logger = get_logger(__name__)

EVALUATE = "evaluate.py"  # to whom the files belong, also where train.py calls it
EVALUATION = ("metrics.json", "predictions.csv")  # what is written of each checkpoint


@dataclass(frozen=True)
class Plan:
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
) -> Plan:
    """Checks what can be wrong before a clip is heard.

    Args:
        checkpoint: folder or Hub id of a checkpoint.
        data: prepared folder.
        protocol: which clips are in which split; by default that of the checkpoint's training.
        split: the split to evaluate on.
        baseline: whether to train and evaluate the baseline too.

    Raises:
        ValueError: the folder is no checkpoint of this project, or the data have no such split, not the main task's
            column, or nothing to train the baseline on.
    """
    config = load_config(checkpoint)
    if architecture_of(config) is None:
        raise ValueError(f"{checkpoint} is a {config.model_type!r} checkpoint, not one that train.py wrote.")
    protocol = protocol or training_protocol(checkpoint)
    splits = load_prepared(data, protocol)
    if split not in splits:
        raise ValueError(f"Protocol {protocol} of {data} has no {split} clips; it has {', '.join(splits)}.")
    max_duration_s = load_report(data)["settings"]["max_duration_s"]
    if max_duration_s != config.max_duration_s:
        raise ValueError(
            f"{checkpoint} hears {config.max_duration_s} s of a clip, {data} was measured over {max_duration_s} s: "
            f"prepare it with --max_duration_s {config.max_duration_s}."
        )
    tasks = [task for task in config.get_tasks() if _can_be_compared(task, splits[split])]
    main_task = config.main_task
    if main_task not in tasks:
        raise ValueError(f"{data} has no column {main_task.column!r}, which {checkpoint} predicts first of all.")
    if baseline:
        check_baseline(splits, split, main_task)
    return Plan(checkpoint, data, protocol, splits, split, config, tasks, baseline)


def _can_be_compared(task: Task, clips: Dataset) -> bool:
    """Whether the data hold what the head predicts, in its unit."""
    unit = UNITS.get(task.column, task.unit)
    if unit != task.unit:
        logger.warning(
            "The head %s is not evaluated: it predicts values in %s, the data hold %s.",
            *(task.name, task.unit or "another unit", unit),
        )
    return task.column in clips.column_names and unit == task.unit


def evaluate_checkpoint(plan: Plan, output: Path, **training_args: Any) -> Evaluation | None:
    """Evaluates a checkpoint, over one process or many.

    Args:
        plan: what to evaluate on what.
        output: folder to write `metrics.json` and `predictions.csv` to.
        training_args: as in [`~evaluation.predict.predict`].

    Returns:
        The report and what comparisons need; `None` in all processes but the first.

    Raises:
        ValueError: the checkpoint is not whole.
    """
    model, feature_extractor = load_checkpoint(plan.checkpoint)
    clips, main_task = plan.clips, plan.main_task
    logits = predict(model, feature_extractor, clips, **training_args)
    if not PartialState().is_main_process:
        return None
    trained_on = read_training_clips(plan.checkpoint)
    labels = raw_labels({name: clips[name][:] for name in ("corpus", "emotion", "raw_label")})
    report = build_report(
        compute_metrics(clips, logits, plan.tasks),
        main_task.name,
        checkpoint=plan.checkpoint,
        weights_sha256=weights_sha256(plan.checkpoint),
        row=row_name(plan.config),
        **training_identity(plan.checkpoint, plan.config),
        split=plan.split,
        protocol=load_protocol(plan.data, plan.protocol),
        clips=len(clips),
        num_clips_seen_in_training=None if trained_on is None else len(trained_on & set(clips["id"])),
        num_speakers_seen_in_training=_count_speakers_seen(plan, trained_on),
        without_clips=_without_clips(plan.splits, plan.split),
        raw_labels=labels,
        merged_labels=merged_labels(labels),
        heads_without_labels=[task.name for task in plan.config.get_tasks() if task not in plan.tasks],
    )
    if plan.baseline:
        report["baseline"] = _baseline_metrics(plan)
    record_outputs(output, EVALUATION, EVALUATE)
    write_json(output / "metrics.json", report)
    write_predictions(clips, logits, plan.tasks, output / "predictions.csv")
    draws = resample_means(clips, logits[main_task.name], main_task) if main_task.is_classification else {}
    return Evaluation(report, draws, frozenset(clips["id"]))


def _count_speakers_seen(plan: Plan, trained_on: set[str] | None) -> int | None:
    """How many speakers of the clips are in the training too, `None` where it is not known whether any is.

    Args:
        plan: of the evaluation.
        trained_on: ids of the clips of the training. Those of the same corpora have to be in the prepared folder, which
            says whose they are; a speaker belongs to one corpus.
    """
    if trained_on is None:
        return None
    corpora = {*plan.clips["corpus"][:]}
    speaker_of = {
        id_: (corpus, speaker)
        for clips in plan.splits.values()
        for id_, corpus, speaker in zip(clips["id"][:], clips["corpus"][:], clips["speaker"][:], strict=True)
    }
    related = {id_ for id_ in trained_on if id_.split("/", 1)[0] in corpora}
    if not related <= speaker_of.keys():
        return None
    trained, tested = {speaker_of[id_] for id_ in related}, {speaker_of[id_] for id_ in plan.clips["id"]}
    shared = {corpus for corpus, _ in trained} & {corpus for corpus, _ in tested}
    unnamed = {(corpus, None) for corpus in shared} & (trained | tested)
    return len((trained & tested) - unnamed) or (None if unnamed else 0)


def _baseline_metrics(plan: Plan) -> dict[str, Any]:
    """Metrics of the baseline on the main task, and how many clips it learned from; it has no confidence."""
    task, train = plan.main_task, plan.splits["train"]
    logits = baseline_logits(plan.splits, plan.split, task, plan.config.max_duration_s)
    metrics = compute_metrics(plan.clips, {task.name: logits}, [replace(task, temperature=1.0)])[task.name]
    del metrics["calibration"]
    return {**metrics, "training_clips": sum(task.encode(value) >= 0 for value in train[task.column][:])}


def _without_clips(splits: DatasetDict, split: str) -> dict[str, list[str]]:
    """Corpora and locales of other splits that this one has no clip of."""
    absent = {}
    for name, column in (("corpora", "corpus"), ("locales", "locale")):
        everywhere = {value for clips in splits.values() for value in clips[column][:]} - {None}
        absent[name] = sorted(everywhere - set(splits[split][column][:]))
    return absent
