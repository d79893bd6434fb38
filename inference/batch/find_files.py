"""Names on the command line -> the recordings that they stand for, each once, before any of them is opened."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.audio_files import AUDIO_SUFFIXES, walk
from common.text_files import encoding_of


@dataclass(frozen=True)
class Found:
    """Recordings to analyze, and what was left out.

    Args:
        files: paths and URLs as they were given, in that order; those of a folder or a pattern sorted.
        notes: a sentence on each kind of file that was left out.
    """

    files: tuple[str, ...]
    notes: tuple[str, ...]


def find_files(named: Sequence[str]) -> Found:
    """
    Args:
        named: files, folders (with all that is below them), patterns such as `calls/**/*.wav`, and URLs.

    Raises:
        ValueError: a name does not exist, or no name stands for a recording.
    """
    files: dict[str, str] = {}  # by absolute path, so that a.wav and ./a.wav are one
    missing, repeated, others = [], 0, 0
    for name in named:
        if "://" in name:
            members = [name]
        elif os.path.isdir(name):  # noqa: PTH112 - Path.is_dir raises where a name is too long, or a folder closed
            below = [str(path) for path in walk(Path(name), ("",))]
            members = [path for path in below if path.lower().endswith(AUDIO_SUFFIXES)]
            others += len(below) - len(members)
        elif os.path.exists(name):  # noqa: PTH110
            members = [name]
        else:
            members = sorted(path for path in _matches(name) if os.path.isfile(path))  # noqa: PTH113
            missing += [] if members else [name]
        for path in members:
            key = _public(path) if "://" in path else os.path.normpath(Path(path).absolute())
            repeated += key in files
            files.setdefault(key, path)
    if missing:
        raise ValueError(f"These files or folders do not exist: {_first(missing)}.")
    if not files:
        raise ValueError(
            f"No audio or video file was found in {_first(named)}; files are recognized by their suffixes."
        )
    notes = []
    if others:
        notes.append(f"{_files(others)} in the folders left out: the suffix is not one of an audio or video format.")
    if repeated:
        notes.append(f"{_files(repeated)} named more than once, processed once.")
    return Found(tuple(files.values()), tuple(notes))


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def check_files(names: Iterable[str]) -> None:
    """Raises a `ValueError` if one of several files or URLs is a file that does not exist."""
    missing = [name for name in names if "://" not in name and not os.path.isfile(name)]  # noqa: PTH113
    if missing:
        raise ValueError(f"These files do not exist: {', '.join(missing)}.")


def read_list(path: Path) -> list[str]:
    """The lines of a text file, one name each; a name that is not valid UTF-8 keeps its bytes.

    Raises:
        ValueError: the file cannot be read, or has no such line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"The list {path} cannot be read: {error.strerror}.") from error
    text = content.decode(encoding_of(content), errors="surrogateescape")  # PowerShell writes UTF-16
    names = [line for line in map(str.rstrip, text.split("\n")) if line]
    if not names:
        raise ValueError(f"The list {path} is empty: expected the name of a file or folder on each line.")
    return names


def _public(url: str) -> str:
    from modeling.audio_remote_ser import (
        redact_credentials,  # slow to import, and file names are checked first
    )

    return redact_credentials(url)


def _matches(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob does not accept an absolute pattern


def _files(count: int) -> str:
    return f"{count:,} file{'s' if count > 1 else ''}"
