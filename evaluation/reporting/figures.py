"""The figures of a report, as PNG files."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.files import save_figure

from .comparison import in_per_cent

_LETTER = 0.62  # mean width of a letter, by the size of the font
_NAME_INCHES = 3.6  # of a figure of 9 inches, which leaves the rest to what is drawn


def wrapped(text: str, inches: float, fontsize: float) -> str:
    """A text in lines that are not wider than this: a figure cuts off what leaves it."""
    return textwrap.fill(text, max(8, int(inches * 72 / (_LETTER * fontsize))))


def plot_figures(summary: Mapping[str, Any], folder: Path) -> list[str]:
    """Draws all figures of a report; returns their names, which are those of the files without the suffix."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[str] = []

    def file(name: str) -> Path:
        drawn.append(name)
        return folder / f"{name}.png"

    tables, shown = summary["tables"], summary["models"][0]
    if tables:
        figure1 = tables["figure1"]
        chosen = (figure1["name"], figure1["protocol"])
        shown = next(m for m in summary["models"] if (m["name"], m["protocol"].partition(":")[0]) == chosen)
        plot_table2(tables["table2"], file("table2"))
        render_by_line(tables["table3"], file("table3"))
        render_by_line(tables["table4"], file("table4"))
        title = f"{figure1['name']}, protocol {figure1['protocol']}"
        plot_confusion(figure1, title, file("confusion"), figure1["paper"] if tables["on_paper_corpora"] else None)
    for number, matrix in enumerate(summary["cross"], start=1):
        render_cross(matrix, file(f"cross_{number}"))
    for name, task in shown["tasks"].items():
        if task["clips"] and task["kind"] == "classification":
            title = f"{name}: {shown['name']}, protocol {shown['protocol']}"
            if name != summary["main_task"]:
                plot_confusion(in_per_cent(task["confusion"]), title, file(f"confusion_{name}"))
            plot_calibration(task["calibration"], title, file(f"calibration_{name}"))
    return drawn


def plot_confusion(
    confusion: Mapping[str, Any], title: str, path: Path, paper: Mapping[str, Any] | None = None
) -> None:
    """Draws a confusion matrix in per cent of the true class, beside the paper's Figure 1 where it is given."""
    count = 1 if paper is None else 2
    size = 2.4 + 0.48 * len(confusion["labels"])
    figure = Figure(figsize=(count * size, size), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False)[0]
    labels = [f"{label} ({clips:,})" for label, clips in zip(confusion["labels"], confusion["clips"], strict=True)]
    render_heat(axes[0], confusion["per_cent"], labels, confusion["labels"], "{:.1f}")
    axes[0].set_title(wrapped(title, 0.75 * size, 9), fontsize=9)
    if paper:
        render_heat(axes[1], paper["per_cent"], paper["labels"], paper["labels"], "{:.1f}")
        axes[1].set_title("the paper's Figure 1", fontsize=9)
    for panel in axes:
        panel.set_xlabel("predicted, % of the true class")
        panel.set_ylabel("true (clips)" if panel is axes[0] else "true")
    save_figure(figure, path)


def render_cross(matrix: Mapping[str, Any], path: Path) -> None:
    """Draws weighted F1 by the corpus trained on and the corpus tested on."""
    size = 3 + 0.6 * max(len(matrix["trained_on"]), len(matrix["tested_on"]))
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    axes = figure.subplots()
    scores = [[None if v is None else 100 * v for v in line] for line in matrix["weighted_f1"]]
    render_heat(axes, scores, matrix["trained_on"], matrix["tested_on"], "{:.0f}")
    axes.set_title(wrapped(f"{matrix['name']}: weighted F1, %", 0.75 * size, 10), fontsize=10)
    axes.set_xlabel("tested on")
    axes.set_ylabel("trained on")
    save_figure(figure, path)


def render_heat(axes: Axes, values: Sequence, rows: Sequence[str], columns: Sequence[str], form: str) -> None:
    """A heat map of per cents; a line, or a cell, that is `None` stays empty."""
    width = len(columns)
    table = np.array(
        [[np.nan] * width if line is None else [np.nan if v is None else v for v in line] for line in values]
    )
    axes.imshow(table, cmap="Blues", vmin=0, vmax=100)
    axes.set_xticks(range(width), columns, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    for y, x in np.argwhere(~np.isnan(table)):
        value = table[y, x]
        axes.text(
            x, y, form.format(value), ha="center", va="center", fontsize=8, color="white" if value > 60 else "black"
        )
    for y in np.flatnonzero(np.isnan(table).all(axis=1)):
        axes.text((width - 1) / 2, y, "no clips", ha="center", va="center", fontsize=8, color="0.4")


def plot_table2(lines: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draws the mean weighted F1 of each row with its 95 % interval, and the paper's beside it."""
    figure = Figure(figsize=(9, 1.4 + 0.38 * len(lines)), layout="constrained")
    axes = figure.subplots()
    several = len({line["protocol"] for line in lines}) > 1
    for y, line in enumerate(lines):
        if bounds := line["ours"]["weighted_f1_ci"]:
            axes.plot(bounds, [y, y], color="tab:blue", lw=2)
        axes.plot(line["ours"]["weighted_f1"], y, "o", color="tab:blue", label=None if y else "ours, 95 % interval")
    seeds = [(seed["weighted_f1"], y) for y, line in enumerate(lines) for seed in line["seeds"]]
    if seeds:
        axes.plot(*zip(*seeds, strict=True), "|", ms=12, color="black", label="each seed")
    printed = [(line["paper"]["weighted_f1"], y) for y, line in enumerate(lines) if line["paper"]]
    if printed:
        axes.plot(*zip(*printed, strict=True), "D", color="0.6", label="paper, its 25 corpora")
    names = [f"{line['name']} · {line['protocol']}" if several else line["name"] for line in lines]
    axes.set_yticks(range(len(lines)), [wrapped(name, _NAME_INCHES, 8) for name in names], fontsize=8)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_xlabel("weighted F1 of the main task, mean over corpora")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(fontsize=8)
    save_figure(figure, path)


def render_by_line(table: Mapping[str, Any], path: Path) -> None:
    """Draws Table 3 or 4: a metric by corpus or locale, a dot with its 95 % interval for each model."""
    lines, metric = table["lines"], table["metric"]
    count = len(table["columns"])
    several = len({protocol for _, protocol in table["columns"]}) > 1
    names = [f"{name} · {protocol}" if several else name for name, protocol in table["columns"]]
    labels = [wrapped(name, _NAME_INCHES, 7) for name in names]
    height = 1.6 + 0.1 * "\n".join(labels).count("\n") + len(lines) * (0.25 + 0.09 * count)
    figure = Figure(figsize=(9, height), layout="constrained")
    axes = figure.subplots()
    colors = [f"C{i % 10}" for i in range(count)]
    for i, label in enumerate(labels):
        cells = [(y, line["ours"][i]) for y, line in enumerate(lines) if line["ours"][i]]
        shift = 0.7 * ((i + 0.5) / count - 0.5)
        for y, cell in cells:
            if bounds := cell.get(f"{metric}_ci"):  # the mean of several seeds has none by corpus
                axes.plot(bounds, [y + shift] * 2, color=colors[i], lw=1)
        points = [(cell[metric], y + shift) for y, cell in cells]
        axes.plot(*zip(*points, strict=True), "o", ms=3.5, color=colors[i], label=label)
    best = [(line["paper"][-1], y) for y, line in enumerate(lines) if line["paper"] and line["paper"][-1] is not None]
    if best:
        axes.plot(*zip(*best, strict=True), "D", ms=5, color="0.6", label="paper's best row")
    axes.set_yticks(range(len(lines)), [wrapped(line["name"], _NAME_INCHES, 8) for line in lines], fontsize=8)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_xlabel(metric.replace("_", " ").replace("f1", "F1") + ", 95 % interval")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(fontsize=7, loc="outside lower center", ncols=2)
    save_figure(figure, path)


def plot_calibration(calibration: Mapping[str, Any], title: str, path: Path) -> None:
    """Draws a reliability diagram, and the accuracy of what is left when clips below a confidence get no answer."""
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    reliability, risk = figure.subplots(1, 2)
    bins = [entry for entry in calibration["bins"] if entry["clips"]]
    reliability.plot([0, 1], [0, 1], color="0.6", lw=1)
    width = bins[0]["high"] - bins[0]["low"]
    reliability.bar([(b["low"] + b["high"]) / 2 for b in bins], [b["accuracy"] for b in bins], width * 0.9, alpha=0.8)
    reliability.plot([b["confidence"] for b in bins], [b["accuracy"] for b in bins], "o", ms=3, color="black")
    for b in bins:
        middle = (b["low"] + b["high"]) / 2
        reliability.text(
            middle,
            0.01,
            f"{b['clips']:,}",
            ha="center",
            fontsize=6,
            rotation=90,
            color="white" if b["accuracy"] > 0.12 else "black",
        )
    before, after = (calibration[name]["ece"] for name in ("before", "after"))
    reliability.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy")
    reliability.set_title(f"expected calibration error {before:.3f} before, {after:.3f} after scaling", fontsize=9)
    curve = [entry for entry in calibration["risk_coverage"] if entry["clips"]]
    risk.plot([c["coverage"] for c in curve], [c["accuracy"] for c in curve], "o-")
    for entry in curve:
        risk.annotate(
            f"{entry['threshold']:g}",
            (entry["coverage"], entry["accuracy"]),
            fontsize=7,
            xytext=(3, 3),
            textcoords="offset points",
        )
    risk.set(
        xlabel="share of clips answered (the number: least confidence)",
        ylabel="accuracy of the answers",
        xlim=(0, 1.03),
    )
    risk.grid(alpha=0.3)
    risk.set_title(f"area under the risk-coverage curve {calibration['aurc']:.3f}", fontsize=9)
    figure.suptitle(wrapped(title, 9, 10), fontsize=10)
    save_figure(figure, path)
