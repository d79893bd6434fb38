"""The predictions of a checkpoint as a table: to examine single clips, to compute metrics of one's own, and to pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from datasets import Dataset

from common.files import atomic_write
from modeling import Task
from preprocessing.prepared.task_values import target_labels


def write_predictions(clips: Dataset, task_logits: Mapping[str, np.ndarray], tasks: Sequence[Task], path: Path) -> None:
    """Writes a CSV file with a row per clip.

    `id`, `corpus`, `locale`, `speaker`; then per task `TASK`, the label or number of the data (of soft labels that with
    the most votes; empty where it is missing), `TASK_predicted`, and for classes `TASK_confidence`, the probability of
    the predicted one, and `TASK_LABEL`, that of each.

    Args:
        clips: the clips.
        task_logits: task name to `(clips, num_outputs)`, in their order.
        tasks: what the heads predict.
        path: of the file.
    """
    columns = {name: clips[name][:] for name in ("id", "corpus", "locale", "speaker")}
    for task in tasks:
        decoded = task.decode(torch.as_tensor(task_logits[task.name])).numpy()
        columns[task.name] = target_labels(task, clips)
        if task.is_classification:
            columns[f"{task.name}_predicted"] = np.array(task.labels, dtype=object)[decoded.argmax(-1)]
            columns[f"{task.name}_confidence"] = decoded.max(-1)
            columns |= {f"{task.name}_{label}": decoded[:, i] for i, label in enumerate(task.labels)}
        else:
            columns[f"{task.name}_predicted"] = decoded
    table = pd.DataFrame(columns)
    atomic_write(path, lambda unfinished: table.to_csv(unfinished, index=False, float_format="%.9g"))


def read_predictions(path: Path, clips: Dataset, tasks: Sequence[Task]) -> dict[str, np.ndarray] | None:
    """The logits behind a file of [`write_predictions`], up to a constant per clip.

    Args:
        path: of the file.
        clips: the clips that it should have.
        tasks: the heads that it should have.

    Returns:
        Task name to `(clips, num_outputs)`, in the order of `clips`; `None` if it is of other clips or tasks.
    """
    table = pd.read_csv(path, dtype={"id": str}, keep_default_na=False, na_values={}).set_index("id")
    if sorted(table.index) != sorted(clips["id"][:]):
        return None
    table = table.loc[clips["id"][:]]
    logits = {}
    for task in tasks:
        if task.is_classification:
            columns = [f"{task.name}_{label}" for label in task.labels]
        else:
            columns = [f"{task.name}_predicted"]
        if not {*columns} <= {*table.columns}:
            return None
        values = table[columns].to_numpy(dtype=float)
        if task.is_classification:
            logits[task.name] = np.log(np.maximum(values, np.finfo(np.float32).tiny))
        else:
            logits[task.name] = (values - task.mean) / task.std
    return logits
