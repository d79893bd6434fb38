"""Checkpoints and prepared folder -> report: what `evaluate.py` does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from accelerate import PartialState
from datasets import DatasetDict

from common.checkpoint import load_checkpoint, weights_sha256
from common.files import check_writable, write_json
from common.outputs import check_outputs, record_outputs
from common.training_clips import read_training_clips
from common.versions import versions
from preprocessing.augmentation.babble import Voices
from preprocessing.augmentation.conditions import Condition, ConditionTransform, parse_conditions
from preprocessing.labels import merged_labels, raw_labels
from preprocessing.prepared.split_files import load_protocol

from .metrics.baseline import baseline_logits
from .metrics.compute import compute_metrics, measure
from .metrics.robustness import CLEAN, measure_conditions
from .plan import EvaluationPlan, check_conditions, check_together, plan_evaluation
from .predict import predict
from .predictions import write_predictions
from .reporting.console import format_report
from .reporting.metrics_json import Evaluation
from .reporting.paper import row_name
from .reporting.seeds import training_identity
from .reporting.summary import OWNER, REPORT_FILES, write_summary

# Whose versions are recorded.
_PACKAGES = ("transformers", "torch", "datasets", "evaluate", "accelerate", "scikit-learn")
CHECKPOINT_FILES = ("metrics.json", "predictions.csv")  # what is written of each checkpoint


def evaluate_checkpoints(
    checkpoints: Sequence[str],
    data: Path,
    output: Path,
    *,
    protocol: str | None = None,
    split: str = "test",
    baseline: bool = False,
    reference: str | None = None,
    conditions: Sequence[str] = (),
    overwrite: bool = False,
    batch_size: int = 8,
) -> Path | None:
    """Evaluates checkpoints, prints their tables, and writes one report on all of them.

    Args:
        checkpoints: folders or Hub ids.
        data, protocol, split, baseline: as in [`~evaluation.plan.plan_evaluation`], for each of them.
        output: folder of the report. The files of a single checkpoint are written to it, too, those of several to a
            folder of each in it.
        reference: the checkpoint that the others are compared with; by default the first.
        conditions: conditions to evaluate under beside the clips as recorded, as
            [`~preprocessing.augmentation.conditions.parse_conditions`] reads them.
        overwrite: whether files that no evaluation has written may be replaced.
        batch_size: clips per batch and process.

    Returns:
        The path of the report; `None` in all processes but the first.

    Raises:
        ValueError: a checkpoint, the data or the output is not valid; almost always before a clip is processed.
        OSError: a file cannot be read or written.
    """
    parsed = parse_conditions(conditions)
    plans = [plan_evaluation(name, data, protocol, split=split, baseline=baseline) for name in checkpoints]
    check_writable(output)
    check_together(plans, reference)
    check_conditions(parsed, plans)
    outputs = _output_folders(checkpoints, output)
    for folder, names in ((output, REPORT_FILES), *((folder, CHECKPOINT_FILES) for folder in outputs)):
        check_outputs(folder, names, OWNER, overwrite)
    evaluations = []
    for folder, plan in zip(outputs, plans, strict=True):
        evaluation = evaluate_checkpoint(plan, folder, parsed, per_device_eval_batch_size=batch_size)
        if evaluation:
            print(f"{format_report(evaluation.report)}\n")
            evaluations.append(evaluation)
    if not evaluations:
        return None
    write_summary(evaluations, output, reference)
    return output / "report.md"


def _output_folders(checkpoints: Sequence[str], output: Path) -> list[Path]:
    """A folder for the files of each checkpoint; those of several are named as the checkpoints are."""
    if len(checkpoints) == 1:
        return [output]
    folders = [Path(checkpoint).resolve() for checkpoint in checkpoints]
    above = os.path.commonpath([folder.parent for folder in folders])
    return [output / folder.relative_to(above) for folder in folders]


def evaluate_checkpoint(
    plan: EvaluationPlan, output: Path, conditions: Sequence[Condition] = (), **training_args: Any
) -> Evaluation | None:
    """Evaluates a checkpoint, over one process or many.

    Args:
        plan: what to evaluate on what.
        output: folder to write `metrics.json` and `predictions.csv` to.
        conditions: conditions to evaluate the main task under, too.
        training_args: as in [`~evaluation.predict.predict`].

    Returns:
        The report and what comparisons need; `None` in all processes but the first.

    Raises:
        ValueError: the checkpoint is incomplete.
    """
    model, feature_extractor = load_checkpoint(plan.checkpoint)
    clips = plan.clips
    logits = predict(model, feature_extractor, clips, **training_args)
    main = plan.main_task
    logits_of = {CLEAN: logits[main.name]}
    for condition in conditions:
        transform = ConditionTransform(condition, _voices(condition, plan))
        changed = predict(model, feature_extractor, clips, transform=transform, **training_args)
        logits_of[str(condition)] = changed[main.name]
    if not PartialState().is_main_process:
        return None
    measured = measure(clips, logits, plan.tasks)
    report = _report(plan, measured.metrics)
    if conditions:
        report["conditions"] = measure_conditions(clips, main, logits_of)
    record_outputs(output, CHECKPOINT_FILES, OWNER)
    write_json(output / "metrics.json", report)
    write_predictions(clips, logits, plan.tasks, output / "predictions.csv")
    return Evaluation(report, measured.resampled_means.get(plan.main_task.name, {}), frozenset(clips["id"]))


def _voices(condition: Condition, plan: EvaluationPlan) -> Voices | None:
    """The clips that babble is made of: those of the training split, where there are any."""
    return Voices(plan.splits.get("train", plan.clips)) if condition.name == "babble" else None


def _report(plan: EvaluationPlan, metrics: dict[str, dict]) -> dict[str, Any]:
    """The content of `metrics.json`."""
    clips, trained_on = plan.clips, read_training_clips(plan.checkpoint)
    labels = raw_labels({name: clips[name][:] for name in ("corpus", "emotion", "raw_label")})
    report = {
        "checkpoint": plan.checkpoint,
        "split": plan.split,
        "protocol": load_protocol(plan.data, plan.protocol),
        "versions": versions(*_PACKAGES),
        "num_clips_seen_in_training": None if trained_on is None else len(trained_on & set(clips["id"])),
        "num_speakers_seen_in_training": _count_speakers_seen(plan, trained_on),
        "weights_sha256": weights_sha256(plan.checkpoint),
        "row": row_name(plan.config),
        **training_identity(plan.checkpoint, plan.config),
        "clips": len(clips),
        "without_clips": _without_clips(plan.splits, plan.split),
        "raw_labels": labels,  # the number of clips by the authors' labels
        "merged_labels": merged_labels(labels),
        "heads_without_labels": [task.name for task in plan.config.get_tasks() if task not in plan.tasks],
        "main_task": plan.main_task.name,
        "tasks": metrics,
    }
    return {**report, "baseline": _baseline_metrics(plan)} if plan.baseline else report


def _count_speakers_seen(plan: EvaluationPlan, trained_on: set[str] | None) -> int | None:
    """How many speakers of the clips are in the training too, `None` where it is unknown whether any is.

    Args:
        plan: of the evaluation.
        trained_on: ids of the clips of the training. Those of the same corpora have to be in the prepared folder, which
            holds their speakers; a speaker belongs to one corpus.
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


def _baseline_metrics(plan: EvaluationPlan) -> dict[str, Any]:
    """Metrics of the baseline on the main task, and the number of clips it was trained on; it has no confidence."""
    task, train = plan.main_task, plan.splits["train"]
    logits = baseline_logits(plan.splits, plan.split, task, plan.config.max_duration_s)
    metrics = compute_metrics(plan.clips, {task.name: logits}, [replace(task, temperature=1.0)])[task.name]
    del metrics["calibration"]
    return {**metrics, "num_training_clips": sum(task.encode(value) >= 0 for value in train[task.column][:])}


def _without_clips(splits: DatasetDict, split: str) -> dict[str, list[str]]:
    """Corpora and locales of other splits that this one has no clip of."""
    absent = {}
    for name, column in (("corpora", "corpus"), ("locales", "locale")):
        everywhere = {value for clips in splits.values() for value in clips[column][:]} - {None}
        absent[name] = sorted(everywhere - set(splits[split][column][:]))
    return absent
