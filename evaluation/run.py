"""Checkpoint and prepared folder -> report: what `evaluate.py` does."""

from __future__ import annotations

import json
from pathlib import Path

from accelerate import PartialState
from transformers import AutoConfig, AutoFeatureExtractor

from modeling import Wav2Vec2ForMultiTaskSER, Wav2Vec2MultiTaskSERConfig
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
        ValueError: the folder is no checkpoint of this project, or the data have no such split.
    """
    try:
        config = AutoConfig.from_pretrained(checkpoint)
    except OSError as error:
        raise ValueError(f"{checkpoint} is not a checkpoint: {error}") from error
    if not isinstance(config, Wav2Vec2MultiTaskSERConfig):
        raise ValueError(f"{checkpoint} is a {config.model_type!r} checkpoint, not one that train.py wrote.")
    splits = load_prepared(data, protocol)
    if split not in splits:
        raise ValueError(f"Protocol {protocol} of {data} has no {split} clips; it has {', '.join(splits)}.")
    model = Wav2Vec2ForMultiTaskSER.from_pretrained(checkpoint)
    feature_extractor = AutoFeatureExtractor.from_pretrained(checkpoint)
    logits = predict(model, feature_extractor, splits[split], per_device_eval_batch_size=batch_size)
    if not PartialState().is_main_process:
        return None
    tasks = [task for task in config.get_tasks() if task.name in logits]
    report = build_report(
        compute_metrics(splits[split], logits, tasks),
        config.main_task.name,
        checkpoint=checkpoint.name,
        split=split,
        protocol=json.loads((data / "splits" / f"{protocol}.json").read_text(encoding="utf-8")),
    )
    report["heads_without_labels"] = [task.name for task in config.get_tasks() if task.name not in logits]
    if baseline:
        forest = {config.main_task.name: random_forest_logits(splits, split, config.main_task)}
        report["baseline"] = compute_metrics(splits[split], forest, [config.main_task])[config.main_task.name]
    return report
