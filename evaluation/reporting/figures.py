"""The figures of a report, as PNG files."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay

from common.files import save_figure

from .comparison import in_percent

_LETTER = 0.62  # mean width of a letter, by the size of the font
_NAME_INCHES = 3.6  # of a figure of 9 inches, which leaves the rest to the axes
_LINE_INCHES = 0.17  # of a wrapped name
_PANELS = 5  # side by side, on a page
_COLORS = 10  # that can be told apart
_LABEL_DISTANCE = 0.04  # of the width of a figure, between two that do not overlap


def wrapped(text: str, inches: float, fontsize: float) -> str:
    """A text in lines that are not wider than this: a figure cuts off what exceeds it."""
    return textwrap.fill(text, max(8, int(inches * 72 / (_LETTER * fontsize))), break_on_hyphens=False)


def plot_figures(summary: Mapping[str, Any], folder: Path) -> list[str]:
    """Plots all figures of a report; returns their names, which are those of the files without the suffix."""
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []

    def file(name: str) -> Path:
        names.append(name)
        return folder / f"{name}.png"

    tables, shown = summary["tables"], summary["models"][0]
    if tables:
        figure1 = tables["figure1"]
        chosen = (figure1["name"], figure1["protocol"])
        shown = next(model for model in summary["models"] if (model["name"], model["family"]) == chosen)
        plot_table2(tables["table2"], file("table2"))
        plot_by_line(tables["table3"], file("table3"))
        plot_by_line(tables["table4"], file("table4"))
        title = f"{figure1['name']}, protocol {figure1['protocol']}"
        plot_confusion(figure1, title, file("confusion"), figure1["paper"] if tables["on_paper_corpora"] else None)
    for number, matrix in enumerate(summary["cross"], start=1):
        plot_cross(matrix, file(f"cross_{number}"))
    for model in summary["models"]:
        if model["conditions"]:
            title = f"{model['name']}, protocol {model['protocol']}"
            metric = "weighted_f1" if summary["is_classification"] else "ccc"
            plot_conditions(model["conditions"], metric, title, file(f"robustness_{model['number']}"))
    for name, task in shown["tasks"].items():
        if task["clips"] and task["kind"] == "classification":
            title = f"{name}: {shown['name']}, protocol {shown['protocol']}"
            if name != summary["main_task"]:
                plot_confusion(in_percent(task["confusion"]), title, file(f"confusion_{name}"))
            if "calibration" in task:  # which others' predictions lack
                plot_calibration(task["calibration"], title, file(f"calibration_{name}"))
    return names


def plot_confusion(
    confusion: Mapping[str, Any], title: str, path: Path, paper: Mapping[str, Any] | None = None
) -> None:
    """Plots a confusion matrix in percent of the true class, next to the paper's Figure 1 where it is given."""
    count = 1 if paper is None else 2
    size = 2.4 + 0.48 * len(confusion["labels"])
    figure = Figure(figsize=(count * size, size), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False)[0]
    draw_confusion(axes[0], confusion["percent"], confusion["labels"])
    labels = [f"{label} ({clips:,})" for label, clips in zip(confusion["labels"], confusion["clips"], strict=True)]
    axes[0].set_yticklabels(labels)
    axes[0].set_ylabel("true (clips)")
    axes[0].set_title(wrapped(title, 0.75 * size, 9), fontsize=9)
    if paper:
        draw_confusion(axes[1], paper["percent"], paper["labels"])
        axes[1].set_title("the paper's Figure 1", fontsize=9)
    save_figure(figure, path)


def draw_confusion(axes: Axes, percent: Sequence[Sequence[float] | None], labels: Sequence[str]) -> None:
    """Plots a confusion matrix; a line that is `None` has no clips and stays empty."""
    matrix = np.array([[np.nan] * len(labels) if line is None else line for line in percent])
    display = ConfusionMatrixDisplay(matrix, display_labels=labels)
    # The cells' colors lie between 0 and 100 whatever their values, so the color of a text is chosen by the same.
    display.plot(
        ax=axes,
        cmap="Blues",
        values_format=".1f",
        colorbar=False,
        im_kw={"vmin": 0, "vmax": 100},
        text_kw={"fontsize": 8},
    )
    for (y, x), value in np.ndenumerate(matrix):
        display.text_[y, x].set(color="white" if value > 60 else "black", visible=not np.isnan(value))
    for y in np.flatnonzero(np.isnan(matrix).all(axis=1)).tolist():
        axes.text((len(labels) - 1) / 2, y, "no clips", ha="center", va="center", fontsize=8, color="0.4")
    axes.tick_params(labelsize=8)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set(xlabel="predicted, % of the true class", ylabel="true")


def plot_cross(matrix: Mapping[str, Any], path: Path) -> None:
    """Plots weighted F1 by the corpus trained on and the corpus tested on; a cell that is `None` stays empty."""
    trained_on, tested_on = matrix["trained_on"], matrix["tested_on"]
    scores = 100 * np.array(matrix["weighted_f1"], dtype=float)  # None becomes NaN
    size = 3.3 + 0.36 * max(scores.shape)
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(scores, cmap="Blues", vmin=0, vmax=100)
    axes.set_xticks(range(len(tested_on)), tested_on, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(trained_on)), trained_on, fontsize=8)
    for y, x in np.argwhere(~np.isnan(scores)):
        color = "white" if scores[y, x] > 60 else "black"
        axes.text(x, y, f"{scores[y, x]:.0f}", ha="center", va="center", fontsize=8, color=color)
    axes.set_title(wrapped(f"{matrix['name']}: weighted F1, %", 0.75 * size, 10), fontsize=10)
    axes.set(xlabel="tested on", ylabel="trained on")
    save_figure(figure, path)


def plot_table2(lines: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Plots the mean weighted F1 of each row with its 95 % interval, next to the paper's."""
    several = len({line["protocol"] for line in lines}) > 1
    names = [f"{line['name']} · {line['protocol']}" if several else line["name"] for line in lines]
    row_inches = max(0.38, *(_LINE_INCHES * (1 + wrapped(name, _NAME_INCHES, 8).count("\n")) for name in names))
    figure = Figure(figsize=(9, 1.4 + row_inches * len(lines)), layout="constrained")
    axes = figure.subplots()
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
    _name_lines(axes, names)
    axes.set_xlabel("weighted F1 of the main task, mean over corpora")
    figure.legend(fontsize=8, loc="outside lower center", ncols=3)
    save_figure(figure, path)


def plot_by_line(table: Mapping[str, Any], path: Path) -> None:
    """Plots Table 3 or 4: a panel for each model, with a metric by corpus or locale as dots with their 95 % intervals.

    The first model on the same clips is in every panel, for comparison; so is the paper's best.
    """
    lines, count = table["lines"], len(table["columns"])
    several = len({protocol for _, protocol in table["columns"]}) > 1
    across = min(count, _PANELS)
    down = -(-count // across)
    names_inches = min(_NAME_INCHES, _LETTER * 8 / 72 * max(len(line["name"]) for line in lines))
    inches = max(1.6, 4.8 / across)  # of a panel
    figure = Figure(
        figsize=(names_inches + across * inches, 0.8 + down * (0.9 + 0.17 * len(lines))), layout="constrained"
    )
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    for i, (axes, (name, protocol)) in enumerate(zip(panels, table["columns"], strict=False)):
        _draw_column(axes, table, i)
        title = f"#{i + 1} {name} · {protocol}" if several else f"#{i + 1} {name}"
        axes.set_title(wrapped(title, inches, 7), fontsize=7)
        axes.tick_params(axis="y", labelsize=8)
        if i + across >= count:  # nothing is below
            axes.tick_params(axis="x", labelsize=7, labelbottom=True)
            axes.set_xlabel(table["metric"].replace("_", " ").replace("f1", "F1"), fontsize=8)
    for axes in panels[count:]:
        axes.remove()
    panels[0].xaxis.set_major_locator(MaxNLocator(5))  # for all panels
    _name_lines(panels[0], [line["name"] for line in lines])
    handles = {
        label: handle
        for axes in panels[:count]
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, fontsize=7, loc="outside lower center", ncols=2)
    save_figure(figure, path)


def _draw_column(axes: Axes, table: Mapping[str, Any], index: int) -> None:
    """Plots a model of Table 3 or 4."""
    metric, first = table["metric"], table["groups"][index]
    for y, line in enumerate(table["lines"]):
        if line["paper"] and line["paper"][-1] is not None:
            axes.plot(line["paper"][-1], y, "D", ms=5, color="0.8", label="paper's best row")
        if first != index and line["ours"][first]:
            axes.plot(line["ours"][first][metric], y, "|", ms=8, color="black", label="first model on its clips")
        if cell := line["ours"][index]:
            if bounds := cell.get(f"{metric}_ci"):  # the mean of several seeds has none by locale
                axes.plot(bounds, [y, y], color="tab:blue", lw=1.5, label="95 % interval")
            axes.plot(cell[metric], y, "o", ms=3.5, color="tab:blue", label="this model")
    axes.grid(axis="x", alpha=0.3)


def plot_conditions(conditions: Mapping[str, Any], metric: str, title: str, path: Path) -> None:
    """Plots a metric under each condition: its mean over corpora with a 95 % interval, and each corpus as a dot."""
    means = [result["mean_over_corpora"] for result in conditions.values()]
    corpora = list(next(iter(conditions.values()))["corpora"])
    figure = Figure(figsize=(9, 2 + 0.4 * len(means)), layout="constrained")
    axes = figure.subplots()
    few = len(corpora) <= _COLORS
    for index, corpus in enumerate(corpora):
        values = [result["corpora"][corpus][metric] for result in conditions.values()]
        color, label = (f"C{index}", corpus) if few else ("0.7", None if index else "each corpus, the lowest by name")
        axes.plot(np.array(values, dtype=float), range(len(means)), "o", ms=4, alpha=0.7, color=color, label=label)
    if not few:
        _name_lowest(axes, [result["corpora"] for result in conditions.values()], metric)
    for y, mean in enumerate(means):
        if bounds := mean.get(f"{metric}_ci"):
            axes.plot(bounds, [y, y], color="black", lw=2)
        if mean[metric] is not None:
            axes.plot(mean[metric], y, "|", color="black", ms=14, label=None if y else "mean, 95 % interval")
    if means[0][metric] is not None:
        axes.axvline(means[0][metric], color="0.6", lw=0.8, ls="--")
    _name_lines(axes, list(conditions))
    axes.set_xlabel(metric.replace("_", " ").replace("f1", "F1").replace("ccc", "CCC"))
    axes.set_title(wrapped(title, 8, 10), fontsize=10)
    figure.legend(fontsize=7, loc="outside lower center", ncols=5)
    save_figure(figure, path)


def _name_lowest(axes: Axes, results: Sequence[Mapping[str, Any]], metric: str) -> None:
    for y, corpora in enumerate(results):
        values = {name: row[metric] for name, row in corpora.items() if row[metric] is not None}
        if values:
            lowest = min(values, key=lambda name: values[name])
            axes.annotate(
                lowest, (values[lowest], y), (0, 4), textcoords="offset points", ha="center", fontsize=7, color="0.3"
            )


def _name_lines(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [wrapped(name, _NAME_INCHES, 8) for name in names], fontsize=8)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)


def plot_calibration(calibration: Mapping[str, Any], title: str, path: Path) -> None:
    """Plots a reliability diagram, and the accuracy of the predictions that remain above a confidence."""
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    reliability, risk = figure.subplots(1, 2)
    _draw_reliability(reliability, calibration)
    _draw_risk_coverage(risk, calibration)
    figure.suptitle(wrapped(title, 9, 10), fontsize=10)
    save_figure(figure, path)


def _draw_reliability(axes: Axes, calibration: Mapping[str, Any]) -> None:
    """Plots the accuracy of each bin of confidence that has clips, and their number."""
    bins = calibration["bins"]
    accuracy, confidence, clips = (np.array([b[name] for b in bins]) for name in ("accuracy", "confidence", "clips"))
    CalibrationDisplay(accuracy, confidence, None).plot(
        ax=axes, name="bins of confidence, with their clips", ms=4, clip_on=False
    )
    for x, y, count in zip(confidence, accuracy, clips, strict=True):
        axes.annotate(f"{count:,}", (x, y), (0, 5), textcoords="offset points", ha="center", fontsize=7)
    before, after = (calibration[name]["ece"] for name in ("before", "after"))
    axes.set(xlim=(0, 1.03), ylim=(0, 1.1), xlabel="confidence", ylabel="accuracy")
    axes.set_title(f"expected calibration error {before:.3f} before, {after:.3f} after scaling", fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)


def _draw_risk_coverage(axes: Axes, calibration: Mapping[str, Any]) -> None:
    """Plots the accuracy of the predictions above each confidence over their share."""
    curve = [point for point in calibration["risk_coverage"] if point["clips"]]
    axes.plot([point["coverage"] for point in curve], [point["accuracy"] for point in curve], "o-")
    labeled = np.inf
    for point in curve:  # from all clips to the most confident ones
        if labeled - point["coverage"] > _LABEL_DISTANCE:
            labeled = point["coverage"]
            place = (labeled, point["accuracy"])
            axes.annotate(f"{point['threshold']:g}", place, (3, 3), textcoords="offset points", fontsize=7)
    axes.set(xlabel="coverage (the number: least confidence)", ylabel="accuracy", xlim=(0, 1.03))
    axes.set_title(f"area under the risk-coverage curve {calibration['aurc']:.3f}", fontsize=9)
    axes.grid(alpha=0.3)
