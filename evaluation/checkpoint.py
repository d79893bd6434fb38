"""A checkpoint, or those of all folds -> its predictions and metrics, in files and for the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState

from common.checkpoint import load_checkpoint
from common.checkpoint_files import weights_sha256
from common.files import write_json
from common.outputs import record_outputs
from preprocessing.augmentation.babble import Voices
from preprocessing.augmentation.conditions import Condition, ConditionTransform

from .metrics.compute import measure
from .metrics.robustness import CLEAN, measure_conditions
from .plan import EvaluationPlan
from .pooling import Predictions, fold_scores, pool
from .predict import predict
from .predictions import read_predictions, write_predictions
from .repetitions import Repetition
from .report_content import report_content
from .reporting.metrics_json import Evaluation, to_evaluation
from .reporting.summary import OWNER

CHECKPOINT_FILES = ("metrics.json", "predictions.csv")  # what is written of each checkpoint


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
    found = pool(folds) if repetition.in_folds else folds[0]
    measured = measure(found.clips, found.logits, found.tasks)
    report = report_content(repetition, found, measured.metrics)
    if repetition.in_folds:
        report["over_folds"] = fold_scores(folds, repetition.plans[0].main_task)
    if conditions:
        report["conditions"] = _measure_conditions(repetition, found, changed)
    record_outputs(output, CHECKPOINT_FILES, OWNER)
    write_json(output / "metrics.json", report)
    write_predictions(found.clips, found.logits, found.tasks, output / "predictions.csv")
    return to_evaluation(report, measured, found.clips)


def _measure_conditions(
    repetition: Repetition, clean: Predictions, changed: Sequence[Mapping[Condition, Predictions]]
) -> dict[str, Any]:
    """The metrics of the main task under conditions; what it predicts does not depend on temperatures."""
    main = next(task for task in clean.tasks if task.name == repetition.plans[0].main_task.name)
    logits = {CLEAN: clean.logits[main.name]}
    for condition in changed[0]:
        folds = [fold[condition] for fold in changed]
        found = pool(folds, cross_fit=False) if repetition.in_folds else folds[0]
        logits[str(condition)] = found.logits[main.name]
    return measure_conditions(clean.clips, main, logits)


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
