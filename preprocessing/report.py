"""What is written: whole or not at all, where it can be written; and reports for people."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .labels import merged_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
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
    write_whole(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def write_json(path: Path, content: object) -> None:
    """Writes strict JSON, whole or not at all; makes the folder."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG, whole or not at all; makes the folder."""
    # "tight" widens the image to what is drawn, where the figure's own size would cut it off.
    write_whole(path, lambda unfinished: figure.savefig(unfinished, dpi=120, format="png", bbox_inches="tight"))


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


def format_report(report: dict) -> str:
    """The corpora, what was dropped and why, and where a protocol could not be kept, as text."""
    lines = [f"{'corpus':<16}{'clips':>8}{'hours':>8}{'mean s':>8}  emotions"]
    for name, corpus in report["corpora"].items():
        if corpus["kept"]:
            emotions = ", ".join(f"{emotion} {count}" for emotion, count in corpus["emotion"].items())
            lines.append(
                f"{name:<16}{corpus['kept']:>8,}{corpus['hours']:>8.2f}{corpus['mean_duration_s']:>8.2f}  {emotions}"
            )
        for emotion, words in merged_labels({name: corpus.get("raw_labels", {})}).get(name, {}).items():
            listed = ", ".join(f"{count:,} {word!r}" for word, count in words.items())
            lines.append(f"{name:<16}{sum(words.values()):>8,} {emotion} by the authors' words: {listed}")
        for reason, count in corpus["dropped"].items():
            lines.append(f"{name:<16}{count:>8,} dropped: {reason}")
        if corpus.get("scaled_down"):
            lines.append(f"{name:<16}{corpus['scaled_down']:>8,} kept at a lower level: louder than 16 bits hold")
    for name, licence in report["settings"]["licences"].items():
        if licence:
            where = f"; {licence['homepage']}" if licence["homepage"] else ""
            lines.append(f"license of {name}: {licence['licence']}{where}")
    if conflicts := report["conflicts"]:
        first = conflicts[0]
        lines.append(
            f"{len(conflicts):,} labels of copies contradict the clip that is kept: the {first['column']} of "
            f"{first['copy']} is {first['other']}, of {first['kept']} {first['label']}; report.json lists all."
        )
    for protocol, notes in report["notes"].items():
        lines += [f"protocol {protocol}: {note}" for note in notes]
    return "\n".join(lines)
