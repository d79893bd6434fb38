"""Prepared folder -> its report, and the table of its kept clips."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from datasets import Dataset

from .parts import FORMAT, load_parts
from .rows import ROW


def load_report(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """The report of a prepared folder.

    Raises:
        ValueError: the folder is not a prepared folder, or has the format of another version.
    """
    path = Path(folder, "report.json")
    if not path.is_file():
        raise ValueError(f"{folder} is not a prepared folder: it has no report.json. prepare.py writes one.")
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        written, parts = report["format"], list(report["parts"])
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{folder} is not a prepared folder: prepare.py did not write its report.json. Give a folder that it "
            "wrote, or prepare the folder again."
        ) from error
    if written != FORMAT:
        command = f"python prepare.py --corpora FILE --output {folder}"  # or --corpus, as it was made
        raise ValueError(
            f"{folder} has the format {written}, but this version reads format {FORMAT}. Prepare it again: {command}"
        )
    if not all(re.fullmatch(r"[0-9a-f]{32}", str(part)) for part in parts):
        raise ValueError(f"{path} lists parts that prepare.py did not write. Prepare the folder again.")
    return report


def load_table(folder: str | os.PathLike[str]) -> Dataset:
    """The kept clips of a prepared folder, memory-mapped; `row` is a clip's index among those with the duplicates.

    Raises:
        ValueError: the folder is not a prepared folder, or its table is incomplete or cannot be read.
    """
    report = load_report(folder)
    try:
        table = load_parts(Path(folder, "clips"), report["parts"])
    except FileNotFoundError as error:
        raise ValueError(
            f"{folder} is incomplete. Run the same prepare.py command again: it prepares what is missing."
        ) from error
    except Exception as error:  # what a file of any kind makes its readers raise has no common class
        raise ValueError(
            f"{folder} has a table that cannot be read. Prepare the corpora again, into another folder."
        ) from error
    table = table.add_column(ROW, range(len(table)))
    duplicates = report["duplicates"]
    if not duplicates:
        return table
    return table.select([row for row, id_ in enumerate(table["id"][:]) if id_ not in duplicates])
