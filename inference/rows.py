"""What was answered for each file -> rows in a table's file: JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from modeling import AnswerOptions, Task, pools
from preprocessing.clip import spelled

Row = dict[str, Any]
_ROWS_AT_ONCE = 1_000  # in memory, and in a group of a Parquet file
_ARROW = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}


def columns(
    tasks: Sequence[Task], main_task: Task, options: AnswerOptions, *, timeline: bool, channel: bool
) -> dict[str, type]:
    """Names and types of the columns of a flat table. They depend on what is asked, and not on the answers.

    Args:
        tasks, main_task: of the model.
        options: how its answers are worded.
        timeline: whether a row is a segment, rather than a file.
        channel: whether each channel has segments of its own.
    """
    table: dict[str, type] = {"file": str}
    if timeline:
        table |= {"start_s": float, "end_s": float} | ({"channel": int} if channel else {})
    for task in tasks:
        if task.is_classification:
            labels = [x for x in task.labels if task.name != main_task.name or x in (options.labels or task.labels)]
            table |= {task.name: str, f"{task.name}_score": float} | {f"{task.name}_{x}": float for x in labels}
        else:
            table[task.name] = float
    if options.uncertain_below is not None and main_task.is_classification:
        table["uncertain"] = bool
    return table | {"duration_s": float, "speech_s" if timeline else "heard_s": float, "error": str}


def flatten(row: Row) -> Row:
    """A row as a cell per column: of a classification head the best label, its score, and the score of each label."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, list):
            flat |= {name: value[0]["label"], f"{name}_score": value[0]["score"]}
            scores = {entry["label"]: entry["score"] for entry in value}  # the likeliest first; columns have one order
            flat |= {f"{name}_{label}": scores[label] for label in sorted(scores)}
        else:
            flat[name] = value["value"] if isinstance(value, dict) else value
    return flat


def _write_jsonl(rows: Iterable[Row], path: Path, table: Mapping[str, type]) -> None:
    # A byte of a file's name that is no UTF-8 becomes \udcXX, which is how JSON itself escapes it.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _write_csv(rows: Iterable[Row], path: Path, table: Mapping[str, type]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        write_csv(rows, file, table)


def write_csv(rows: Iterable[Row], file: TextIO, table: Mapping[str, type]) -> None:
    """Writes rows as CSV, in the columns of [`columns`]."""
    writer = csv.DictWriter(file, table)  # its own line ends: with others it would not quote a name that has them
    writer.writeheader()
    writer.writerows(map(flatten, rows))


def _write_parquet(rows: Iterable[Row], path: Path, table: Mapping[str, type]) -> None:
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in table.items()])
    with pq.ParquetWriter(path, schema) as writer:
        for pool in pools(map(flatten, rows), _ROWS_AT_ONCE):
            cells = {name: [_written(row.get(name)) for row in pool] for name in table}
            writer.write_table(pa.table(cells, schema))


def _written(cell: Any) -> Any:
    return spelled(cell) if isinstance(cell, str) else cell


# Ending of a file's name -> writes `(rows, path, columns)`, holding few rows in memory.
ROW_FORMATS: dict[str, Callable[[Iterable[Row], Path, Mapping[str, type]], None]] = {
    ".jsonl": _write_jsonl,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
