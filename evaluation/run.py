"""Checkpoints and prepared folder -> report: what `evaluate.py` does."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState
from datasets import Dataset, DatasetDict

from common.checkpoint import load_checkpoint, weights_sha256
from common.files import check_writable, write_json
from common.outputs import check_outputs, record_outputs
from common.training_clips import read_training_clips
from common.versions import versions
from preprocessing.augmentation.babble import Voices
from preprocessing.augmentation.conditions import Condition, ConditionTransform, parse_conditions
from preprocessing.labels import merged_labels, raw_labels
from preprocessing.prepared.split_files import load_protocol
from preprocessing.prepared.task_values import target_labels

from .metrics.baseline import baseline_logits
from .metrics.compute import compute_metrics, measure
from .metrics.robustness import CLEAN, measure_conditions
from .other_systems import evaluate_other_system, read_other_system
from .plan import EvaluationPlan, check_conditions
from .pooling import Predictions, fold_scores, pool
from .predict import predict
from .predictions import read_predictions, write_predictions
from .repetitions import Repetition, check_together, plan_repetitions
from .reporting.console import format_report
from .reporting.metrics_json import Evaluation, to_evaluation
from .reporting.paper import row_name
from .reporting.seeds import joint_identity, training_identity
from .reporting.summary import OWNER, REPORT_FILES, row_metrics, summarize, write_report

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
    predictions: Sequence[str] = (),
    reference: str | None = None,
    conditions: Sequence[str] = (),
    overwrite: bool = False,
    batch_size: int = 8,
) -> Path | None:
    """Evaluates checkpoints, prints their tables, and writes one report on all of them.

    Args:
        checkpoints: folders or Hub ids; or folders of several seeds or folds of one model, which are one row.
        data, protocol, split, baseline: as in [`~evaluation.plan.plan_evaluation`], for each of them.
        output: folder of the report. The files of a single checkpoint are written to it, too, those of several to a
            folder of each in it; `metrics.json` of several seeds or folds also to the folder above theirs.
        predictions: `NAME=FILE` of other systems, as of [`~evaluation.other_systems.read_other_system`], on the clips
            of the checkpoints.
        reference: the checkpoint, row or system that the others are compared with; by default the first.
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
    rows = [plan_repetitions(name, data, protocol, split=split, baseline=baseline) for name in checkpoints]
    repetitions = [each for row in rows for each in row]
    check_writable(output)
    task = repetitions[0].plans[0].main_task if repetitions else None
    where = _protocol_of_others(repetitions, protocol) if predictions else ""
    others = [read_other_system(given, data, where, split, task) for given in predictions]
    check_together(repetitions, reference, [other.name for other in others])
    check_conditions(parsed, [plan for each in repetitions for plan in each.plans])
    outputs = _output_folders(repetitions, output)
    folders = _folders_of_rows(rows, outputs)
    written = [(output, REPORT_FILES), *((folder, CHECKPOINT_FILES) for folder in outputs.values())]
    for folder, names in [*written, *((folder, ("metrics.json",)) for folder in folders)]:
        check_outputs(folder, names, OWNER, overwrite)
    evaluations = []
    for each in repetitions:
        evaluation = evaluate_repetition(each, outputs[each.name], parsed, per_device_eval_batch_size=batch_size)
        if evaluation:
            print(f"{format_report(evaluation.report)}\n")
            evaluations.append(evaluation)
    if not PartialState().is_main_process:
        return None
    for other in others:
        evaluations.append(evaluate_other_system(other))
        print(f"{format_report(evaluations[-1].report)}\n")
    summary = summarize(evaluations, reference)
    write_report(summary, output)
    for folder, model in folders.items():
        record_outputs(folder, ("metrics.json",), OWNER)
        write_json(folder / "metrics.json", row_metrics(summary, model))
    return output / "report.md"


def _protocol_of_others(repetitions: Sequence[Repetition], protocol: str | None) -> str:
    """The protocol on whose clips other systems are evaluated: that of all checkpoints."""
    found = [protocol] if protocol else list(dict.fromkeys(each.protocol for each in repetitions))
    if len(found) != 1:
        shown = f"; the checkpoints have {', '.join(found)}" if found else ""
        raise ValueError(f"--predictions needs --protocol, whose clips are evaluated{shown}.")
    return found[0]


def _output_folders(repetitions: Sequence[Repetition], output: Path) -> dict[str, Path]:
    """Name of each -> a folder for its files, named as the checkpoints are; `output` for a single one."""
    if not repetitions:
        return {}
    if len(repetitions) == 1 and not repetitions[0].is_one_of_several:
        return {repetitions[0].name: output}
    models = [Path(each.model).resolve() for each in repetitions]
    one = len({*models}) == 1 and repetitions[0].is_one_of_several
    above = str(models[0]) if one else os.path.commonpath([folder.parent for folder in models])
    return {each.name: output / Path(each.name).resolve().relative_to(above) for each in repetitions}


def _folders_of_rows(rows: Sequence[Sequence[Repetition]], outputs: Mapping[str, Path]) -> dict[Path, str]:
    """Output folder of each row of several seeds or folds -> its name."""
    return {outputs[row[0].name].parent: row[0].model for row in rows if row[0].is_one_of_several}


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
    alone = Repetition(plan.checkpoint, plan.checkpoint, plan.protocol, [plan])
    return evaluate_repetition(alone, output, conditions, **training_args)


def evaluate_repetition(
    repetition: Repetition, output: Path, conditions: Sequence[Condition] = (), **training_args: Any
) -> Evaluation | None:
    """Evaluates a checkpoint, or those of all folds, whose predictions are pooled. As [`evaluate_checkpoint`]."""
    reuse = repetition.is_one_of_several
    folds = [_predictions(plan, reuse, training_args) for plan in repetition.plans]
    changed = [_predictions_under(conditions, plan, training_args) for plan in repetition.plans] if conditions else []
    if not PartialState().is_main_process:
        return None
    found = _joined(repetition, folds)
    measured = measure(found.clips, found.logits, found.tasks)
    report = _report(repetition, found, measured.metrics)
    if repetition.in_folds:
        report["over_folds"] = fold_scores(folds, repetition.plans[0].main_task)
    if conditions:
        main = next(task for task in found.tasks if task.name == report["main_task"])
        joined = {
            CLEAN: found,
            **{str(each): _joined(repetition, [fold[each] for fold in changed]) for each in conditions},
        }
        report["conditions"] = measure_conditions(
            found.clips, main, {name: each.logits[main.name] for name, each in joined.items()}
        )
    record_outputs(output, CHECKPOINT_FILES, OWNER)
    write_json(output / "metrics.json", report)
    write_predictions(found.clips, found.logits, found.tasks, output / "predictions.csv")
    return to_evaluation(report, measured, found.clips)


def _joined(repetition: Repetition, folds: Sequence[Predictions]) -> Predictions:
    return pool(folds) if repetition.in_folds else folds[0]


def _predictions(plan: EvaluationPlan, reuse: bool, training_args: Mapping[str, Any]) -> Predictions:
    """The outputs of a checkpoint; `reuse`: those that its training has written, if they are of these weights."""
    logits = _written_logits(plan) if reuse else None
    if logits is None:
        model, feature_extractor = load_checkpoint(plan.checkpoint)
        logits = predict(model, feature_extractor, plan.clips, **training_args)
    return Predictions(plan.clips, logits, plan.tasks)


def _predictions_under(
    conditions: Sequence[Condition], plan: EvaluationPlan, training_args: Mapping[str, Any]
) -> dict[Condition, Predictions]:
    """The outputs of a checkpoint for clips under conditions; babble is made of training clips, if there are any."""
    model, feature_extractor = load_checkpoint(plan.checkpoint)
    found = {}
    for condition in conditions:
        voices = Voices(plan.splits.get("train", plan.clips)) if condition.name == "babble" else None
        transform = ConditionTransform(condition, voices)
        logits = predict(model, feature_extractor, plan.clips, transform=transform, **training_args)
        found[condition] = Predictions(plan.clips, logits, plan.tasks)
    return found


def _written_logits(plan: EvaluationPlan) -> dict[str, np.ndarray] | None:
    metrics, predictions = (Path(plan.checkpoint, name) for name in CHECKPOINT_FILES)
    if not metrics.is_file() or not predictions.is_file():
        return None
    report = json.loads(metrics.read_text(encoding="utf-8"))
    written = (report["protocol"]["protocol"], report["split"], report["weights_sha256"])
    if written != (plan.protocol, plan.split, weights_sha256(plan.checkpoint)):
        return None
    return read_predictions(predictions, plan.clips, plan.tasks)


def _report(repetition: Repetition, found: Predictions, metrics: dict[str, dict]) -> dict[str, Any]:
    """The content of `metrics.json`."""
    plan, plans, clips = repetition.plans[0], repetition.plans, found.clips
    weights = [weights_sha256(each.checkpoint) for each in plans]
    labels = raw_labels({name: clips[name][:] for name in ("corpus", "emotion", "raw_label")})
    report = {
        "checkpoint": repetition.name,
        "model": repetition.model,
        "split": plan.split,
        "protocol": load_protocol(plan.data, repetition.protocol),
        "versions": versions(*_PACKAGES),
        "num_clips_seen_in_training": _total([_count_clips_seen(each) for each in plans]),
        "num_speakers_seen_in_training": _total([_count_speakers_seen(each) for each in plans]),
        "weights_sha256": weights if repetition.in_folds else weights[0],
        "row": row_name(plan.config),
        **joint_identity([training_identity(each.checkpoint, each.config) for each in plans]),
        "clips": len(clips),
        "without_clips": _without_clips(plan.splits, clips),
        "raw_labels": labels,  # the number of clips by the authors' labels
        "merged_labels": merged_labels(labels),
        "heads_without_labels": [task.name for task in plan.config.get_tasks() if task.name not in metrics],
        "main_task": plan.main_task.name,
        "tasks": metrics,
    }
    return {**report, "baseline": _baseline_metrics(plan)} if plan.baseline else report


def _total(counts: Sequence[int | None]) -> int | None:
    """The sum, `None` where a part is unknown."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _count_clips_seen(plan: EvaluationPlan) -> int | None:
    """How many of the clips are in the training too, `None` where it is unknown."""
    trained_on = read_training_clips(plan.checkpoint)
    return None if trained_on is None else len(trained_on & set(plan.clips["id"]))


def _count_speakers_seen(plan: EvaluationPlan) -> int | None:
    """How many speakers of the clips are in the training too, `None` where it is unknown whether any is.

    The clips of the training of the same corpora have to be in the prepared folder, which holds their speakers; a
    speaker belongs to one corpus.
    """
    trained_on = read_training_clips(plan.checkpoint)
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
    for name in ("calibration", "distribution"):  # it predicts no probabilities
        metrics.pop(name, None)
    return {**metrics, "num_training_clips": sum(task.encode(value) >= 0 for value in target_labels(task, train))}


def _without_clips(splits: DatasetDict, tested: Dataset) -> dict[str, list[str]]:
    """Corpora and locales of the splits that the tested clips have none of."""
    absent = {}
    for name, column in (("corpora", "corpus"), ("locales", "locale")):
        everywhere = {value for clips in splits.values() for value in clips[column][:]} - {None}
        absent[name] = sorted(everywhere - set(tested[column][:]))
    return absent
