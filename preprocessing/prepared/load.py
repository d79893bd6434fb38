"""Prepared folder -> the splits of a protocol."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from datasets import DatasetDict

from .parts import FORMAT, load_parts
from .protocols import SPLITS
from .rows import ROW
from .split_files import check_ids, load_splits


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


def load_prepared(folder: str | os.PathLike[str], protocol: str) -> DatasetDict:
    """The clips of a prepared folder, divided by a protocol; memory-mapped, so that memory does not grow with them.

    Args:
        folder: a prepared folder.
        protocol: name of a file in its `splits`, for a family with the corpus: `paper`, `loco:ravdess`.

    Returns:
        `train`, `validation` and `test`, those of them that have clips. `audio` is `{"bytes", "path"}`, `row` the
        clip's index in the folder's table. A clip that the protocol puts in no split is in none of them.

    Raises:
        ValueError: the folder is not a prepared folder or lacks the protocol, or the clips of the two differ.
    """
    report = load_report(folder)
    split_of = load_splits(folder, protocol)
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
    rows: dict[str | None, list[int]] = defaultdict(list)
    duplicates = report["duplicates"]
    kept = {id_: index for index, id_ in enumerate(table["id"][:]) if id_ not in duplicates}
    check_ids(kept, split_of, folder, protocol)
    for id_, index in kept.items():
        rows[split_of[id_]].append(index)
    return DatasetDict({split: table.select(rows[split]) for split in SPLITS if rows[split]})


def count_in_no_split(folder: str | os.PathLike[str], splits: DatasetDict) -> int:
    """The number of clips of a prepared folder that are in none of these splits of it."""
    kept: int = sum(corpus["kept"] for corpus in load_report(folder)["corpora"].values())
    return kept - sum(len(clips) for clips in splits.values())
