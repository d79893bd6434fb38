"""A column of the tables: a model under a protocol, or one that the paper prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..metrics.bootstrap import compare
from .paper import load_paper

SCORES = ("weighted_f1", "weighted_recall", "weighted_precision")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A model under a protocol, or one that the paper prints: a line of Table 2, a column of Tables 3 and 4.

    Args:
        row: as in Table 2.
        name: the same, and what distinguishes two models of one row.
        protocol: name of the protocol, of a family without the corpus; empty for the paper's own.
        mean, corpora, locales: metrics of the main task, as [`~evaluation.metrics.compute.compute_metrics`] gives them.
        confusion: `labels` and `counts[true][predicted]` over all clips; empty for the paper's.
        resampled: metric to its mean over corpora in each resample, `(num_resamples,)`; of several seeds each,
            `(seeds, num_resamples)`.
        clips: ids of the test clips: two columns are compared in pairs where they are the same.
        seeds: of a model that was trained more than once: `seed`, `checkpoint` and the mean weighted F1 of each time.
        folds: of one in folds: `seed`, and the metrics of each fold with their mean and deviation, for each training.
        trained_once: whether it was trained with one seed, so that its figures do not show how seeds differ.
    """

    row: str
    name: str
    protocol: str = ""
    mean: Mapping[str, Any]
    corpora: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    locales: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    confusion: Mapping[str, Any] = field(default_factory=dict)
    resampled: Mapping[str, np.ndarray] = field(default_factory=dict)
    clips: frozenset[str] = frozenset()
    seeds: Sequence[Mapping[str, Any]] = ()
    folds: Sequence[Mapping[str, Any]] = ()
    trained_once: bool = False


def paper_columns() -> dict[str, Column]:
    """The nine rows of the paper's Table 2, three of them with Tables 3 and 4."""
    paper = load_paper()
    columns = {}
    for name, scores in paper["table2"].items():
        corpora, locales = {}, {}
        if name in paper["columns"]:
            place = paper["columns"].index(name)
            corpora = {corpus: {"weighted_recall": row[place]} for corpus, row in paper["table3"].items()}
            locales = {locale: {"weighted_f1": row[place]} for locale, row in paper["table4"].items()}
        mean = dict(zip(SCORES, scores, strict=True))
        columns[name] = Column(row=name, name=name, mean=mean, corpora=corpora, locales=locales)
    return columns


def paired_difference(better: Column, worse: Column) -> dict | None:
    """Difference of the mean weighted F1, where both were evaluated on the same clips, with its interval and p.

    Interval and p are `None`, with a `ci_reason`, where there are too few clips or speakers.
    """
    if better is worse or better.clips != worse.clips:
        return None
    difference = better.mean["weighted_f1"] - worse.mean["weighted_f1"]
    if "ci_reason" in better.mean:
        return {"difference": difference, "ci": None, "p": None, "ci_reason": better.mean["ci_reason"]}
    return {**compare(better.resampled["weighted_f1"], worse.resampled["weighted_f1"]), "difference": difference}


def why_not_comparable(columns: Mapping[str, Column], *rows: str) -> str | None:
    """Why these rows cannot be compared: one was not evaluated, or on other clips; `None` where they can."""
    if absent := [row for row in dict.fromkeys(rows) if row not in columns]:
        return f"not evaluated: {', '.join(absent)}"
    if len({columns[row].clips for row in rows}) > 1:
        return f"evaluated on different clips: {', '.join(dict.fromkeys(rows))}"
    return None
