"""Atomic writing of files, and checks that a folder can be written to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def atomic_write(path: Path, write: Callable[[Path], Any]) -> None:
    """Writes a file completely or not at all; creates its folder.

    Args:
        path: the file.
        write: writes the content to the path that it is called with; the file is renamed once it is on the disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(path)
    write(unfinished)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)


def unfinished_path(path: Path) -> Path:
    """Where [`atomic_write`] writes the content of a file; it remains there if the process is killed."""
    return path.with_name(f"{path.name}.unfinished")


def write_text(path: Path, text: str) -> None:
    """Writes text atomically; creates the folder."""
    atomic_write(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def write_json(path: Path, content: object) -> None:
    """Writes strict JSON atomically; creates the folder."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG atomically; creates the folder."""
    # "tight" widens the image where the size of the figure would cut off its content.
    atomic_write(path, lambda unfinished: figure.savefig(unfinished, dpi=120, format="png", bbox_inches="tight"))


def check_writable(folder: Path) -> None:
    """Checks, before any work, that a folder can be written to, or created.

    Raises:
        ValueError: the folder cannot be written to.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise ValueError(f"{folder} cannot be written: {existing} is a file.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(f"{folder} cannot be written: {existing} is read-only, or belongs to another user.")
