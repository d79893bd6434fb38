"""Checks of the output of `predict.py`, before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

from ..table_writers import ROW_FORMATS
from ..timeline.formats import EXPORTS
from .partial_results import PartialResults


def check_output(output: Path | None, files: int, timeline: bool, overwrite: bool = False) -> None:
    """Raises a `ValueError` if an output exists already, cannot be written, or has an unknown suffix."""
    if output is None:
        return
    _check_format(output, files, timeline)
    PartialResults(output, overwrite=overwrite).check_unfinished()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise ValueError(f"{output} cannot be written: {error.strerror}.") from error


def _check_format(output: Path, files: int, timeline: bool) -> None:
    if output.suffix in ROW_FORMATS:
        return
    formats = f"Expected rows as {', '.join(ROW_FORMATS)}"
    if not timeline:
        raise ValueError(f"{output}: {formats}; more formats need --timeline.")
    if output.suffix[1:] not in EXPORTS:
        exports = ", ".join(f".{name}" for name in EXPORTS if f".{name}" not in ROW_FORMATS)
        raise ValueError(f"{output}: {formats}, or the timeline of one recording as {exports}.")
    if files > 1:
        raise ValueError(f"{output}: the format holds the timeline of one recording, got {files:,}. {formats}.")
