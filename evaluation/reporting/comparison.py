"""Comparison of evaluated models with each other and with the paper: Tables 2 to 4, Figure 1, the abstract's claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..metrics.bootstrap import compare
from .paper import BEST, load_paper

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


def compare_columns(columns: Sequence[Column], reference: str | None = None) -> dict[str, Any]:
    """All tables of a report.

    Args:
        columns: what was evaluated, in the order of the report.
        reference: name of the column that the others on its clips are compared with; by default, and for those on
            other clips, the first.

    Returns:
        `table2`, `table3`, `table4`: lists of lines with `ours` beside `paper`; `figure1`; `claims`; `others`;
        `on_paper_corpora`: whether any corpus is one of the paper's. The paper's figures by corpus and by locale are
        shown only then.
    """
    paper = paper_columns()
    corpora = {name for column in columns for name in column.corpora}
    printed = [paper[name] for name in load_paper()["columns"]] if corpora & load_paper()["table3"].keys() else []
    protocol = _main_protocol(columns)
    ours: dict[str, Column] = {}
    for column in columns:
        if column.protocol == protocol:
            ours.setdefault(column.row, column)
    return {
        "table2": _table2(columns, paper, reference),
        "on_paper_corpora": printed != [],
        "table3": _by_line(columns, printed, "corpora", "weighted_recall"),
        "table4": _by_line(columns, printed, "locales", "weighted_f1"),
        # The paper's best row, where it was evaluated: choosing by the test clips would bias the figure.
        "figure1": figure1(ours.get(BEST) or max(ours.values(), key=lambda column: column.mean["weighted_f1"])),
        "claims": [*_gains(ours, paper), *_wins(ours, paper)],
        "claims_protocol": protocol,
        "others": _others(ours, paper),
    }


def _main_protocol(columns: Sequence[Column]) -> str:
    """The protocol under which most of the paper's rows were evaluated; of several, the first."""
    rows = Counter(column.protocol for column in columns if column.row in load_paper()["table2"])
    return max(dict.fromkeys(column.protocol for column in columns), key=lambda protocol: rows[protocol])


def _table2(columns: Sequence[Column], paper: Mapping[str, Column], reference: str | None) -> list[dict]:
    lines = []
    for column, group in zip(columns, _groups(columns), strict=True):
        compared_with = _reference(column, columns, reference)
        lines.append(
            {
                "name": column.name,
                "protocol": column.protocol,
                "group": group,
                "ours": dict(column.mean),
                "paper": dict(paper[column.row].mean) if column.row in paper else None,
                "seeds": list(column.seeds),
                "folds": list(column.folds),
                "trained_once": column.trained_once,
                "reference": columns.index(compared_with) + 1,
                "difference": _difference(column, compared_with),
            }
        )
    return lines


def _reference(column: Column, columns: Sequence[Column], name: str | None) -> Column:
    """What a column is compared with: of those on its clips, under its protocol, the one of this name, or the first."""
    alike = [other for other in columns if (other.protocol, other.clips) == (column.protocol, column.clips)]
    return next((other for other in alike if other.name == name), alike[0])


def _groups(columns: Sequence[Column]) -> list[int]:
    """A number for each column, the same for those on the same clips: only these are ranked."""
    clips = [column.clips for column in columns]
    return [clips.index(column.clips) for column in columns]


def _difference(better: Column, worse: Column) -> dict | None:
    """Difference of the mean weighted F1, where both were evaluated on the same clips, with its interval and p.

    Interval and p are `None`, with a `ci_reason`, where there are too few clips or speakers.
    """
    if better is worse or better.clips != worse.clips:
        return None
    difference = better.mean["weighted_f1"] - worse.mean["weighted_f1"]
    if "ci_reason" in better.mean:
        return {"difference": difference, "ci": None, "p": None, "ci_reason": better.mean["ci_reason"]}
    return {**compare(better.resampled["weighted_f1"], worse.resampled["weighted_f1"]), "difference": difference}


def _by_line(columns: Sequence[Column], printed: Sequence[Column], part: str, metric: str) -> dict[str, Any]:
    names = dict.fromkeys(name for column in columns for name in getattr(column, part))
    known = dict.fromkeys(name for column in printed for name in getattr(column, part))
    return {
        "metric": metric,
        "columns": [(column.name, column.protocol) for column in columns],
        "groups": _groups(columns),
        "paper_columns": [column.name for column in printed],
        "lines": [
            {
                "name": name,
                "ours": [getattr(column, part).get(name) for column in columns],
                "paper": [getattr(column, part).get(name, {}).get(metric) for column in printed],
            }
            for name in sorted(names, key=[*known, *names].index)
        ],
        "paper_only": [name for name in known if name not in names],
    }


def figure1(column: Column) -> dict[str, Any]:
    """The pooled confusion matrix of a column, beside the paper's."""
    paper = load_paper()["figure1"]
    return {"name": column.name, "protocol": column.protocol, **in_percent(column.confusion), "paper": paper}


def in_percent(confusion: Mapping[str, Any]) -> dict[str, Any]:
    """A confusion matrix in percent of the true class: `labels`, `clips` of each, and `percent[true][predicted]`.

    A class without clips has the line `None`.
    """
    counts = np.array(confusion["counts"])
    return {
        "labels": confusion["labels"],
        "clips": counts.sum(axis=1).round().astype(int).tolist(),
        "percent": [percent(line) if line.sum() else None for line in counts],
    }


def sum_confusions(confusions: Sequence[Mapping]) -> dict[str, Any]:
    """The confusion over the clips of several models."""
    labels = list(dict.fromkeys(label for confusion in confusions for label in confusion["labels"]))
    total = np.zeros((len(labels), len(labels)), dtype=int)
    for confusion in confusions:
        places = [labels.index(label) for label in confusion["labels"]]
        total[np.ix_(places, places)] += np.array(confusion["counts"])
    return {"labels": labels, "counts": total.tolist()}


def percent(counts: np.ndarray) -> list[float]:
    """Shares in percent to one decimal that add up to 100: what rounding leaves goes to the largest remainders."""
    tenths = 1000 * counts / counts.sum()
    whole = np.floor(tenths).astype(int)
    missing = 1000 - whole.sum()
    whole[np.argsort(whole - tenths, kind="stable")[:missing]] += 1
    return [int(value) / 10 for value in whole]


def _gains(ours: Mapping[str, Column], paper: Mapping[str, Column]) -> list[dict]:
    lines = []
    for gain in load_paper()["gains"]:
        better, worse = gain["better"], gain["worse"]
        printed = relative_gain(paper[better].mean["weighted_f1"], paper[worse].mean["weighted_f1"])
        fits = [formula for formula, value in printed.items() if value and round(value, 3) == gain["printed"]]
        mine = None
        if comparable(ours, better, worse):
            mine = relative_gain(ours[better].mean["weighted_f1"], ours[worse].mean["weighted_f1"])
        lines.append(
            {
                **gain,
                "kind": "gain",
                "paper": printed,
                "fits": fits,
                "ours": mine,
                "difference": _difference(ours[better], ours[worse]) if mine else None,
            }
        )
    return lines


def comparable(ours: Mapping[str, Column], *rows: str) -> bool:
    """Whether all of these rows were evaluated, and on the same clips."""
    return all(row in ours for row in rows) and len({ours[row].clips for row in rows}) == 1


def relative_gain(better: float, worse: float) -> dict[str, float | None]:
    """Both meanings of a relative gain: by the worse figure and by the better one."""
    return {
        "better / worse - 1": better / worse - 1 if worse else None,
        "1 - worse / better": 1 - worse / better if better else None,
    }


def _wins(ours: Mapping[str, Column], paper: Mapping[str, Column]) -> list[dict]:
    lines = []
    for win in load_paper()["wins"]:
        names = [BEST, *win["over"]]
        lines.append(
            {
                **win,
                "kind": "wins",
                "better": BEST,
                "paper": count_wins([getattr(paper[name], win["of"]) for name in names], win["metric"]),
                "ours": count_wins([getattr(ours[name], win["of"]) for name in names], win["metric"])
                if comparable(ours, *names)
                else None,
            }
        )
    return lines


def count_wins(parts: Sequence[Mapping[str, Mapping]], metric: str) -> dict[str, int]:
    """How often the first is above all others, equal to the best of them, or below, over the lines that all have."""
    counts = {"wins": 0, "ties": 0, "losses": 0}
    for name in parts[0]:
        if all(name in part for part in parts):
            mine, *others = (part[name][metric] for part in parts)
            best = max(others)
            counts["wins" if mine > best else "ties" if mine == best else "losses"] += 1
    return counts


def _others(ours: Mapping[str, Column], paper: Mapping[str, Column]) -> list[dict]:
    """Claim d: other works beside the paper's recall and ours; where the paper prints a ratio, ratios."""
    lines = []
    for other in load_paper()["others"]:
        corpus, row = other["corpus"], other["row"]
        mine = ours[row].corpora.get(corpus) if row in ours else None
        lines.append(
            {
                **other,
                "paper": paper[row].corpora[corpus]["weighted_recall"],
                "ours": mine["weighted_recall"] if mine else None,
            }
        )
    return lines
