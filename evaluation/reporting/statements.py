"""The paper's statements in words: what each compares, and whether it holds in the paper's tables and in ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .column import Column, paired_difference, why_not_comparable
from .paper import BEST, load_paper

Finding = dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """What a statement is checked on.

    Args:
        columns: row to its column.
        percent: true class to predicted class to percent, pooled over all clips, of the paper's best row; classes
            without clips are missing.
    """

    columns: Mapping[str, Column]
    percent: Mapping[str, Mapping[str, float]]


def check_statements(ours: Mapping[str, Column], paper: Mapping[str, Column]) -> list[dict[str, Any]]:
    """Every statement of `paper.yaml`, checked on the paper's own tables and on ours.

    Args:
        ours, paper: row to its column.

    Returns:
        The entries of `paper.yaml` with `paper` and `ours`: `holds`; `values`, each with `what` was measured, its
        `value`, and whether the statement `holds` for it; and `difference` where two rows are compared. Where the
        statement cannot be checked, `holds` is `None`, `values` is empty, and `reason` says why.
    """
    figure1 = load_paper()["figure1"]
    printed = Evidence(paper, _by_class(figure1["labels"], figure1["percent"]))
    evaluated = Evidence(ours, _percent(ours[BEST].confusion) if BEST in ours else {})
    return [
        {**statement, "paper": _check(statement, printed), "ours": _check(statement, evaluated)}
        for statement in load_paper()["statements"]
    ]


def _percent(confusion: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    counts = np.array(confusion["counts"], dtype=float)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(100 * counts, totals, out=np.zeros_like(counts), where=totals > 0)
    by_class = _by_class(confusion["labels"], shares.tolist())
    return {label: by_class[label] for label, total in zip(confusion["labels"], totals[:, 0], strict=True) if total}


def _by_class(labels: list[str], percent: list[list[float]]) -> dict[str, dict[str, float]]:
    return {label: dict(zip(labels, line, strict=True)) for label, line in zip(labels, percent, strict=True)}


def _check(statement: Mapping[str, Any], evidence: Evidence) -> Finding:
    return _CHECKS[statement["kind"]](statement, evidence)


def _finding(values: list[tuple[str, float, bool]], **more: Any) -> Finding:
    named = [{"what": what, "value": value, "holds": holds} for what, value, holds in values]
    return {"holds": all(holds for _, _, holds in values), "values": named, **more}


def _unchecked(reason: str) -> Finding:
    return {"holds": None, "values": [], "reason": reason}


def _why_no_confusion(evidence: Evidence, classes: list[str]) -> str | None:
    if BEST not in evidence.columns:
        return f"not evaluated: {BEST}"
    if absent := [label for label in dict.fromkeys(classes) if label not in evidence.percent]:
        return f"no clip is labeled {', '.join(absent)}"
    return None


def _diagonal(statement: Mapping[str, Any], evidence: Evidence) -> Finding:
    """Every class is recalled in more percent of its clips than `above`."""
    classes = load_paper()["figure1"]["labels"]
    if reason := _why_no_confusion(evidence, classes):
        return _unchecked(reason)
    recalls = [(label, evidence.percent[label][label]) for label in classes]
    return _finding([(label, recall, recall > statement["above"]) for label, recall in recalls])


def _confused(statement: Mapping[str, Any], evidence: Evidence) -> Finding:
    """Of each class in `pairs`, the most frequent error is the other class, and no other is as frequent."""
    pairs = statement["pairs"]
    if reason := _why_no_confusion(evidence, [label for pair in pairs for label in pair]):
        return _unchecked(reason)
    values = []
    for true, predicted in pairs:
        errors = {label: share for label, share in evidence.percent[true].items() if label != true}
        most = [label for label, share in errors.items() if share == max(errors.values())]
        values.append((f"{true} → {' or '.join(most)}", max(errors.values()), most == [predicted]))
    return _finding(values)


def _slightly_below(statement: Mapping[str, Any], evidence: Evidence) -> Finding:
    """The mean weighted F1 of `row` is below that of `than`, by at most the share `at_most` of it."""
    row, than = statement["row"], statement["than"]
    if reason := why_not_comparable(evidence.columns, row, than):
        return _unchecked(reason)
    mine, other = (evidence.columns[name] for name in (row, than))
    change = mine.mean["weighted_f1"] - other.mean["weighted_f1"]
    holds = -statement["at_most"] * other.mean["weighted_f1"] <= change < 0
    paired = paired_difference(mine, other) if mine.resampled else None
    return _finding([("difference", change, holds)], difference=paired)


def _above(statement: Mapping[str, Any], evidence: Evidence) -> Finding:
    """Each of `rows` is above the row `than` by `metric`, as means over corpora."""
    rows, than = statement["rows"], statement["than"]
    if reason := why_not_comparable(evidence.columns, *rows, than):
        return _unchecked(reason)
    scores = {row: evidence.columns[row].mean[statement["metric"]] for row in (*rows, than)}
    return _finding([(row, scores[row] - scores[than], scores[row] > scores[than]) for row in rows])


def _lowest_corpus(statement: Mapping[str, Any], evidence: Evidence) -> Finding:
    """By weighted recall of the paper's best row, no other corpus is as low as `corpus`."""
    corpus = statement["corpus"]
    if BEST not in evidence.columns:
        return _unchecked(f"not evaluated: {BEST}")
    recalls = {name: scores["weighted_recall"] for name, scores in evidence.columns[BEST].corpora.items()}
    if corpus not in recalls or len(recalls) == 1:
        return _unchecked(f"no test clip is of {corpus}" if corpus not in recalls else f"{corpus} is the only corpus")
    mine = recalls.pop(corpus)
    lowest = min(recalls, key=lambda name: recalls[name])
    return _finding([(corpus, mine, mine < recalls[lowest]), (f"the lowest other: {lowest}", recalls[lowest], True)])


_CHECKS: dict[str, Callable[[Mapping[str, Any], Evidence], Finding]] = {
    "diagonal": _diagonal,
    "confused": _confused,
    "slightly_below": _slightly_below,
    "above": _above,
    "lowest_corpus": _lowest_corpus,
}
