"""Prepared folder -> the splits of a protocol."""

from __future__ import annotations

import os
from collections import defaultdict

from datasets import DatasetDict

from .protocols import SPLITS
from .split_files import check_ids, load_splits
from .table import load_report, load_table


def load_prepared(folder: str | os.PathLike[str], protocol: str) -> DatasetDict:
    """The clips of a prepared folder, divided by a protocol; memory-mapped, so that memory does not grow with them.

    Args:
        folder: a prepared folder.
        protocol: name of a file in its `splits`, for a family with the corpus: `paper`, `loco:ravdess`; or one that is
            computed: `folds:5/2`, the second of five folds, `lolo:de-DE`, `fewshot:emodb:5`.

    Returns:
        `train`, `validation` and `test`, those of them that have clips. `audio` is `{"bytes", "path"}`, `row` the
        clip's index in the folder's table. A clip that the protocol puts in no split is in none of them.

    Raises:
        ValueError: the folder is not a prepared folder or lacks the protocol, or the clips of the two differ.
    """
    table = load_table(folder)
    split_of = load_splits(folder, protocol)
    rows: dict[str | None, list[int]] = defaultdict(list)
    kept = {id_: index for index, id_ in enumerate(table["id"][:])}
    check_ids(kept, split_of, folder, protocol)
    for id_, index in kept.items():
        rows[split_of[id_]].append(index)
    return DatasetDict({split: table.select(rows[split]) for split in SPLITS if rows[split]})


def count_in_no_split(folder: str | os.PathLike[str], splits: DatasetDict) -> int:
    """The number of clips of a prepared folder that are in none of these splits of it."""
    kept: int = sum(corpus["kept"] for corpus in load_report(folder)["corpora"].values())
    return kept - sum(len(clips) for clips in splits.values())
