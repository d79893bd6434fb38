"""A user's own audio: a folder per class, or a table of clips."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from common.audio_files import AUDIO_SUFFIXES, audio_folder_of, path_inside, walk
from common.text_files import clean_text, shorten

from ..clip import MISSING_FILE, Clip, SkippedClip, clip_id
from ..labels import is_missing, parse_gender
from ..tables.arrow import EmbeddedAudio
from ..tables.read import read_table_file
from ..votes import is_vote_column, parse_votes

# Reasons of skipped files
NOT_AUDIO = "not an audio or video file by its name"
NO_CLASS = "not in the folder of a class"

_MAX_EXACT_FLOAT = 2.0**53  # from here on a float does not hold every integer
_LOST_DIGITS = re.compile(r"-?\d[.,]\d+[Ee]\+\d+")  # what spreadsheets and pandas write of a long number
# Columns of a table that become fields of a clip; any other that `columns` names becomes a further label.
_FIELDS = set("path start_s end_s corpus locale speaker session sentence gender emotion style split".split())


@dataclass(frozen=True)
class UserAudio:
    """How a user's folder or table is read.

    Args:
        locale, style: of clips whose table does not give them.
        columns: our name -> the table's name of a column. A name that is not a field of a clip becomes a further label,
            and `emotion:LABEL` the number of annotators who chose a label, or their share.
        gender_map: label in the table -> `female`, `male` or `none`.
        audio_folder: where the table's paths start, itself relative to the table's folder. A table must not
            name files outside of it.
    """

    locale: str | None = None
    style: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    gender_map: Mapping[str, str] = field(default_factory=dict)
    audio_folder: str = ""


def read_folder(root: Path, options: UserAudio) -> Iterator[Clip | SkippedClip]:
    """Yields the files below `root`, labeled by the name of the folder right below `root`, which is their class."""
    corpus = root.resolve().name
    for path in walk(root, ("",)):
        relative = path.relative_to(root)
        id_ = clip_id(corpus, relative)
        if not path.name.lower().endswith(AUDIO_SUFFIXES):
            yield SkippedClip(id_, NOT_AUDIO)
        elif len(relative.parts) == 1:
            yield SkippedClip(id_, NO_CLASS)
        else:
            yield Clip(
                id=id_,
                path=path,
                corpus=corpus,
                locale=options.locale,
                style=options.style,
                raw_label=relative.parts[0],
            )


def read_table(path: Path, options: UserAudio) -> Iterator[Clip | SkippedClip]:
    """Yields the rows of a table: CSV, TSV, JSON lines, Parquet, or a folder of Parquet or Arrow files (`datasets`).

    Raises:
        ValueError: the table has another form or lacks a column, or a cell cannot be read.
    """
    table = read_table_file(path)
    wanted = {clean_text(ours): clean_text(theirs) for ours, theirs in options.columns.items()}
    columns = {name: name for name in _FIELDS if name in table.columns} | wanted
    if "path" not in columns:
        columns["path"] = next(filter(table.holds_audio, table.columns), "path")
    missing = [column for column in columns.values() if column not in table.columns]
    if missing:
        raise ValueError(
            f"{path} lacks the column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, table.columns))}. Name the columns with --columns path=… emotion=…."
        )
    folder = audio_folder_of(path, options.audio_folder)
    default = {"corpus": enclosing_folder(path).name, "locale": options.locale, "style": options.style}
    rows = zip(*(table.cells(column) for column in columns.values()), strict=True)
    for number, cells in enumerate(rows, start=1):
        try:
            row = {ours: _text(cell, columns[ours], ours) for ours, cell in zip(columns, cells, strict=True)}
            yield _clip(row, default, folder, options)
        except ValueError as error:
            raise ValueError(f"{path}, row {number}: {error}") from error


def enclosing_folder(table: Path) -> Path:
    """The folder of a table file; a table that is a folder itself."""
    return table.resolve() if table.is_dir() else table.resolve().parent


def _clip(row: dict[str, Any], default: dict[str, str | None], folder: Path, options: UserAudio) -> Clip | SkippedClip:
    known = {**default, **{name: row[name] for name in _FIELDS & row.keys() if row[name] is not None}}
    if "path" not in known:
        raise ValueError("the path is missing.")
    start_s = _number(known.pop("start_s", None), "start_s") or 0.0
    end_s = _number(known.pop("end_s", None), "end_s")
    source = known.pop("path")
    embedded = source if isinstance(source, EmbeddedAudio) else None
    path = path_inside(folder, source) if embedded is None else embedded.table
    name = path.relative_to(folder) if embedded is None else embedded.name
    id_ = clip_id(known["corpus"], name, start_s)
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where a name is too long
        return SkippedClip(id_, MISSING_FILE)
    if "/" in known["corpus"]:
        raise ValueError(f"the name of a corpus must not contain a slash, got {shorten(known['corpus'])}.")
    if known.get("split") not in (None, "train", "validation", "test"):
        raise ValueError(f"split must be train, validation or test, got {shorten(known['split'])}.")
    return Clip(
        id=id_,
        path=path,
        embedded=embedded,
        start_s=start_s,
        end_s=end_s,
        gender=parse_gender(known.pop("gender", None), options.gender_map),
        raw_label=known.pop("emotion", None),
        extra={
            name: parse_votes(value, name) if is_vote_column(name) else value
            for name, value in row.items()
            if name not in _FIELDS
        },
        **known,
    )


def _text(cell: object, column: str, name: str) -> Any:
    """A cell as text without blanks around it, an embedded recording unchanged, `None` where the cell is empty.

    Raises:
        ValueError: it is not text, a number or a date; or it is an identifier of more digits than a float holds.
    """
    if cell is None or cell != cell or isinstance(cell, EmbeddedAudio):
        return None if cell != cell else cell
    if isinstance(cell, bool):
        return str(cell).lower()
    if not isinstance(cell, str | int | float | Decimal | date | time):
        raise ValueError(f"column {column!r} holds {shorten(cell)}, but text or a number is expected.")
    text = str(cell).strip() if name == "path" else clean_text(str(cell))
    if name in _FIELDS and (
        (isinstance(cell, float) and abs(cell) >= _MAX_EXACT_FLOAT) or _LOST_DIGITS.fullmatch(text)
    ):
        raise ValueError(f"column {column!r} holds {text}, which has lost digits. Store the column as text.")
    return sys.intern(text) or None  # most are among a few labels, which a hundred thousand clips share


def _number(text: str | None, name: str) -> float | None:
    if text is None or is_missing(text):
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ValueError(f"{name} must be a number of seconds, got {shorten(text)}.")
    return seconds
