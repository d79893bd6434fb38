"""The predictions of a checkpoint as a table: to examine single clips, and to compute metrics of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from datasets import Dataset

from common.files import atomic_write
from modeling import Task


def write_predictions(clips: Dataset, task_logits: Mapping[str, np.ndarray], tasks: Sequence[Task], path: Path) -> None:
    """Writes a CSV file with a row per clip.

    `id`, `corpus`, `locale`, `speaker`; then per task `TASK`, the label or number of the data (empty where it is
    missing), `TASK_predicted`, and for classes `TASK_confidence`, the probability of the predicted one.

    Args:
        clips: the clips.
        task_logits: task name to `(clips, num_outputs)`, in their order.
        tasks: what the heads predict.
        path: of the file.
    """
    columns = {name: clips[name][:] for name in ("id", "corpus", "locale", "speaker")}
    for task in tasks:
        decoded = task.decode(torch.as_tensor(task_logits[task.name])).numpy()
        columns[task.name] = clips[task.column][:]
        if task.is_classification:
            columns[f"{task.name}_predicted"] = np.array(task.labels, dtype=object)[decoded.argmax(-1)]
            columns[f"{task.name}_confidence"] = decoded.max(-1)
        else:
            columns[f"{task.name}_predicted"] = decoded
    table = pd.DataFrame(columns)
    atomic_write(path, lambda unfinished: table.to_csv(unfinished, index=False, float_format="%.6g"))
