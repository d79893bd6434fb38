"""Why rows are rejected -> the counts of the report, and their text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from common.text_tables import format_table

from .columns import Columns
from .conditions import Condition, unknown_labels

UNREADABLE = "the recording can be read"  # the first of the conditions, which holds for every kept row


def count_rows(
    reasons: pd.DataFrame, frame: pd.DataFrame, conditions: Sequence[Condition], columns: Columns
) -> dict[str, Any]:
    """The counts that [`~inference.curation.filter.filter_manifest`] describes.

    Args:
        reasons: why each row is rejected: a column per condition, `UNREADABLE` among them.
        frame: the readable rows.
        conditions: that were evaluated.
        columns: that they may name.
    """
    failed = reasons.notna()
    alone = failed.sum(axis=1) == 1
    kept = int((~failed.any(axis=1)).sum())
    return {
        "rows": len(reasons),
        "kept": kept,
        "rejected": len(reasons) - kept,
        "unreadable": int(failed[UNREADABLE].sum()),
        "unreadable_because": _value_counts(reasons[UNREADABLE].dropna()),
        "unknown_labels": {
            condition.text: counts for condition in conditions if (counts := _count_unknown(condition, frame, columns))
        },
        "conditions": [
            {"condition": text, "rejected": int(failed[text].sum()), "alone": int((failed[text] & alone).sum())}
            for text in reasons.columns.drop(UNREADABLE)
        ],
    }


def _count_unknown(condition: Condition, frame: pd.DataFrame, columns: Columns) -> dict[str, int]:
    """The manifest's labels that are not a class of the head, and in how many rows."""
    return {
        label: count
        for _, name, unknown in unknown_labels(condition, frame, columns)
        for label, count in _value_counts(frame[name][unknown].astype(str)).items()
    }


def _value_counts(values: pd.Series) -> dict[str, int]:
    """Text -> how often, the most frequent first."""
    return {str(value): int(count) for value, count in values.value_counts().items()}


def format_report(report: Mapping[str, Any]) -> str:
    """The counts, for people."""
    unreadable = {"condition": UNREADABLE, "rejected": report["unreadable"], "alone": report["unreadable"]}
    counts = [unreadable, *report["conditions"]] if report["unreadable"] else report["conditions"]
    rows = [(f"{line['rejected']:,}", f"{line['alone']:,}", line["condition"]) for line in counts]
    lines = [
        f"{report['rows']:,} rows: {report['kept']:,} kept, {report['rejected']:,} rejected",
        "",
        format_table(rows, ("rejected", "by it alone", "condition"), "rrl"),
    ]
    lines += [
        f"{count:,} row{'s' * (count > 1)}: {reason}" for reason, count in report.get("unreadable_because", {}).items()
    ]
    for condition, labels in report.get("unknown_labels", {}).items():
        unknown = ", ".join(f"{label} ({count:,} rows)" for label, count in labels.items())
        lines.append(f"{condition}: the model has no class for {unknown}; map them with --label_map A=B.")
    return "\n".join([*lines, "", f"{report['output']}; the reasons are in {report['rejected_rows']}."])
