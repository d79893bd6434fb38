"""The report of an evaluation as Markdown: `report.md.jinja` and the formatting of its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.templates import template_environment


def format_markdown(summary: Mapping[str, Any]) -> str:
    """The report on a summary of [`~evaluation.reporting.summary.summarize`]; figures are `figures/NAME.png`."""
    environment = template_environment(Path(__file__).parent, _FILTERS)
    text = environment.get_template("report.md.jinja").render(summary)
    paragraphs = [paragraph.strip("\n") for paragraph in text.split("\n\n")]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _tenth(value: float) -> str:
    return f"{value:.1f}"


def _prefixed(value: object, prefix: str) -> str:
    return f"{prefix}{value}"


def _score(scores: Mapping, name: str, top: float | None = None) -> str:
    """A metric, bold where it equals `top`."""
    value = scores[name]
    return f"**{value:.3f}**" if value is not None and value == top else _number(value)


def _interval(scores: Mapping, name: str) -> str:
    """The 95 % interval of a metric in brackets, or the reason why it is missing."""
    if f"{name}_ci" not in scores:
        return ""
    if scores[f"{name}_ci"] is None:
        return f" (no interval: {scores['ci_reason']})"
    low, high = scores[f"{name}_ci"]
    return f" ({low:.3f}–{high:.3f})"


def _deviation(scores: Mapping, name: str) -> str:
    """The standard deviation of a metric over seeds, where there are several."""
    return f" ± {scores[f'{name}_sd']:.3f}" if f"{name}_sd" in scores else ""


def _fold_scores(folds: Sequence[Mapping]) -> str:
    """Weighted F1 of each fold in a line."""
    return ", ".join(_number(fold.get("weighted_f1")) for fold in folds)


def _best(lines: Sequence[Mapping], name: str, group: int) -> float | None:
    """The best of a column of Table 2 among models on the same clips, where there is a choice."""
    values = [line["ours"][name] for line in lines if line["group"] == group]
    return max(values) if len(values) > 1 else None


def _best_cell(cells: Sequence[Mapping | None], name: str, groups: Sequence[int], index: int) -> float | None:
    """The best of a line of Table 3 or 4 among models on the clips of one of them, where there is a choice."""
    values = [cell[name] for cell, group in zip(cells, groups, strict=True) if cell and group == groups[index]]
    return max(values) if len(values) > 1 else None


def _clips(cells: Sequence[Mapping | None]) -> str:
    """The clips behind a line, of each model where they differ."""
    counts = [f"{cell['clips']:,}" if cell else "–" for cell in cells]
    return counts[0] if len(set(counts)) == 1 else " / ".join(counts)


def _calibrated(models: Sequence[Mapping]) -> bool:
    """Whether any head of any model has a confidence."""
    return any("calibration" in task for model in models for task in model["tasks"].values())


def _labels(columns: Sequence[tuple[str, str]], with_protocol: bool) -> list[str]:
    return [f"{name} · {protocol}" if with_protocol else name for name, protocol in columns]


def _numbers(columns: Sequence) -> list[str]:
    return [f"#{index}" for index in range(1, len(columns) + 1)]


def _seen(count: int | None) -> str:
    if count is None:
        return "unknown"
    return f"**{count:,}: the metrics are too high**" if count else "0"


def _difference(values: Mapping | None) -> str:
    if values is None:
        return "–"
    if values["ci"] is None:
        return f"{values['difference']:+.3f} (no interval: {values['ci_reason']})"
    low, high = values["ci"]
    return f"{values['difference']:+.3f} ({low:+.3f} to {high:+.3f}), p {values['p']:.3f}"


def _gain(values: Mapping[str, float | None] | None) -> str:
    if values is None:
        return "not evaluated"
    return ", ".join(f"{formula}: {100 * value:.1f} %" for formula, value in values.items() if value is not None)


def _wins(counts: Mapping[str, int] | None) -> str:
    if counts is None:
        return "not evaluated"
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _finding(finding: Mapping, unit: str) -> str:
    """Whether a statement of the paper holds, with what was measured, or why it was not checked."""
    if finding["holds"] is None:
        return f"not computed ({finding['reason']})"
    number = {"percent": "{:.1f} %", "difference": "{:+.3f}", "score": "{:.3f}"}[unit]
    listed = []
    for value in finding["values"]:
        paired = finding.get("difference")
        text = f"{value['what']} {_difference(paired) if paired else number.format(value['value'])}"
        listed.append(text if value["holds"] else f"**{text}**")
    return f"{'holds' if finding['holds'] else 'does not hold'}: {', '.join(listed)}"


def _metrics(task: Mapping) -> str:
    """The metrics of a head over all clips, in a line."""
    if not task["clips"]:
        return "no clip of this split has a label for it"
    pooled, parts = task["pooled"], []
    if task["kind"] == "classification":
        names = {"F1": "weighted_f1", "accuracy": "weighted_recall", "UAR": "unweighted_recall"}
    else:
        names = {"R²": "r2", "Pearson": "pearson", "CCC": "ccc"}
        bounds = "" if "ci_reason" in pooled else " ({:.3g}–{:.3g})".format(*pooled["mae_ci"])
        parts.append(f"MAE {pooled['mae']:.3g}{bounds} {task['unit']}".strip())
    if "ci_reason" in pooled:
        parts += [f"{label} {_score(pooled, name)}" for label, name in names.items()]
        return f"{', '.join(parts)} (no intervals: {pooled['ci_reason']}){_distance(task)}"
    parts += [f"{label} {_score(pooled, name)}{_interval(pooled, name)}" for label, name in names.items()]
    return f"{', '.join(parts)}{_distance(task)}"


def _distance(task: Mapping) -> str:
    """The mean distance from the votes, where a head has soft labels."""
    row = task.get("distribution", {}).get("pooled")
    if not row:
        return ""
    score = f"{_score(row, 'jensen_shannon')}{_interval(row, 'jensen_shannon')}"
    return f"; Jensen-Shannon distance from the votes of {row['clips']:,} clips {score}"


_FILTERS = {
    function.__name__.removeprefix("_"): function
    for function in (
        _number,
        _tenth,
        _prefixed,
        _score,
        _interval,
        _deviation,
        _fold_scores,
        _best_cell,
        _calibrated,
        _clips,
        _best,
        _labels,
        _numbers,
        _seen,
        _difference,
        _gain,
        _wins,
        _finding,
        _metrics,
    )
}
