"""The tables of an evaluation, for a terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from common.text_tables import format_table

_COLUMNS = ("weighted_f1", "weighted_recall", "weighted_precision", "macro_f1", "unweighted_recall")


def format_report(report: Mapping[str, Any]) -> str:
    """The tables of a `metrics.json`: the main task by corpus and by locale, every head, and its warnings."""
    protocol, main = report["protocol"], report["tasks"][report["main_task"]]
    lines = [
        f"{report['checkpoint']}: {report['split']} split, protocol {protocol['protocol']} (seed {protocol['seed']}):",
        f"  {protocol['description']}.",
        *(f"  {note}." for note in protocol["notes"]),
        *_about_training(report["num_clips_seen_in_training"]),
    ]
    if main["kind"] == "classification" and main["clips"]:
        lines += ["", _by_corpus(report["main_task"], main), *_about_corpora(main), "", _by_locale(main)]
    lines += _over_folds(report.get("over_folds"))
    lines += ["", _by_head(report["tasks"])]
    if report.get("conditions"):
        lines += ["", _by_condition(report["main_task"], main["kind"], report["conditions"])]
    if "baseline" in report:
        lines += ["", _against_baseline(report)]
    return "\n".join(lines)


def _about_training(num_seen: int | None) -> Iterator[str]:
    if num_seen:
        yield f"  WARNING: {num_seen:,} of these clips were in this checkpoint's training, so the metrics are too high."
    if num_seen is None:
        yield "  WARNING: it is unknown which clips the checkpoint was trained on; these may be among them."


def _over_folds(scores: Mapping[str, Any] | None) -> Iterator[str]:
    """The mean over folds, where there are any."""
    name = "weighted_f1"
    if scores and scores["sd"].get(name) is not None:
        each = ", ".join(f"{fold[name]:.3f}" for fold in scores["folds"] if name in fold)
        yield f"\nF1 of each fold: {each}; mean {scores['mean'][name]:.3f}, standard deviation {scores['sd'][name]:.3f}"


def _by_corpus(name: str, task: Mapping[str, Any]) -> str:
    rows = []
    for label, row in [*task["corpora"].items(), ("mean over corpora", task["mean_over_corpora"])]:
        f1, *others = (f"{row[column]:.3f}" for column in _COLUMNS)
        bounds = None if "ci_reason" in row else "{:.3f}–{:.3f}".format(*row["weighted_f1_ci"])
        rows.append([label, f1, bounds, *others, f"{row['clips']:,}"])
    headers = [f"{name} by corpus", "F1", "95 % interval", "recall", "precision", "macro F1", "UAR", "clips"]
    return format_table(rows, headers, "lrrrrrrr")


def _about_corpora(task: Mapping[str, Any]) -> Iterator[str]:
    without: dict[str, list[str]] = defaultdict(list)
    for label, row in [*task["corpora"].items(), ("mean over corpora", task["mean_over_corpora"])]:
        if "ci_reason" in row:
            without[row["ci_reason"]].append(label)
    for reason, names in without.items():
        yield f"  No interval for {', '.join(names)}: {reason}."
    for label, count in task["unknown_labels"].items():
        yield f"  {count} clips are {label!r}, which the model was not trained on; each counts as an error."


def _by_locale(task: Mapping[str, Any]) -> str:
    rows = [
        [label, *(f"{row[name]:.3f}" for name in _COLUMNS[:3]), f"{row['clips']:,}", ", ".join(row["corpora"])]
        for label, row in task["locales"].items()
    ]
    return format_table(rows, ["by locale", "F1", "recall", "precision", "clips", "corpora"], "lrrrrl")


def _by_head(tasks: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [[name, _pooled_metrics(task)] for name, task in tasks.items()]
    return format_table(rows, ["head, over all clips", "metrics"], "ll")


def _by_condition(name: str, kind: str, conditions: Mapping[str, Any]) -> str:
    metric, label = ("weighted_f1", "F1") if kind == "classification" else ("ccc", "CCC")
    rows = []
    for condition, result in conditions.items():
        mean = result["mean_over_corpora"]
        change = mean.get("change")
        cells = [None if value is None else f"{value:.3f}" for value in (mean[metric], *_values(result, metric))]
        bounds = "{:+.3f} to {:+.3f}".format(*change["ci"]) if change and change["ci"] else None
        difference = f"{change['difference']:+.3f}" if change else None
        rows.append([condition, cells[0], difference, bounds, *cells[1:]])
    corpora = list(conditions["clean"]["corpora"])
    headers = [f"{name} by condition", f"mean {label}", "difference", "95 % interval", *corpora]
    return format_table(rows, headers, "l" + "r" * (len(headers) - 1))


def _values(result: Mapping[str, Any], metric: str) -> list[float | None]:
    return [row[metric] for row in result["corpora"].values()]


def _pooled_metrics(task: Mapping[str, Any]) -> str:
    if not task["clips"]:
        return "no clip of this split has a label for it"
    row = task["pooled"]
    if task["kind"] == "classification":
        names = {"F1": "weighted_f1", "accuracy": "weighted_recall", "UAR": "unweighted_recall"}
        text = ""
    else:
        names = {"R²": "r2", "Pearson": "pearson", "CCC": "ccc"}
        text = f"MAE {row['mae']:.3g} {task['unit']}".strip() + "  "
    scores = (f"{label} {'–' if row[name] is None else format(row[name], '.3f')}" for label, name in names.items())
    return f"{text}{'  '.join(scores)}  ({row['clips']:,} clips){_distance(task)}"


def _distance(task: Mapping[str, Any]) -> str:
    """The distance from the votes, where a head has soft labels."""
    row = task.get("distribution", {}).get("pooled")
    return f"  Jensen-Shannon distance {row['jensen_shannon']:.3f} ({row['clips']:,} clips with votes)" if row else ""


def _against_baseline(report: Mapping[str, Any]) -> str:
    model = report["tasks"][report["main_task"]]["mean_over_corpora"]
    baseline = report["baseline"]["mean_over_corpora"]
    return (
        f"{report['main_task']} F1, mean over corpora: model {model['weighted_f1']:.3f}, baseline (a support vector "
        f"machine on statistics of MFCCs) {baseline['weighted_f1']:.3f}"
    )
