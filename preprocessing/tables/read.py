"""A user's table -> its columns, each as a stream of cells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from common.audio_files import walk
from common.text_files import clean_text, read_text, shorten

from .arrow import ARROW_SUFFIXES, ArrowTable
from .delimited import read_delimited

_DELIMITERS = {".csv": None, ".tsv": "\t"}
_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
TABLE_SUFFIXES = (*_DELIMITERS, *_JSON_SUFFIXES, *ARROW_SUFFIXES)


class Table(Protocol):
    """A table of a user."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns."""

    def cells(self, name: str) -> Iterable[Any]:
        """The cells of a column, from the first row to the last."""

    def holds_audio(self, name: str) -> bool:
        """Whether a column is one of recordings."""


def read_table_file(path: Path) -> Table:
    """Reads a CSV, TSV, JSON-lines, Parquet or Arrow file, or a folder of the last two: a data set of `datasets`.

    Raises:
        ValueError: it is of another kind, or its content is not that of its suffix; the message names file and row.
    """
    if path.is_dir():
        files = [file for file in walk(path, ARROW_SUFFIXES) if not file.name.startswith("cache-")]
        if not files:
            raise ValueError(f"{path}: a folder must hold {' or '.join(ARROW_SUFFIXES)} files to be read as a table.")
        return ArrowTable(files)
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise ValueError(f"{path}: the suffix of a table must be one of {', '.join(TABLE_SUFFIXES)}.")
    if suffix in ARROW_SUFFIXES:
        return ArrowTable([path])
    text = read_text(path)
    try:
        return _TextTable(*(_read_json(text) if suffix in _JSON_SUFFIXES else _read_cells(text, suffix)))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


class _TextTable:
    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]):
        self.columns, self._rows = columns, rows

    def cells(self, name: str) -> Iterator[Any]:
        places = [place for place, column in enumerate(self.columns) if column == name]
        if len(places) > 1:
            raise ValueError(f"{len(places)} columns of the table are called {shorten(name)}. Rename them.")
        return (row[places[0]] for row in self._rows)

    def holds_audio(self, name: str) -> bool:
        return False


def _read_cells(text: str, suffix: str) -> tuple[list[str], list[list[str]]]:
    header, *rows = [record.cells for record in read_delimited(text, _DELIMITERS[suffix]).records] or [[]]
    return list(map(clean_text, header)), rows


def _read_json(text: str) -> tuple[list[str], list[list[Any]]]:
    rows = list(read_json_lines(text, as_written=True))
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    return list(map(clean_text, columns)), [[row.get(name) for name in columns] for _, row in rows]


def read_json_lines(text: str, as_written: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """The lines that are not blank, and the JSON object of each.

    Args:
        text: content of the file.
        as_written: return numbers as their text in the file, so that an identifier keeps its digits.

    Raises:
        ValueError: a line is not a JSON object.
    """
    as_text: dict[str, Any] = {"parse_int": str, "parse_float": str, "parse_constant": lambda _: None}
    lines = (line for line in text.split("\n") if line.strip())
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line, **(as_text if as_written else {}))
        except ValueError as error:
            raise ValueError(f"row {number} is not valid JSON: {error}") from error
        if not isinstance(row, dict):
            raise ValueError(f"row {number} is not a JSON object.")
        yield line, row
