"""Checkpoint and prepared folder -> report: what `evaluate.py` does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import yaml
from accelerate import PartialState
from datasets import Dataset, DatasetDict
from transformers import PreTrainedConfig

from modeling import Task, load_checkpoint
from preprocessing.dataset import load_prepared, load_report
from preprocessing.report import write_json
from preprocessing.split_files import load_protocol

from .baseline import random_forest_logits
from .metrics import compute_metrics, draw_mean_over_corpora
from .paper import row_name
from .predict import predict
from .predictions import write_predictions
from .report import Evaluation, build_report

TRAINING_CLIPS = "training_clips.txt"


def evaluate_checkpoint(
    checkpoint: str,
    data: Path,
    protocol: str | None,
    output: Path,
    *,
    split: str = "test",
    batch_size: int = 8,
    baseline: bool = False,
) -> Evaluation | None:
    """Evaluates a checkpoint on a split of a prepared folder, over one process or many.

    Args:
        checkpoint: folder or Hub id of a checkpoint.
        data: prepared folder.
        protocol: which clips are in which split; by default that of the checkpoint's training.
        output: folder to write `metrics.json` and `predictions.csv` to.
        split: the split to evaluate on.
        batch_size: clips per process.
        baseline: whether to train and evaluate the random forest on measured numbers too.

    Returns:
        The report and what comparisons need; `None` in all processes but the first.

    Raises:
        ValueError: the folder is no whole checkpoint of this project, or the data have no such split or not the
            main task's column.
    """
    protocol = protocol or training_protocol(checkpoint)
    splits = load_prepared(data, protocol)
    if split not in splits:
        raise ValueError(f"Protocol {protocol} of {data} has no {split} clips; it has {', '.join(splits)}.")
    model, feature_extractor = load_checkpoint(checkpoint)
    clips = splits[split]
    tasks, main_task = _tasks(checkpoint, model.config, data, clips, baseline)
    logits = predict(model, feature_extractor, clips, per_device_eval_batch_size=batch_size)
    if not PartialState().is_main_process:
        return None
    trained_on = read_training_clips(checkpoint)
    report = build_report(
        compute_metrics(clips, logits, tasks),
        main_task.name,
        checkpoint=checkpoint,
        row=row_name(model.config),
        split=split,
        protocol=load_protocol(data, protocol),
        clips=len(clips),
        clips_heard_in_training=None if trained_on is None else len(trained_on & set(clips["id"])),
        without_clips=_without_clips(splits, split),
        heads_without_labels=[task.name for task in model.config.get_tasks() if task not in tasks],
    )
    if baseline:
        forest = {main_task.name: random_forest_logits(splits, split, main_task)}
        uncalibrated = replace(main_task, temperature=1.0)  # which is the model's
        report["baseline"] = compute_metrics(clips, forest, [uncalibrated])[main_task.name]
    write_json(output / "metrics.json", report)
    write_predictions(clips, logits, tasks, output / "predictions.csv")
    drawn = {}
    if main_task.is_classification and report["tasks"][main_task.name]["clips"]:
        drawn = draw_mean_over_corpora(clips, logits[main_task.name], main_task)
    return Evaluation(report, drawn, frozenset(clips["id"]))


def _tasks(
    checkpoint: str, config: PreTrainedConfig, data: Path, clips: Dataset, baseline: bool
) -> tuple[list[Task], Task]:
    """The tasks that the clips have a column for, and the main one; refuses data that do not fit the checkpoint."""
    max_duration_s = load_report(data)["settings"]["max_duration_s"]
    if max_duration_s != config.max_duration_s:
        raise ValueError(
            f"{checkpoint} hears {config.max_duration_s} s of a clip, {data} was measured over {max_duration_s} s: "
            f"prepare it with --max_duration_s {config.max_duration_s}."
        )
    tasks = [task for task in config.get_tasks() if task.column in clips.column_names]
    main_task = config.main_task
    if main_task not in tasks:
        raise ValueError(f"{data} has no column {main_task.column!r}, which {checkpoint} predicts first of all.")
    if baseline and not main_task.is_classification:
        raise ValueError(f"The baseline is a classifier; {main_task.name}, the main task of {checkpoint}, is a number.")
    return tasks, main_task


def _without_clips(splits: DatasetDict, split: str) -> dict[str, list[str]]:
    """Corpora and locales of other splits that this one has no clip of."""
    absent = {}
    for name, column in (("corpora", "corpus"), ("locales", "locale")):
        everywhere = {value for clips in splits.values() for value in clips[column][:]} - {None}
        absent[name] = sorted(everywhere - set(splits[split][column][:]))
    return absent


def training_protocol(checkpoint: str) -> str:
    """The protocol that a checkpoint was trained under.

    Raises:
        ValueError: it does not say.
    """
    path = Path(checkpoint, "train_config.yaml")
    if not path.is_file():
        raise ValueError(f"{checkpoint} has no train_config.yaml, which names its protocol: give --protocol.")
    return yaml.safe_load(path.read_text(encoding="utf-8"))["protocol"]


def write_training_clips(checkpoint: Path, ids: Iterable[str]) -> None:
    """Writes beside a checkpoint what it was trained on, so that an evaluation knows."""
    (checkpoint / TRAINING_CLIPS).write_text("\n".join(sorted(ids)) + "\n", encoding="utf-8")


def read_training_clips(checkpoint: str) -> set[str] | None:
    """Ids of the clips that a checkpoint was trained on, `None` where that is not known."""
    path = Path(checkpoint, TRAINING_CLIPS)
    return set(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else None
