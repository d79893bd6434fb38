"""Checks of what `predict.py` is to write, in a moment and before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

from ..timeline.formats import EXPORTS
from .partial_results import PartialResults
from .table_writers import ROW_FORMATS


def check_output(output: Path | None, files: int, timeline: bool, overwrite: bool = False) -> None:
    """Raises a `ValueError` where an output is there already, cannot be written, or its ending says no format."""
    if output is None:
        return
    _check_format(output, files, timeline)
    PartialResults(output, overwrite=overwrite).refuse_finished()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise ValueError(f"{output} cannot be written: {error.strerror}.") from error


def _check_format(output: Path, files: int, timeline: bool) -> None:
    if output.suffix in ROW_FORMATS:
        return
    formats = f"Rows are written as {', '.join(ROW_FORMATS)}, by the ending of the name"
    if not timeline:
        raise ValueError(f"{output}: {formats}; with --timeline there are more.")
    if output.suffix[1:] not in EXPORTS:
        exports = ", ".join(f".{name}" for name in EXPORTS if f".{name}" not in ROW_FORMATS)
        raise ValueError(f"{output}: {formats}; the timeline of one recording also as {exports}.")
    if files > 1:
        raise ValueError(f"{output} can hold the timeline of one recording, not of {files:,}. {formats}.")
