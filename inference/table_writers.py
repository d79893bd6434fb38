"""Rows of predictions -> a file with a table: JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from common.text_files import escape_surrogates

if TYPE_CHECKING:
    from modeling import OutputOptions, Task

Row = dict[str, Any]
_ROWS_AT_ONCE = 1_000  # in memory, and in a group of a Parquet file
# Meaningful decimals, by the unit; a value in another unit is rounded to four significant digits.
_DECIMALS = {"score": 4, "s": 3, "Hz": 1, "dB": 1}
_ARROW = {str: "string", float: "float64", int: "int64", bool: "bool"}


def columns(
    tasks: Sequence[Task],
    main_task: Task,
    options: OutputOptions,
    *,
    timeline: bool,
    channel: bool,
    wide: bool = True,
) -> dict[str, type]:
    """Names and types of the columns of a flat table. They depend on the request, and not on the predictions.

    The most important ones come first: the file, the likeliest class of the main task, its score, the error.

    Args:
        tasks, main_task: of the model.
        options: how outputs are formatted.
        timeline: whether a row is a segment, rather than a file.
        channel: whether each channel has segments of its own.
        wide: whether the scores of all classes and the other heads have columns, too.
    """
    table: dict[str, type] = {"file": str}
    if timeline:
        table |= {"start_s": float, "end_s": float} | ({"channel": int} if channel else {})
    table |= _chosen(main_task) | {"error": str}
    for task in tasks if wide else ():
        labels = [x for x in task.labels if task.name != main_task.name or x in (options.labels or task.labels)]
        table |= _chosen(task) | {f"{task.name}_{x}": float for x in labels}
    if options.uncertain_below is not None and main_task.is_classification:
        table["uncertain"] = bool
    seconds = ("duration_s", "speech_s") if timeline else ("duration_s", "analyzed_s", "speech_s")
    return table | dict.fromkeys(seconds, float) | ({} if timeline else {"reason": str})


def _chosen(task: Task) -> dict[str, type]:
    """The columns of the likeliest class of a head, or of its value."""
    return {task.name: str, f"{task.name}_score": float} if task.is_classification else {task.name: float}


def flatten(row: Row) -> Row:
    """A row as a cell per column: of a classification head the best label, its score, and the score of each label."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, list):
            flat |= {name: value[0]["label"], f"{name}_score": value[0]["score"]}
            scores = {entry["label"]: entry["score"] for entry in value if entry["label"] is not None}
            flat |= {f"{name}_{label}": scores[label] for label in sorted(scores)}  # one order, whichever is likeliest
        else:
            flat[name] = value["value"] if isinstance(value, dict) else value
    return flat


def rounded(row: Row) -> Row:
    """A row with its numbers rounded to meaningful decimals, for people: `_DECIMALS` by their unit."""
    return {name: _rounded(name, value) for name, value in row.items()}


def _rounded(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [{**entry, "score": _round(entry["score"], "score")} for entry in value]
    if isinstance(value, dict):
        return {**value, "value": _round(value["value"], value["unit"])}
    return _round(value, "s") if name.endswith("_s") else value


def _round(number: float | None, unit: str) -> float | None:
    if number is None:
        return None
    return round(number, _DECIMALS[unit]) if unit in _DECIMALS else float(f"{number:.4g}")


def _write_jsonl(rows: Iterable[Row], path: Path, table: Mapping[str, type]) -> None:
    # A byte of a file name that is not valid UTF-8 becomes \udcXX, which is how JSON itself escapes it.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _write_csv(rows: Iterable[Row], path: Path, table: Mapping[str, type]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        write_csv(rows, file, table)


def write_csv(rows: Iterable[Row], file: TextIO, table: Mapping[str, type]) -> None:
    """Writes rows as CSV: of their cells those of the columns of `table`, for which see [`columns`]."""
    # The writer's default line ends: with others it would not quote a name that contains them.
    writer = csv.DictWriter(file, table, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(flatten(rounded(row)) for row in rows)


def _write_parquet(rows: Iterable[Row], path: Path, table: Mapping[str, type]) -> None:
    import pyarrow as pa  # of this format alone
    import pyarrow.parquet as pq

    from modeling import batched  # slow to import

    schema = pa.schema([(name, pa.type_for_alias(_ARROW[kind])) for name, kind in table.items()])
    with pq.ParquetWriter(path, schema) as writer:
        for group in batched(map(flatten, rows), _ROWS_AT_ONCE):
            cells = {name: [_encodable(row.get(name)) for row in group] for name in table}
            writer.write_table(pa.table(cells, schema))


def _encodable(cell: Any) -> Any:
    return escape_surrogates(cell) if isinstance(cell, str) else cell


# Suffix -> function that writes `(rows, path, columns)`, holding few rows in memory.
ROW_FORMATS: dict[str, Callable[[Iterable[Row], Path, Mapping[str, type]], None]] = {
    ".jsonl": _write_jsonl,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
