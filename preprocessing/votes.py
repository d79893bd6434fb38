"""Votes of annotators: columns `COLUMN:LABEL` in addition to a label's column, as `emotion:angry` to `emotion`.

A cell is how many annotators chose the label, or their share; it is missing, or all cells of a clip are 0, where nobody
voted. Votes keep what a single label loses: the second choice, and how far the annotators agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from common.text_files import shorten

from .labels import NONE, is_missing, normalize

Values = Mapping[str, Sequence[Any]]  # column -> its cells, a row per clip


def is_vote_column(name: str) -> bool:
    """Whether a column holds votes, by its name."""
    return ":" in name


def vote_columns(column: str, names: Iterable[str]) -> dict[str, str]:
    """The columns, among these, that hold votes about a column: label -> name of the column."""
    prefix = f"{column}:"
    return {name.removeprefix(prefix): name for name in names if name.startswith(prefix)}


def parse_votes(cell: str | None, name: str) -> float | None:
    """The number of votes in a cell of a table, `None` where it is missing.

    Raises:
        ValueError: it is not a finite number of at least 0.
    """
    if cell is None or is_missing(cell):
        return None
    try:
        votes = float(cell)
    except ValueError:
        votes = math.nan
    if not (math.isfinite(votes) and votes >= 0):
        raise ValueError(f"{name} must be a number of votes, or their share, of at least 0, got {shorten(cell)}.")
    return votes


def map_votes(extra: Mapping[str, Any], column: str, rules: Mapping[str, str]) -> dict[str, Any]:
    """Further labels of a clip, with the votes about a column under the labels that rules map them to.

    Votes for labels that become one label add up; those for a label without a counterpart are left out.
    """
    mapped = dict(extra)
    given = {label: mapped.pop(name) for label, name in vote_columns(column, extra).items()}
    for label, votes in given.items():
        target = rules.get(normalize(label), NONE)
        if target != NONE:
            name = f"{column}:{target}"
            sums = [value for value in (mapped.get(name), votes) if value is not None]
            mapped[name] = sum(sums) if sums else None
    return mapped


def read_votes(column: str, values: Values) -> tuple[list[str], np.ndarray]:
    """The votes about a column.

    Returns:
        The labels that have a column of votes, and the votes, `(clips, labels)`; 0 where they are missing.
    """
    found = vote_columns(column, values)
    votes = [np.array([cell or 0.0 for cell in values[name]], dtype=float) for name in found.values()]
    return list(found), np.stack(votes, axis=1) if votes else np.zeros((len(values[column]), 0))


def has_votes(column: str, values: Values) -> np.ndarray:
    """Which clips have votes about a column, boolean `(clips,)`."""
    return np.asarray(read_votes(column, values)[1].any(axis=1))


def read_shares(column: str, values: Values, labels: Sequence[str]) -> np.ndarray:
    """The share of each label in the votes of a clip; where there are none, 1 for the label of the column.

    Args:
        column: that of the label.
        values: it and its columns of votes.
        labels: the labels whose shares to return; votes for others do not count.

    Returns:
        `(clips, labels)`, float64; NaN where a clip has neither a vote for these labels nor, without any vote, one of
        them as its label.
    """
    voted, votes = read_votes(column, values)
    shares = np.zeros((len(votes), len(labels)))
    for index, label in enumerate(labels):
        if label in voted:
            shares[:, index] = votes[:, voted.index(label)]
    for row in np.flatnonzero(~votes.any(axis=1)).tolist():
        shares[row] = [str(values[column][row]) == label for label in labels]
    with np.errstate(invalid="ignore"):
        return shares / shares.sum(axis=1, keepdims=True)


def majority_labels(column: str, values: Values) -> list[str | None]:
    """The label with the most votes of each clip, that of the column where there are no votes.

    Of labels with equally many votes it is that of the column, if it is one of them; else the clip has no majority,
    `None`.
    """
    labels, votes = read_votes(column, values)
    return [_majority(labels, row, label) for row, label in zip(votes, values[column], strict=True)]


def _majority(labels: Sequence[str], votes: np.ndarray, label: str | None) -> str | None:
    if not votes.any():
        return label
    first = [name for name, count in zip(labels, votes, strict=True) if count == votes.max()]
    if len(first) == 1:
        return first[0]
    return label if label in first else None
