"""A manifest of recordings -> its rows, and any choice of them written back as they were.

Cells come from the readers of all tables of users (`preprocessing.tables`). Rows of text formats are written as the
lines that were read: no writer of tables would keep their quotes, numbers and line ends.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from common.files import atomic_write
from common.text_files import clean_text, read_encoded
from preprocessing.tables.arrow import ArrowTable
from preprocessing.tables.delimited import read_delimited
from preprocessing.tables.read import read_json_lines

REASON_COLUMN = "rejected_because"
_HEADERLESS = ("id", "text", "normalized")
_JSON_SUFFIXES = (".jsonl", ".json", ".ndjson")
_SUFFIXES = (".csv", ".tsv", ".txt", *_JSON_SUFFIXES, ".parquet")


@dataclass(frozen=True)
class Manifest(ABC):
    """The rows of a manifest.

    Args:
        columns: their names.
        has_header: whether the file itself names them; in the LJSpeech form it does not.
    """

    columns: tuple[str, ...]
    has_header: bool

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def column(self, name: str) -> list[Any]:
        """The values of a column, `None` where a row has none."""

    @abstractmethod
    def write(self, path: Path, rows: Sequence[int], reasons: Sequence[Sequence[str]] | None = None) -> None:
        """Writes rows unchanged, in the manifest's format, whole or not at all.

        Args:
            path: of the file to write.
            rows: numbers of the rows, from 0.
            reasons: of each of them, for a further column `REASON_COLUMN`.
        """


def read_manifest(path: Path, path_columns: Sequence[str]) -> Manifest:
    """Reads a CSV, TSV, JSON-lines (NeMo) or Parquet manifest, or one of the LJSpeech form: `id|text|normalized`.

    Args:
        path: of the manifest.
        path_columns: names that the column of paths may have. A file with `|` whose first line has none of them has no
            header.

    Raises:
        ValueError: it is of another kind, or a row does not fit the others.
    """
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise ValueError(f"{path}: expected a manifest with one of the suffixes {', '.join(_SUFFIXES)}.")
    if not path.is_file():
        raise ValueError(f"{path} does not exist.")
    try:
        manifest: Manifest
        if suffix == ".parquet":
            table = ArrowTable([path])
            manifest = _ParquetManifest(tuple(table.columns), True, table, path)
        elif suffix in _JSON_SUFFIXES:
            manifest = _read_json(*read_encoded(path))
        else:
            manifest = _read_delimited(*read_encoded(path), path_columns)
    except ValueError as error:
        message = str(error)
        raise ValueError(message if message.startswith(str(path)) else f"{path}: {message}") from error
    if REASON_COLUMN in manifest.columns:
        raise ValueError(f"{path} already has a column {REASON_COLUMN}, which this command adds; rename it.")
    return manifest


@dataclass(frozen=True)
class _TextManifest(Manifest):
    """Rows that are lines of text.

    Args:
        encoding: of the file.
        header: lines before the rows, without and with the further column.
        lines: of the rows, without line ends.
        cells: of each row, by the column's name.
        add_reasons: `(line, reasons)` to the line with the further column.
    """

    encoding: str
    line_end: str
    header: tuple[str, str]
    lines: list[str]
    cells: list[dict[str, Any]]
    add_reasons: Callable[[str, Sequence[str]], str]

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> list[Any]:
        return [row.get(name) for row in self.cells]

    def write(self, path: Path, rows: Sequence[int], reasons: Sequence[Sequence[str]] | None = None) -> None:
        lines = [self.lines[row] for row in rows]
        if reasons is not None:
            lines = [self.add_reasons(line, why) for line, why in zip(lines, reasons, strict=True)]
        text = self.header[reasons is not None] + "".join(line + self.line_end for line in lines)
        atomic_write(path, lambda unfinished: unfinished.write_text(text, encoding=self.encoding, newline=""))


def _line_end(text: str) -> str:
    return "\r\n" if text.split("\n", 1)[0].endswith("\r") else "\n"


def _read_delimited(text: str, encoding: str, path_columns: Sequence[str]) -> _TextManifest:
    records, delimiter, quoted = read_delimited(text)
    columns, end = tuple(map(clean_text, records[0].cells)) if records else ("",), _line_end(text)
    has_header = delimiter != "|" or not set(columns).isdisjoint(path_columns)
    if has_header:
        first = records[0].raw.rstrip("\r\n") if records else ""
        header, records = (first + end, f"{first}{delimiter}{REASON_COLUMN}{end}"), records[1:]
    elif len(columns) <= len(_HEADERLESS):
        header, columns = ("", ""), _HEADERLESS[: len(columns)]
    else:
        raise ValueError(f"a manifest without a header is {'|'.join(_HEADERLESS)}; it has {len(columns)} columns.")

    def add_reasons(line: str, reasons: Sequence[str]) -> str:
        why = "; ".join(reasons)
        return f"{line}{delimiter}" + ('"' + why.replace('"', '""') + '"' if quoted else why.replace(delimiter, " "))

    lines = [record.raw.rstrip("\r\n") for record in records]
    cells = [dict(zip(columns, (cell.strip() or None for cell in record.cells), strict=True)) for record in records]
    return _TextManifest(columns, has_header, encoding, end, header, lines, cells, add_reasons)


def _read_json(text: str, encoding: str) -> _TextManifest:
    rows = list(read_json_lines(text))
    columns = tuple(dict.fromkeys(name for _, row in rows for name in row))

    def add_reasons(line: str, reasons: Sequence[str]) -> str:
        added = json.dumps({REASON_COLUMN: list(reasons)}, ensure_ascii=False)
        return line.removesuffix("}").rstrip() + ", " + added.removeprefix("{")

    lines = [line.rstrip() for line, _ in rows]
    return _TextManifest(
        columns, True, encoding, _line_end(text), ("", ""), lines, [row for _, row in rows], add_reasons
    )


@dataclass(frozen=True)
class _ParquetManifest(Manifest):
    """Rows of an Arrow table."""

    table: ArrowTable
    path: Path

    def __len__(self) -> int:
        return pq.ParquetFile(self.path).metadata.num_rows

    def column(self, name: str) -> list[Any]:
        return list(self.table.cells(name))

    def write(self, path: Path, rows: Sequence[int], reasons: Sequence[Sequence[str]] | None = None) -> None:
        table = pq.read_table(self.path).take(pa.array(rows, pa.int64()))
        if reasons is not None:
            table = table.append_column(REASON_COLUMN, pa.array([list(why) for why in reasons], pa.list_(pa.string())))
        atomic_write(path, lambda unfinished: pq.write_table(table, unfinished))
