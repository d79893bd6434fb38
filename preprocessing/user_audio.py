"""A user's own audio: a folder per class, or a table of clips."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from .audio_files import AUDIO_SUFFIXES
from .clip import Clip, Drop, clip_id
from .corpora.corpus import walk
from .labels import parse_gender

_READERS = {
    ".csv": lambda path: pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig"),
    ".tsv": lambda path: pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, encoding="utf-8-sig"),
    ".jsonl": lambda path: pd.read_json(path, lines=True, dtype=False),
    ".parquet": pd.read_parquet,
}
# Columns of a table that become fields of a clip; any other that `columns` names becomes a further label.
_FIELDS = {
    "path",
    "start_s",
    "end_s",
    "corpus",
    "locale",
    "speaker",
    "sentence",
    "gender",
    "emotion",
    "style",
    "split",
}


@dataclass(frozen=True)
class UserAudio:
    """How a user's folder or table is read.

    Args:
        locale, style: of clips whose table does not say.
        columns: our name -> the table's name of a column. A name that is no field of a clip becomes a further label.
        gender_names: the table's word -> `female`, `male` or `none`.
        audio_folder: where the table's paths start, itself relative to the table's folder. A table may name no file
            outside of it.
    """

    locale: str | None = None
    style: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    gender_names: Mapping[str, str] = field(default_factory=dict)
    audio_folder: str = ""


def read_folder(root: Path, options: UserAudio) -> Iterator[Clip | Drop]:
    """Yields the files below `root`, labelled by the name of the folder right below it, whose classes they are."""
    corpus = root.resolve().name
    for path in walk(root, ("",)):
        relative = path.relative_to(root)
        id_ = clip_id(corpus, relative)
        if not path.name.lower().endswith(AUDIO_SUFFIXES):
            yield Drop(id_, "not an audio or video file by its name")
        elif len(relative.parts) == 1:
            yield Drop(id_, "not in the folder of a class")
        else:
            yield Clip(
                id=id_,
                path=path,
                corpus=corpus,
                locale=options.locale,
                style=options.style,
                raw_label=relative.parts[0],
            )


def read_table(path: Path, options: UserAudio) -> Iterator[Clip | Drop]:
    """Yields the rows of a CSV, TSV, JSON-lines or Parquet table.

    Raises:
        ValueError: the table is of another kind or lacks a column, or a cell cannot be read; the message names it.
    """
    if path.suffix.lower() not in _READERS:
        raise ValueError(f"{path}: a table is one of {', '.join(_READERS)}.")
    table = _READERS[path.suffix.lower()](path)
    columns = {name: name for name in _FIELDS if name in table.columns} | dict(options.columns)
    missing = [column for column in {"path": "path", **columns}.values() if column not in table.columns]
    if missing:
        raise ValueError(
            f"{path} has no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, table.columns))}. Name the columns with --columns path=… emotion=…."
        )
    folder = audio_folder_of(path, options.audio_folder)
    default = {"corpus": path.resolve().parent.name, "locale": options.locale, "style": options.style}
    rows = table[list(columns.values())].itertuples(index=False, name=None)
    for number, cells in enumerate(rows, start=1):
        row = {name: _clean(cell) for name, cell in zip(columns, cells, strict=True)}
        try:
            yield _clip(row, default, folder, options)
        except ValueError as error:
            raise ValueError(f"{path}, row {number}: {error}") from error


def audio_folder_of(table: Path, audio_folder: str) -> Path:
    """Where a table's paths start: `audio_folder`, itself relative to the table's folder."""
    return Path(os.path.normpath((table.parent / audio_folder).absolute()))


def path_inside(folder: Path, name: str) -> Path:
    """The file that a table names.

    Raises:
        ValueError: it lies outside of the folder, or is a link that leads out of it.
    """
    path = Path(os.path.normpath(folder / name))
    if not path.is_relative_to(folder):
        raise ValueError(f"{name!r} lies outside of {folder}; --audio_folder names the folder that holds all.")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(
            f"{name!r} is a link to {path.resolve()}, outside of {folder}; --audio_folder names the folder that holds "
            "all."
        )
    return path


def _clip(row: dict[str, str | None], default: dict[str, str | None], folder: Path, options: UserAudio) -> Clip | Drop:
    known = {**default, **{name: row[name] for name in _FIELDS & row.keys() if row[name] is not None}}
    if "path" not in known:
        raise ValueError("the path is empty.")
    start_s = _number(known.pop("start_s", "0"), "start_s")
    end_s = _number(known.pop("end_s"), "end_s") if "end_s" in known else None
    path = path_inside(folder, known.pop("path"))
    id_ = clip_id(known["corpus"], path.relative_to(folder), start_s)
    if not path.is_file():
        return Drop(id_, "the table names a file that does not exist")
    if "/" in known["corpus"]:
        raise ValueError(f"the name of a corpus has no slash, got {known['corpus']!r}.")
    if known.get("split") not in (None, "train", "validation", "test"):
        raise ValueError(f"split is train, validation or test, got {known['split']!r}.")
    return Clip(
        id=id_,
        path=path,
        start_s=start_s,
        end_s=end_s,
        gender=parse_gender(known.pop("gender", None), options.gender_names),
        raw_label=known.pop("emotion", None),
        extra={name: value for name, value in row.items() if name not in _FIELDS},
        **known,
    )


def _clean(cell: object) -> str | None:
    """A cell as trimmed text, `None` where it is empty."""
    if cell is None or cell != cell:
        return None
    return sys.intern(str(cell).strip()) or None  # most are among few words, which a hundred thousand clips share


def _number(text: str, name: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ValueError(f"{name} is a number of seconds, got {text!r}.")
    return seconds
