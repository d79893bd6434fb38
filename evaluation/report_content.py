"""What `metrics.json` holds besides the metrics: on which clips they are, and which of them the training had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict

from common.checkpoint_files import weights_sha256
from common.training_clips import read_training_clips
from common.training_record import TRAINING_RECORD, is_pretrained, read_training_record
from common.versions import versions
from preprocessing.labels import merged_labels, raw_labels
from preprocessing.prepared.split_files import load_protocol
from preprocessing.prepared.task_values import target_labels

from .metrics.baseline import baseline_logits
from .metrics.compute import compute_metrics
from .plan import EvaluationPlan
from .pooling import Predictions
from .repetitions import Repetition
from .reporting.paper import row_name
from .reporting.seeds import joint_identity, training_identity

# Whose versions are recorded.
_PACKAGES = ("transformers", "torch", "datasets", "evaluate", "accelerate", "scikit-learn")


def report_content(repetition: Repetition, found: Predictions, metrics: dict[str, dict]) -> dict[str, Any]:
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
        "pretrained": _is_pretrained(plan),
        "clips": len(clips),
        "without_clips": _without_clips(plan.splits, clips),
        "raw_labels": labels,  # the number of clips by the authors' labels
        "merged_labels": merged_labels(labels),
        "heads_without_labels": [task.name for task in plan.config.get_tasks() if task.name not in metrics],
        "main_task": plan.main_task.name,
        "tasks": metrics,
    }
    return {**report, "baseline": _baseline_metrics(plan)} if plan.baseline else report


def _is_pretrained(plan: EvaluationPlan) -> bool | None:
    """Whether the network was pre-trained, `None` where it is unknown."""
    try:
        return is_pretrained(read_training_record(Path(plan.checkpoint, TRAINING_RECORD)))
    except (OSError, ValueError):
        return None


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
