"""Checkpoint and prepared folder -> report: what `evaluate.py` does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from accelerate import PartialState

from modeling import load_checkpoint
from preprocessing.dataset import load_prepared, load_report
from preprocessing.report import write_json

from .baseline import random_forest_logits
from .metrics import compute_metrics
from .predict import predict
from .report import build_report

TRAINING_CLIPS = "training_clips.txt"


def evaluate_checkpoint(
    checkpoint: str,
    data: Path,
    protocol: str,
    output: Path,
    *,
    split: str = "test",
    batch_size: int = 8,
    baseline: bool = False,
) -> dict | None:
    """Evaluates a checkpoint on a split of a prepared folder, over one process or many.

    Args:
        checkpoint: folder or Hub id of a checkpoint.
        data: prepared folder.
        protocol: which clips are in which split.
        output: folder to write `metrics.json` to.
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
    max_duration_s = load_report(data)["settings"]["max_duration_s"]
    if max_duration_s != model.config.max_duration_s:
        raise ValueError(
            f"{checkpoint} hears {model.config.max_duration_s} s of a clip, {data} was measured over "
            f"{max_duration_s} s: prepare it with --max_duration_s {model.config.max_duration_s}."
        )
    tasks = [task for task in model.config.get_tasks() if task.column in splits[split].column_names]
    main_task = model.config.main_task
    if main_task not in tasks:
        raise ValueError(f"{data} has no column {main_task.column!r}, which {checkpoint} predicts first of all.")
    if baseline and not main_task.is_classification:
        raise ValueError(f"The baseline is a classifier; {main_task.name}, the main task of {checkpoint}, is a number.")
    logits = predict(model, feature_extractor, splits[split], per_device_eval_batch_size=batch_size)
    if not PartialState().is_main_process:
        return None
    trained_on = read_training_clips(checkpoint)
    report = build_report(
        compute_metrics(splits[split], logits, tasks),
        main_task.name,
        checkpoint=checkpoint,
        split=split,
        protocol=json.loads((data / "splits" / f"{protocol}.json").read_text(encoding="utf-8")),
        clips_heard_in_training=None if trained_on is None else len(trained_on & set(splits[split]["id"])),
        heads_without_labels=[task.name for task in model.config.get_tasks() if task not in tasks],
    )
    if baseline:
        forest = {main_task.name: random_forest_logits(splits, split, main_task)}
        report["baseline"] = compute_metrics(splits[split], forest, [main_task])[main_task.name]
    write_json(output / "metrics.json", report)
    return report


def write_training_clips(checkpoint: Path, ids: Iterable[str]) -> None:
    """Writes beside a checkpoint what it was trained on, so that an evaluation knows."""
    (checkpoint / TRAINING_CLIPS).write_text("\n".join(sorted(ids)) + "\n", encoding="utf-8")


def read_training_clips(checkpoint: str) -> set[str] | None:
    """Ids of the clips that a checkpoint was trained on, `None` where that is not known."""
    path = Path(checkpoint, TRAINING_CLIPS)
    return set(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else None
