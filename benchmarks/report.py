"""A report of the paper's size from made-up predictions, its time and memory: `python -m benchmarks.report`.

25 corpora with the test clips of the paper's Table 1, and ten rows of three seeds with the heads of Table 2.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset

from benchmarks.measure import Line, command_line, run_command, spread
from evaluation.metrics.compute import measure as measure_heads
from evaluation.reporting.metrics_json import Evaluation, to_evaluation
from evaluation.reporting.paper import TASK_NAMES, load_paper
from evaluation.reporting.summary import write_summary
from modeling import Task
from preprocessing.corpora import CORPORA
from preprocessing.labels import EMOTIONS, GENDERS, LOCALES
from preprocessing.prepared.table1 import PAPER_TOTALS

ROWS = (*load_paper()["table2"], "Pepino et al. + Em")
SEEDS, SPEAKERS = 3, 10
TEST, QUICK_TEST = 0.15, 0.002  # shares of the clips of Table 1
TARGET_S, TARGET_MB = 180, 1024
ROOT = Path(__file__).parent.parent
_CODE = """
import pathlib, sys
from benchmarks.report import write_made_up
write_made_up(pathlib.Path(sys.argv[1]), float(sys.argv[2]))
"""
_STATISTICS = {  # of a target: unit, mean, deviation
    "f0_mean": ("Hz", 190.0, 60.0),
    "f0_std": ("Hz", 45.0, 20.0),
    "energy_mean": ("FS", 6.0, 4.0),
    "energy_std": ("FS", 5.0, 3.0),
    "voiced_ratio": ("", 0.5, 0.15),
}
_CLASSES = {"emotion": EMOTIONS, "gender": GENDERS, "language": LOCALES}
_COLUMNS = {"language": "locale"}  # of the prepared table, where it is not named as the head
_PROTOCOL: dict[str, Any] = {
    "protocol": "paper",
    "family": "paper",
    "corpus": None,
    "seed": 0,
    "description": "75/15/10 by chance",
    "notes": [],
}


def test_clips(share: float) -> Dataset:
    """Made-up test clips of all corpora of Table 1, this share of each."""
    random = np.random.default_rng(0)
    columns: dict[str, list[Any]] = {}
    for corpus in CORPORA.values():
        if corpus.paper_clips is None:
            continue
        count = max(20, round(share * corpus.paper_clips))
        speaker = random.integers(SPEAKERS, size=count)
        found = {
            "id": [f"{corpus.name}/{i}.wav" for i in range(count)],
            "corpus": [corpus.name] * count,
            "locale": [corpus.locale] * count,
            "speaker": [str(number) for number in speaker],
            "gender": [GENDERS[number % 2] for number in speaker],
            "emotion": random.choice(EMOTIONS, size=count, p=_shares()).tolist(),
            "duration_s": random.uniform(0.5, 6, count).tolist(),
            "style": [corpus.style] * count,
            **{name: random.normal(mean, std, count).tolist() for name, (_, mean, std) in _STATISTICS.items()},
        }
        for name, values in found.items():
            columns.setdefault(name, []).extend(values)
    return Dataset.from_dict(columns)


def _shares() -> np.ndarray:
    clips = np.array(list(PAPER_TOTALS["emotion"].values()))
    return clips / clips.sum()


def row_tasks(row: str) -> list[Task]:
    """The heads of a row, by its name."""
    parts = row.split(" + ")[1:]
    tasks = []
    for name, short in TASK_NAMES.items():
        column = _COLUMNS.get(name, name)
        if short in parts and name in _CLASSES:
            tasks.append(Task(name, "classification", column, labels=tuple(_CLASSES[name])))
        elif short in parts:
            unit, mean, std = _STATISTICS[name]
            tasks.append(Task(name, "regression", column, unit=unit, mean=mean, std=std))
    return tasks


def evaluations(clips: Dataset) -> Iterator[Evaluation]:
    """Evaluations of all rows and seeds, whose predictions are right about as often as the paper's."""
    for number, row in enumerate(ROWS):
        tasks = row_tasks(row)
        for seed in range(1, SEEDS + 1):
            random = np.random.default_rng([number, seed])
            logits = {task.name: _predictions(task, clips, number, random) for task in tasks}
            measured = measure_heads(clips, logits, tasks)
            report = {
                "checkpoint": f"runs/paper/row-{number}/seed-{seed}",
                "model": f"runs/paper/row-{number}",
                "row": row,
                "seed": seed,
                "configuration": hashlib.sha256(row.encode()).hexdigest(),
                "split": "test",
                "protocol": _PROTOCOL,
                "clips": len(clips),
                "num_clips_seen_in_training": 0,
                "without_clips": {"corpora": [], "locales": []},
                "merged_labels": {},
                "heads_without_labels": [],
                "main_task": "emotion",
                "tasks": measured.metrics,
            }
            yield to_evaluation(report, measured, clips)


def _predictions(task: Task, clips: Dataset, row: int, random: np.random.Generator) -> np.ndarray:
    """Outputs of a head, `(clips, num_outputs)`."""
    if not task.is_classification:
        standardized = (np.array(clips[task.column][:]) - task.mean) / task.std
        return (standardized + random.normal(0, 0.4, len(clips)))[:, None]
    recall = load_paper()["table3"]
    right = np.array([recall[corpus][-1] for corpus in clips["corpus"][:]]) - 0.004 * row + random.normal(0, 0.005)
    target = np.array([task.encode(value) for value in clips[task.column][:]])
    chance = random.integers(task.num_outputs, size=len(clips))
    predicted = np.where(random.random(len(clips)) < right, target, chance)
    return random.normal(0, 0.5, (len(clips), task.num_outputs)) + 3 * np.eye(task.num_outputs)[predicted]


def write_made_up(folder: Path, share: float) -> None:
    """Writes the report, as `evaluate.py` does."""
    write_summary(list(evaluations(test_clips(share))), folder)


def measure(quick: bool) -> list[Line]:
    """Seconds and memory of the report in a process of its own."""
    share = QUICK_TEST if quick else TEST
    with tempfile.TemporaryDirectory() as folder:
        used = run_command(["-c", _CODE, folder, str(share)], ROOT)
        figures = len(list(Path(folder, "figures").glob("*.png")))
    claim = f"report on 25 corpora, {len(ROWS)} rows of {SEEDS} seeds, {len(test_clips(share)):,} clips"
    note = (
        f"Metrics, intervals, tables and {figures} figures from made-up predictions, imports included; "
        f"{used.processor_s:.0f} s of CPU time. Memory is all that is resident, libraries included."
    )
    return [
        Line(f"{claim}: time", "–", **spread([used.seconds]), target=TARGET_S, at_least=False, unit=" s", note=note),
        Line(f"{claim}: memory", "–", **spread([used.peak_mb]), target=TARGET_MB, at_least=False, unit=" MB"),
    ]


if __name__ == "__main__":
    command_line(measure, __doc__)
