"""Parquet files, and Arrow files as the `datasets` library saves them: their columns, and the recordings in them."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ARROW_SUFFIXES = (".parquet", ".arrow")
# Names of splits on the Hub, at the beginning of a shard's name or as the name of its folder.
_SPLITS = {"train": "train", "validation": "validation", "valid": "validation", "dev": "validation", "test": "test"}


@dataclass(frozen=True, slots=True)
class EmbeddedAudio:
    """A recording that a table embeds.

    Args:
        table: the Parquet or Arrow file.
        column: the column of the recording: its bytes, or a struct of `bytes` and `path`.
        row: row in the file, from 0.
        name: name of the recording, unique in the table.
    """

    table: Path
    column: str
    row: int
    name: str

    def read_bytes(self) -> bytes:
        """The encoded recording.

        Raises:
            ValueError: the row has no recording.
        """
        cell = self._cell().as_py()
        content: bytes | None = cell["bytes"] if isinstance(cell, dict) else cell
        if content is None:
            raise ValueError("the table has no recording in this row.")
        return content

    def _cell(self) -> pa.Scalar:
        if self.table.suffix.lower() != ".parquet":
            return _map(self.table)[self.column][self.row]
        mtime_ns = self.table.stat().st_mtime_ns
        starts = _group_starts(self.table, mtime_ns)
        group = bisect_right(starts, self.row) - 1
        return _recordings_of_group(self.table, self.column, group, mtime_ns)[self.row - starts[group]]


class ArrowTable:
    """The rows of one or several files with the same columns, which are its shards.

    Args:
        files: Parquet or Arrow files.

    Attributes:
        columns: their names. A column `split` is added where the names of the files imply more than one split.

    Raises:
        ValueError: a file cannot be read, or lacks a column of the first; the message names it.
    """

    def __init__(self, files: Sequence[Path]):
        self._shards = [_Shard(file) for file in files]
        self.columns = list(self._shards[0].schema.names)
        for shard in self._shards:
            if missing := set(self.columns) - set(shard.schema.names):
                raise ValueError(f"{shard.file} has no column {', '.join(sorted(missing))}, which {files[0]} has.")
        splits = {_split_of(file) for file in files} - {None}
        self._split_column = len(splits) > 1 and "split" not in self.columns
        if self._split_column:
            self.columns.append("split")

    def cells(self, name: str) -> Iterator[Any]:
        """The values of a column: of classes their names, of recordings an [`EmbeddedAudio`], or the path of each."""
        if name == "split" and self._split_column:
            for shard in self._shards:
                yield from [_split_of(shard.file)] * shard.rows
        elif self.holds_audio(name):
            yield from self._recordings(name)
        else:
            for shard in self._shards:
                yield from shard.values(name)

    def holds_audio(self, name: str) -> bool:
        """Whether a column is one of recordings."""
        return _is_audio(self._shards[0].schema.field(name).type)

    def _recordings(self, column: str) -> Iterator[EmbeddedAudio | str | None]:
        named = [(shard, shard.names(column), shard.holds_bytes(column)) for shard in self._shards]
        bases = [[name and PurePosixPath(name.replace("\\", "/")).name for name in names] for _, names, _ in named]
        counts = Counter(base for of_shard in bases for base in of_shard)
        for (shard, names, embedded), of_shard in zip(named, bases, strict=True):
            for row, (name, base) in enumerate(zip(names, of_shard, strict=True)):
                alone = base if base and counts[base] == 1 else f"{shard.file.stem}/{row:06d}"
                yield EmbeddedAudio(shard.file, column, row, alone) if embedded else name


class _Shard:
    """A file of a table."""

    def __init__(self, file: Path):
        self.file = file
        self._is_parquet = file.suffix.lower() == ".parquet"
        try:
            opened = pq.ParquetFile(file) if self._is_parquet else _map(file)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{file} is not a Parquet file, nor an Arrow file of the datasets library.") from error
        self.schema = opened.schema_arrow if self._is_parquet else opened.schema
        self.rows = opened.metadata.num_rows if self._is_parquet else len(opened)

    def values(self, name: str) -> list[Any]:
        classes = _class_names(self.schema).get(name)
        values: list[Any] = self._read(name).to_pylist()
        if classes is None:
            return values
        return [classes[value] if value is not None and 0 <= value < len(classes) else None for value in values]

    def names(self, column: str) -> list[str | None]:
        """The file names in a column of recordings."""
        if not pa.types.is_struct(self.schema.field(column).type):
            return [None] * self.rows
        names: list[str | None] = pc.struct_field(self._read(column, "path"), "path").to_pylist()
        return names

    def holds_bytes(self, column: str) -> bool:
        """Whether a column of recordings has their bytes, rather than only the paths of files."""
        if not self._is_parquet:
            cells = self._read(column)
            content = pc.struct_field(cells, "bytes") if pa.types.is_struct(cells.type) else cells
            return bool(content.null_count < len(content))
        metadata = pq.ParquetFile(self.file).metadata
        paths = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
        leaf = next(i for i, path in enumerate(paths) if path in (column, f"{column}.bytes"))
        chunks = [metadata.row_group(i).column(leaf) for i in range(metadata.num_row_groups)]
        return not all(chunk.statistics and chunk.statistics.null_count == chunk.num_values for chunk in chunks)

    def _read(self, column: str, field: str | None = None) -> pa.ChunkedArray:
        """A column; in a Parquet file only one field of its structs, so that names are read without the recordings."""
        try:
            if self._is_parquet:
                return pq.ParquetFile(self.file).read(columns=[f"{column}.{field}" if field else column]).column(0)
            return _map(self.file)[column]
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{self.file}: the column {column!r} cannot be read.") from error


def _map(file: Path) -> pa.Table:
    """A memory-mapped table."""
    return pa.ipc.open_stream(pa.memory_map(str(file))).read_all()


def _is_audio(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return {field.name for field in kind} >= {"bytes", "path"}
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """Column -> the names of its classes, where the datasets library stored numbers for them."""
    try:
        info = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = info["info"]["features"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: feature["names"] for name, feature in features if feature.get("_type") == "ClassLabel"}


def _split_of(file: Path) -> str | None:
    names = (file.stem.split("-")[0].lower(), file.parent.name.lower())
    return next((_SPLITS[name] for name in names if name in _SPLITS), None)


@lru_cache(maxsize=1)  # clips are prepared in the order of their table
def _group_starts(file: Path, mtime_ns: int) -> list[int]:
    """The first row of each group of rows that a Parquet file is made of, and the number of all rows."""
    metadata = pq.ParquetFile(file).metadata
    return [0, *accumulate(metadata.row_group(i).num_rows for i in range(metadata.num_row_groups))]


@lru_cache(maxsize=1)
def _recordings_of_group(file: Path, column: str, group: int, mtime_ns: int) -> pa.ChunkedArray:
    opened = pq.ParquetFile(file)
    is_struct = pa.types.is_struct(opened.schema_arrow.field(column).type)
    return opened.read_row_group(group, columns=[f"{column}.bytes" if is_struct else column]).column(0)
