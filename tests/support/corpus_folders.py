"""The trees of `tests/support/corpora`, the junk that unpacked archives have next to them, and both as files."""

import importlib
from pathlib import Path

from preprocessing.corpora import CORPORA

LAID_OUT = {name: importlib.import_module(f"tests.support.corpora.{name}") for name in CORPORA}
JUNK = dict.fromkeys(["._x.wav", "Thumbs.db", ".DS_Store", "readme.txt", ".hidden/x.wav"], "")


def lay_out(folder: Path, files) -> None:
    """Writes the files of a tree: path -> text, or paths alone, whose files are then empty."""
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[name] if isinstance(files, dict) else "", encoding="utf-8")
