"""Prepared folder -> the splits of a protocol."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from datasets import Audio, Dataset, DatasetDict, concatenate_datasets, load_from_disk

from .protocols import SPLITS
from .rows import ROW
from .split_files import check_ids, load_splits

FORMAT = 3  # of the prepared folder and of its columns' meaning; another number prepares all clips anew
_CLIPS = "table"  # a part's kept clips; beside it stands why the others were dropped


def load_report(folder: str | os.PathLike) -> dict:
    """The report of a prepared folder.

    Raises:
        ValueError: the folder is not one, or of another version.
    """
    path = Path(folder, "report.json")
    if not path.is_file():
        raise ValueError(f"{folder} is not a prepared folder: it has no report.json. Make one with prepare.py.")
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        written, parts = report["format"], list(report["parts"])
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{folder} is not a prepared folder: its report.json is not the one that prepare.py writes. Name the "
            "folder that it wrote, or prepare the folder again."
        ) from error
    if written != FORMAT:
        command = f"python prepare.py --corpora FILE --output {folder}"  # or --corpus, as it was made
        raise ValueError(f"{folder} has the format {written}, this version reads {FORMAT}: prepare it again, {command}")
    if not all(re.fullmatch(r"[0-9a-f]{32}", str(part)) for part in parts):
        raise ValueError(f"{path} names parts that prepare.py did not write: prepare the folder again.")
    return report


def load_prepared(folder: str | os.PathLike, protocol: str) -> DatasetDict:
    """The clips of a prepared folder, divided by a protocol; memory-mapped, so that memory does not grow with them.

    Args:
        folder: a prepared folder.
        protocol: name of a file in its `splits`, of a family with the corpus: `paper`, `loco:ravdess`.

    Returns:
        `train`, `validation` and `test`, those of them that have clips. `audio` is `{"bytes", "path"}`, `row` the
        clip's index in the folder's table. A clip that the protocol puts in no split is in none of them.

    Raises:
        ValueError: the folder is not a prepared one, has no such protocol, or the protocol lacks a clip or has one that
            the folder does not have.
    """
    report = load_report(folder)
    split_of = load_splits(folder, protocol)
    try:
        table = _load_parts(Path(folder, "clips"), report["parts"])
    except FileNotFoundError as error:
        raise ValueError(f"{folder} is not whole: run the same prepare.py again, it does what is missing.") from error
    except Exception as error:  # what a file of any kind makes its readers raise has no common class
        raise ValueError(f"{folder} holds a table that cannot be read: prepare it anew, elsewhere.") from error
    table = table.add_column(ROW, range(len(table)))
    rows: dict[str | None, list[int]] = defaultdict(list)
    copies = report["copies"]
    kept = {id_: index for index, id_ in enumerate(table["id"][:]) if id_ not in copies}
    check_ids(kept, split_of, folder, protocol)
    for id_, index in kept.items():
        rows[split_of[id_]].append(index)
    return DatasetDict({split: table.select(rows[split]) for split in SPLITS if rows[split]})


def count_in_no_split(folder: str | os.PathLike, splits: DatasetDict) -> int:
    """How many clips of a prepared folder are in none of these splits of it."""
    kept = sum(corpus["kept"] for corpus in load_report(folder)["corpora"].values())
    return kept - sum(len(clips) for clips in splits.values())


def _load_parts(folder: Path, names: Sequence[str]) -> Dataset:
    table = concatenate_datasets([load_from_disk(folder / name / _CLIPS) for name in names])
    return table.cast_column("audio", Audio(decode=False))
