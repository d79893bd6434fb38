"""Checkpoint and prepared folder -> report: what `evaluate.py` does."""

from __future__ import annotations

import json
from pathlib import Path

from accelerate import PartialState

from modeling import load_checkpoint
from preprocessing.dataset import load_prepared

from .baseline import random_forest_logits
from .metrics import compute_metrics
from .predict import predict
from .report import build_report


def evaluate_checkpoint(
    checkpoint: Path,
    data: Path,
    protocol: str,
    *,
    split: str = "test",
    batch_size: int = 8,
    baseline: bool = False,
) -> dict | None:
    """Evaluates a checkpoint on a split of a prepared folder, over one process or many.

    Args:
        checkpoint: folder of a checkpoint.
        data: prepared folder.
        protocol: which clips are in which split.
        split: the split to evaluate on.
        batch_size: clips per process.
        baseline: whether to train and evaluate the random forest on measured numbers too.

    Returns:
        The report; `None` in all processes but the first.

    Raises:
        ValueError: the folder is no whole checkpoint of this project, or the data have no such split or not the
            main task's column.
    """
    splits = load_prepared(data, protocol)
    if split not in splits:
        raise ValueError(f"Protocol {protocol} of {data} has no {split} clips; it has {', '.join(splits)}.")
    model, feature_extractor = load_checkpoint(checkpoint)
    tasks = [task for task in model.config.get_tasks() if task.column in splits[split].column_names]
    main_task = model.config.main_task
    if main_task not in tasks:
        raise ValueError(f"{data} has no column {main_task.column!r}, which {checkpoint} predicts first of all.")
    if baseline and not main_task.is_classification:
        raise ValueError(f"The baseline is a classifier; {main_task.name}, the main task of {checkpoint}, is a number.")
    logits = predict(model, feature_extractor, splits[split], per_device_eval_batch_size=batch_size)
    if not PartialState().is_main_process:
        return None
    report = build_report(
        compute_metrics(splits[split], logits, tasks),
        main_task.name,
        checkpoint=checkpoint.name,
        split=split,
        protocol=json.loads((data / "splits" / f"{protocol}.json").read_text(encoding="utf-8")),
    )
    report["heads_without_labels"] = [task.name for task in model.config.get_tasks() if task not in tasks]
    if baseline:
        forest = {main_task.name: random_forest_logits(splits, split, main_task)}
        report["baseline"] = compute_metrics(splits[split], forest, [main_task])[main_task.name]
    return report
