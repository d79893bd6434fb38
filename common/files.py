"""What is written: whole or not at all, where it can be written; and reports for people."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def atomic_write(path: Path, write: Callable[[Path], Any]) -> None:
    """Has `write` make a file under another name, and gives it its own when it is whole and on the disk.

    Makes the folder, too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    write(unfinished)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)


def write_text(path: Path, text: str) -> None:
    """Writes text, whole or not at all; makes the folder."""
    atomic_write(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def write_json(path: Path, content: object) -> None:
    """Writes strict JSON, whole or not at all; makes the folder."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG, whole or not at all; makes the folder."""
    # "tight" widens the image to what is drawn, where the figure's own size would cut it off.
    atomic_write(path, lambda unfinished: figure.savefig(unfinished, dpi=120, format="png", bbox_inches="tight"))


def check_writable(folder: Path) -> None:
    """Checks, before any work, that a folder can be written to, or made.

    Raises:
        ValueError: it cannot.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise ValueError(f"{folder} cannot be written: {there} is a file.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ValueError(f"{folder} cannot be written: {there} is read-only, or of another user.")
