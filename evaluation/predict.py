"""A model and clips -> the outputs of every head, over one process or many."""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import PreTrainedModel, SequenceFeatureExtractor, Trainer, TrainingArguments

from common.processes import must_join_on_cpu
from preprocessing.augmentation.conditions import ConditionTransform
from preprocessing.prepared.collator import SERDataCollator
from preprocessing.prepared.rows import ROW


def longest_first(clips: Dataset) -> Dataset:
    """The clips by decreasing length: batches hold little padding, and memory runs out in the first one or never."""
    return clips.select(np.argsort(-np.array(clips["duration_s"][:]), kind="stable"))


def in_order(prediction: Any, clips: Dataset) -> dict[str, np.ndarray]:
    """Puts predictions into the order of `clips`, each clip exactly once.

    Args:
        prediction: from a [`~transformers.Trainer`] with a [`SERDataCollator`], whose types assume a single head: in
            any order, and with clips that were repeated to fill up the batches of several processes.
        clips: the clips that were to be predicted.

    Returns:
        Task name to `(clips, num_outputs)`.

    Raises:
        RuntimeError: a clip was not predicted, or a clip was predicted that is not one of them.
    """
    place = {row: index for index, row in enumerate(prediction.label_ids[ROW].tolist())}
    rows = clips[ROW][:]
    missing, unexpected = set(rows) - place.keys(), place.keys() - set(rows)
    if missing or unexpected:
        raise RuntimeError(
            f"{len(missing)} of {len(rows)} clips were not predicted, and {len(unexpected)} others were. This is a "
            "bug: please report it."
        )
    order = [place[row] for row in rows]
    return {name: logits[order] for name, logits in prediction.predictions.items()}


def predict(
    model: PreTrainedModel,
    feature_extractor: SequenceFeatureExtractor,
    clips: Dataset,
    *,
    transform: ConditionTransform | None = None,
    **training_args: Any,
) -> dict[str, np.ndarray]:
    """The outputs of every head for each clip.

    Args:
        model: a multi-task speech emotion recognition model.
        feature_extractor: its feature extractor.
        clips: a split of a prepared folder.
        transform: puts the clips under a condition.
        training_args: fields of [`~transformers.TrainingArguments`], such as `per_device_eval_batch_size`.

    Returns:
        Task name to logits of shape `(clips, num_outputs)`, in the order of `clips`.
    """
    tasks = [task for task in model.config.get_tasks() if task.column in clips.column_names]
    settings = {
        "remove_unused_columns": False,
        "report_to": "none",
        "use_cpu": must_join_on_cpu(),
        "dataloader_pin_memory": torch.cuda.is_available(),
        "disable_tqdm": not sys.stderr.isatty(),
        **training_args,
    }
    with tempfile.TemporaryDirectory() as output_dir:
        trainer = Trainer(
            model,
            TrainingArguments(output_dir, **settings),
            data_collator=SERDataCollator(feature_extractor, tasks, model.config.max_duration_s, transform),
        )
        prediction = trainer.predict(longest_first(clips))
    return in_order(prediction, clips)
