"""Comparison of evaluated models with each other and with the paper: Tables 2 to 4, Figure 1, the abstract's claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .column import Column, paired_difference, paper_columns, why_not_comparable
from .paper import BEST, load_paper
from .statements import check_statements


def compare_columns(columns: Sequence[Column], reference: str | None = None) -> dict[str, Any]:
    """All tables of a report.

    Args:
        columns: what was evaluated, in the order of the report.
        reference: name of the column that the others on its clips are compared with; by default, and for those on
            other clips, the first.

    Returns:
        `table2`, `table3`, `table4`: lists of lines with `ours` and `paper`; `figure1`; `claims`; `statements`, as
        [`~evaluation.reporting.statements.check_statements`] has them; `others`;
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
        "statements": check_statements(ours, paper),
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
                "difference": paired_difference(column, compared_with),
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
    """The pooled confusion matrix of a column, and the paper's."""
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
        mine, reason = None, why_not_comparable(ours, better, worse)
        if reason is None:
            mine = relative_gain(ours[better].mean["weighted_f1"], ours[worse].mean["weighted_f1"])
        lines.append(
            {
                **gain,
                "kind": "gain",
                "paper": printed,
                "fits": fits,
                "ours": mine,
                "reason": reason,
                "difference": paired_difference(ours[better], ours[worse]) if mine else None,
            }
        )
    return lines


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
        reason = why_not_comparable(ours, *names)
        lines.append(
            {
                **win,
                "kind": "wins",
                "better": BEST,
                "paper": count_wins([getattr(paper[name], win["of"]) for name in names], win["metric"]),
                "ours": count_wins([getattr(ours[name], win["of"]) for name in names], win["metric"])
                if reason is None
                else None,
                "reason": reason,
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
    """Claim d: the recall of other works, the paper's and ours; where the paper prints a ratio, ratios."""
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
