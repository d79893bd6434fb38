"""A manifest of recordings -> its rows, and any choice of them written back as they stood there."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from common.files import atomic_write
from common.text_files import clean_text, read_encoded
from preprocessing.tables.delimited import read_delimited
from preprocessing.tables.read import read_json_lines

REASON_COLUMN = "rejected_because"
_HEADERLESS = ("id", "text", "normalized")
_JSON_SUFFIXES = (".jsonl", ".json", ".ndjson")
_DELIMITED_SUFFIXES = (".csv", ".tsv", ".txt")


class Manifest(ABC):
    """The rows of a manifest.

    Attributes:
        columns (`tuple[str]`): their names.
        has_header (`bool`): whether the file itself names them; in the LJSpeech form it does not.
    """

    columns: tuple[str, ...]
    has_header = True

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def column(self, name: str) -> list[Any]:
        """The values of a column, `None` where a row has none."""

    @abstractmethod
    def write(self, path: Path, rows: Sequence[int], reasons: Sequence[Sequence[str]] | None = None) -> None:
        """Writes rows unchanged, in the manifest's format, whole or not at all.

        Args:
            path: where to.
            rows: numbers of the rows, from 0.
            reasons: of each of them, for a further column `REASON_COLUMN`.
        """


def read_manifest(path: Path, path_columns: Sequence[str]) -> Manifest:
    """Reads a CSV, TSV, JSON-lines (NeMo) or Parquet manifest, or one of the LJSpeech form: `id|text|normalized`.

    Text formats keep every row as it is written; delimiters, quotes, line ends and numbers come back byte for byte.

    Args:
        path: of the manifest.
        path_columns: names that the column of paths may have. A file with `|` whose first line has none of them has no
            header.

    Raises:
        ValueError: it is of another kind, or a row does not fit the others; the message says which.
    """
    suffix = path.suffix.lower()
    if suffix not in (*_DELIMITED_SUFFIXES, *_JSON_SUFFIXES, ".parquet"):
        known = ", ".join((*_DELIMITED_SUFFIXES, *_JSON_SUFFIXES, ".parquet"))
        raise ValueError(f"{path}: a manifest is one of {known}.")
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file.")
    try:
        if suffix == ".parquet":
            manifest: Manifest = _Parquet(path)
        else:
            text, encoding = read_encoded(path)
            is_json = suffix in _JSON_SUFFIXES
            manifest = _JsonLines(text, encoding) if is_json else _Delimited(text, encoding, path_columns)
    except (ValueError, pa.ArrowException) as error:
        message = str(error)
        raise ValueError(message if message.startswith(str(path)) else f"{path}: {message}") from error
    if REASON_COLUMN in manifest.columns:
        raise ValueError(f"{path} has a column {REASON_COLUMN} already, which is what filter adds; rename it.")
    return manifest


class _Text(Manifest):
    """Rows that are lines of text, in some encoding."""

    _raw: list[str]

    def __init__(self, text: str, encoding: str):
        self._encoding = encoding
        self._line_end = "\r\n" if text.split("\n", 1)[0].endswith("\r") else "\n"

    def __len__(self) -> int:
        return len(self._raw)

    def write(self, path: Path, rows: Sequence[int], reasons: Sequence[Sequence[str]] | None = None) -> None:
        atomic_write(path, lambda unfinished: self._write(unfinished, rows, reasons))

    def _write(self, path: Path, rows: Sequence[int], reasons: Sequence[Sequence[str]] | None) -> None:
        with path.open("w", encoding=self._encoding, newline="") as file:
            file.write(self._head(reasons is not None))
            for row, why in zip(rows, reasons or [()] * len(rows), strict=True):
                raw = self._raw[row].rstrip("\r\n")
                file.write((self._with_reasons(raw, why) if reasons is not None else raw) + self._line_end)

    def _head(self, with_reasons: bool) -> str:
        return ""

    @abstractmethod
    def _with_reasons(self, raw: str, reasons: Sequence[str]) -> str: ...


class _Delimited(_Text):
    """Rows of cells."""

    def __init__(self, text: str, encoding: str, path_columns: Sequence[str]):
        super().__init__(text, encoding)
        records, self._delimiter, self._quoted = read_delimited(text)
        names = list(map(clean_text, records[0].cells)) if records else [""]
        self.has_header = self._delimiter != "|" or not set(names).isdisjoint(path_columns)
        if self.has_header:
            self.columns, self._header = tuple(names), records[0].raw.rstrip("\r\n") if records else ""
            records = records[1:]
        elif len(names) <= len(_HEADERLESS):
            self.columns, self._header = _HEADERLESS[: len(names)], ""
        else:
            raise ValueError(f"a manifest without a header is {'|'.join(_HEADERLESS)}; it has {len(names)} columns.")
        self._raw, self._cells = [record.raw for record in records], [record.cells for record in records]

    def column(self, name: str) -> list[str | None]:
        place = self.columns.index(name)
        return [cells[place].strip() or None for cells in self._cells]

    def _head(self, with_reasons: bool) -> str:
        if not self.has_header:
            return ""
        return self._header + (self._delimiter + REASON_COLUMN if with_reasons else "") + self._line_end

    def _with_reasons(self, raw: str, reasons: Sequence[str]) -> str:
        why = "; ".join(reasons)
        if self._quoted:
            why = '"' + why.replace('"', '""') + '"'
        return raw + self._delimiter + (why if self._quoted else why.replace(self._delimiter, " "))


class _JsonLines(_Text):
    """Rows that are JSON objects."""

    def __init__(self, text: str, encoding: str):
        super().__init__(text, encoding)
        lines = list(read_json_lines(text))
        self._raw, self._objects = [line for line, _ in lines], [row for _, row in lines]
        self.columns = tuple(dict.fromkeys(name for row in self._objects for name in row))

    def column(self, name: str) -> list[Any]:
        return [row.get(name) for row in self._objects]

    def _with_reasons(self, raw: str, reasons: Sequence[str]) -> str:
        added = json.dumps({REASON_COLUMN: list(reasons)}, ensure_ascii=False)
        return raw.rstrip().removesuffix("}").rstrip() + ", " + added.removeprefix("{")


class _Parquet(Manifest):
    """Rows of an Arrow table."""

    def __init__(self, path: Path):
        self._table = pq.read_table(path)
        self.columns = tuple(self._table.column_names)

    def __len__(self) -> int:
        return len(self._table)

    def column(self, name: str) -> list[Any]:
        return self._table[name].to_pylist()

    def write(self, path: Path, rows: Sequence[int], reasons: Sequence[Sequence[str]] | None = None) -> None:
        table = self._table.take(pa.array(rows, pa.int64()))
        if reasons is not None:
            table = table.append_column(REASON_COLUMN, pa.array([list(why) for why in reasons], pa.list_(pa.string())))
        atomic_write(path, lambda unfinished: pq.write_table(table, unfinished))
