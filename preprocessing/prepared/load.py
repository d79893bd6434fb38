"""Prepared folder -> the splits of a protocol."""

from __future__ import annotations

import os
from collections import defaultdict

from datasets import Dataset, DatasetDict

from .computed import COMPUTED
from .protocols import SPLITS
from .split_files import check_ids, load_splits, num_folds
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


def load_tested(folder: str | os.PathLike[str], protocol: str, split: str = "test") -> Dataset:
    """The clips of a split; of a protocol of folds, those that any of them tests, in the order of the table.

    Raises:
        ValueError: as of [`load_prepared`], or there are no such clips.
    """
    folds = num_folds(folder, protocol)
    if folds is None:
        splits = load_prepared(folder, protocol)
        if split not in splits:
            raise ValueError(f"Protocol {protocol} of {folder} has no {split} clips; it has {', '.join(splits)}.")
        return splits[split]
    if split != "test":
        raise ValueError(f"Protocol {protocol} has folds, of which only the test clips are evaluated, not {split}.")
    if protocol.partition(":")[0] in COMPUTED:  # which test every clip
        return load_table(folder)
    splits_of = [load_splits(folder, f"{protocol}/{fold}") for fold in range(1, folds + 1)]
    tested = {id_ for split_of in splits_of for id_, place in split_of.items() if place == "test"}
    table = load_table(folder)
    return table.select([row for row, id_ in enumerate(table["id"][:]) if id_ in tested])


def count_in_no_split(folder: str | os.PathLike[str], splits: DatasetDict) -> int:
    """The number of clips of a prepared folder that are in none of these splits of it."""
    kept: int = sum(corpus["kept"] for corpus in load_report(folder)["corpora"].values())
    return kept - sum(len(clips) for clips in splits.values())
