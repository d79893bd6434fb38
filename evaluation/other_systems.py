"""Predictions of a system that is not one of ours, `--predictions NAME=FILE`, evaluated as a checkpoint is.

A CSV file with the column `id`, and `label` or one column of scores per class, whose highest is the prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from datasets import Dataset

from common.versions import versions
from modeling import Task
from preprocessing.labels import EMOTIONS, merged_labels, raw_labels
from preprocessing.prepared.load import load_tested
from preprocessing.prepared.split_files import load_protocol
from preprocessing.prepared.table import load_table

from .metrics.compute import measure
from .reporting.metrics_json import Evaluation, to_evaluation

_EXAMPLES = 3  # ids that a message names


@dataclass(frozen=True)
class OtherSystem:
    """A system and its predictions, which have passed all checks.

    Args:
        name: in the report.
        path: of the file.
        task: what it predicts.
        data: prepared folder.
        protocol, split: whose clips are tested.
        clips: these clips.
        logits: `(clips, labels)`: its scores, or 1 for the predicted label and 0 for the others.
        num_foreign: ids of the file that belong to no clip of the folder.
    """

    name: str
    path: Path
    task: Task
    data: Path
    protocol: str
    split: str
    clips: Dataset
    logits: np.ndarray
    num_foreign: int


def read_other_system(
    given: str, data: Path, protocol: str, split: str = "test", main_task: Task | None = None
) -> OtherSystem:
    """Reads and checks a file of predictions.

    Args:
        given: `NAME=FILE`.
        data: prepared folder.
        protocol: whose test clips are evaluated; a protocol of folds tests the clips of all of them.
        split: the split to evaluate on.
        main_task: of the checkpoints that it is compared with; by default `emotion`.

    Raises:
        ValueError: the file has another form, ids are missing or doubled, or a label is unknown.
    """
    name, _, file = given.partition("=")
    if not name or not file:
        raise ValueError(f"--predictions {given}: expected NAME=FILE.")
    task = main_task or Task("emotion", "classification", "emotion", labels=EMOTIONS)
    if not task.is_classification:
        raise ValueError(f"--predictions {given}: only classes are supported, but {task.name} is a regression.")
    path = Path(file)
    table = _read(path)
    everything = load_table(data)
    clips = load_tested(data, protocol, split)
    _check_ids(path, table["id"].tolist(), clips["id"][:])
    labels = tuple(dict.fromkeys([*task.labels, *sorted({*map(str, everything[task.column][:])} - {"None"})]))
    known = {*everything["id"][:]}
    num_foreign = sum(id_ not in known for id_ in table["id"])
    logits = _logits(path, table.set_index("id").loc[clips["id"][:]], labels)
    task = Task(task.name, "classification", task.column, labels=labels, loss=task.loss)
    return OtherSystem(name, path, task, data, protocol, split, clips, logits, num_foreign)


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise ValueError(f"--predictions {path}: the file does not exist.")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"--predictions {path} is not a CSV file: {error}") from error
    if "id" not in table:
        raise ValueError(f"--predictions {path} has no column 'id'; it has {', '.join(map(repr, table.columns))}.")
    return table


def _check_ids(path: Path, ids: Sequence[str], expected: Sequence[str]) -> None:
    counts = pd.Series(ids, dtype=object).value_counts()
    doubled = sorted(counts.index[counts > 1])
    missing = sorted({*expected} - {*ids})
    for found, what in ((doubled, "ids occur more than once"), (missing, "clips of the split are missing")):
        if found:
            raise ValueError(
                f"--predictions {path}: {len(found):,} {what} (of {len(expected):,} to evaluate), such as "
                f"{', '.join(found[:_EXAMPLES])}."
            )


def _logits(path: Path, table: pd.DataFrame, labels: Sequence[str]) -> np.ndarray:
    if "label" in table:
        unknown = sorted({*table["label"]} - {*labels})
        if unknown:
            shown = ", ".join(map(repr, unknown[:_EXAMPLES]))
            raise ValueError(
                f"--predictions {path}: {len(unknown)} labels such as {shown} are unknown. Expected one of "
                f"{', '.join(labels)} for each clip."
            )
        return np.eye(len(labels))[[labels.index(label) for label in table["label"]]]
    columns = [label for label in labels if label in table]
    if len(columns) < 2:
        raise ValueError(
            f"--predictions {path} has neither a column 'label' nor columns of scores for several of the classes "
            f"{', '.join(labels)}; it has {', '.join(map(repr, table.columns))}."
        )
    scores = table[columns].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    invalid = ~np.isfinite(scores).all(axis=1)
    if invalid.any():
        raise ValueError(
            f"--predictions {path}: {int(invalid.sum()):,} clips have a score that is not a finite number, such as "
            f"{table.index[invalid][0]}."
        )
    logits = np.full((len(scores), len(labels)), scores.min() - 1)
    logits[:, [labels.index(label) for label in columns]] = scores
    return logits


def evaluate_other_system(system: OtherSystem) -> Evaluation:
    """Evaluates the predictions of another system. It has no calibrated confidence."""
    name, clips = system.task.name, system.clips
    measured = measure(clips, {name: system.logits}, [system.task])
    metrics = measured.metrics
    for absent in ("calibration", "distribution"):  # scores may be of any kind
        metrics[name].pop(absent, None)
    labels = raw_labels({column: clips[column][:] for column in ("corpus", "emotion", "raw_label")})
    report: dict[str, Any] = {
        "checkpoint": str(system.path),
        "model": system.name,
        "split": system.split,
        "protocol": load_protocol(system.data, system.protocol),
        "versions": versions(),
        "num_clips_seen_in_training": None,
        "num_speakers_seen_in_training": None,
        "weights_sha256": None,
        "row": system.name,
        "seed": None,
        "configuration": None,
        "pretrained": None,
        "clips": len(clips),
        "without_clips": {"corpora": [], "locales": []},
        "raw_labels": labels,
        "merged_labels": merged_labels(labels),
        "heads_without_labels": [],
        "main_task": name,
        "tasks": metrics,
        "num_foreign_ids": system.num_foreign,
    }
    return to_evaluation(report, measured, clips)
