"""metrics.json of an evaluation, and its tables for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.versions import versions
from modeling import Task

_PACKAGES = ("transformers", "torch", "datasets", "evaluate", "accelerate", "scikit-learn")
_COLUMNS = ("weighted_f1", "weighted_recall", "weighted_precision", "macro_f1", "unweighted_recall")


@dataclass(frozen=True)
class Evaluation:
    """One checkpoint on one split.

    Args:
        report: its `metrics.json`.
        draws: where the main task is a classification: as [`~evaluation.metrics.compute.resample_means`] gives them.
        clips: ids of the clips.
    """

    report: Mapping[str, Any]
    draws: Mapping[str, Mapping[str, np.ndarray]]
    clips: frozenset[str]

    @property
    def main(self) -> Mapping[str, Any]:
        """Metrics of the main task."""
        return self.report["tasks"][self.report["main_task"]]


def build_report(
    metrics: dict[str, dict],
    main_task: str,
    *,
    checkpoint: str,
    split: str,
    protocol: dict,
    num_clips_seen_in_training: int | None,
    **settings: object,
) -> dict:
    """What `metrics.json` holds.

    Args:
        metrics: as [`compute_metrics`] returns them.
        main_task: name of the task that the tables show in full.
        checkpoint: what was evaluated.
        split: on which split.
        protocol: as [`~preprocessing.prepared.build.load_protocol`] gives it.
        num_clips_seen_in_training: how many of the clips the checkpoint was trained on, `None` where that is not known.
        settings: further values to write, such as `raw_labels` and `merged_labels`, the clips by the authors' words
            ([`~preprocessing.labels.raw_labels`]).
    """
    return {
        "checkpoint": checkpoint,
        "split": split,
        "protocol": protocol,
        "versions": versions(*_PACKAGES),
        "num_clips_seen_in_training": num_clips_seen_in_training,
        **settings,
        "main_task": main_task,
        "tasks": metrics,
    }


def format_report(report: dict) -> str:
    """The report's tables: the main task by corpus and by locale, every head, and what a reader must know."""
    protocol = report["protocol"]
    lines = [
        f"{report['checkpoint']}: {report['split']} split, protocol {protocol['protocol']} (seed {protocol['seed']}):",
        f"  {protocol['description']}.",
        *(f"  {note}." for note in protocol["notes"]),
    ]
    heard = report["num_clips_seen_in_training"]
    if heard:
        lines.append(
            f"  WARNING: {heard:,} of these clips were in this checkpoint's training. The figures say too much."
        )
    if heard is None:
        lines.append("  What the checkpoint was trained on is not known; it may have heard these clips.")
    main = report["tasks"][report["main_task"]]
    if main["kind"] == "classification" and main["clips"]:
        lines += ["", *_by_corpus(report["main_task"], main), "", *_by_locale(main)]
    lines += ["", *_by_head(report["tasks"])]
    if "baseline" in report:
        lines += ["", *_against_baseline(report)]
    return "\n".join(lines)


def _by_corpus(name: str, task: dict) -> list[str]:
    header = f"{name + ' by corpus':<22}{'F1':>7}{'95 % interval':>17}{'recall':>8}{'precision':>11}{'macro F1':>10}"
    lines = [header + f"{'UAR':>7}{'clips':>8}"]
    without: dict[str, list[str]] = defaultdict(list)
    for label, row in [*task["corpora"].items(), ("mean over corpora", task["mean_over_corpora"])]:
        f1, recall, precision, macro, uar = (row[column] for column in _COLUMNS)
        bounds = "–" if "ci_reason" in row else "{:.3f}–{:.3f}".format(*row["weighted_f1_ci"])
        lines.append(
            f"{label:<22}{f1:>7.3f}{bounds:>17}{recall:>8.3f}{precision:>11.3f}{macro:>10.3f}"
            f"{uar:>7.3f}{row['clips']:>8,}"
        )
        if "ci_reason" in row:
            without[row["ci_reason"]].append(label)
    lines += [f"  No interval for {', '.join(names)}: {reason}." for reason, names in without.items()]
    for label, count in task["unknown_labels"].items():
        lines.append(f"  {count} clips are {label!r}, which the model was not trained on; each counts as an error.")
    return lines


def _by_locale(task: dict) -> list[str]:
    lines = [f"{'by locale':<22}{'F1':>7}{'recall':>8}{'precision':>11}{'clips':>8}  corpora"]
    for label, row in task["locales"].items():
        lines.append(
            f"{label:<22}{row['weighted_f1']:>7.3f}{row['weighted_recall']:>8.3f}{row['weighted_precision']:>11.3f}"
            f"{row['clips']:>8,}  {', '.join(row['corpora'])}"
        )
    return lines


def _by_head(tasks: dict[str, dict]) -> list[str]:
    lines = [f"{'head, over all clips':<22}{'metrics'}"]
    for name, task in tasks.items():
        if not task["clips"]:
            lines.append(f"{name:<22}no clip of this split has a label for it")
            continue
        row = task["pooled"]
        if task["kind"] == "classification":
            f1, accuracy, uar = (row[column] for column in ("weighted_f1", "weighted_recall", "unweighted_recall"))
            text = f"F1 {f1:.3f}  accuracy {accuracy:.3f}  UAR {uar:.3f}"
        else:
            unit = f" {task['unit']}" if task["unit"] else ""
            values = (("R²", row["r2"]), ("Pearson", row["pearson"]), ("CCC", row["ccc"]))
            text = f"MAE {row['mae']:.3g}{unit}  " + "  ".join(
                f"{label} {'–' if value is None else format(value, '.3f')}" for label, value in values
            )
        lines.append(f"{name:<22}{text}  ({row['clips']:,} clips)")
    return lines


def _against_baseline(report: dict) -> list[str]:
    model = report["tasks"][report["main_task"]]["mean_over_corpora"]
    baseline = report["baseline"]["mean_over_corpora"]
    return [
        f"{report['main_task']} F1, mean over corpora: model {model['weighted_f1']:.3f}, baseline (a support vector "
        f"machine on statistics of MFCCs) {baseline['weighted_f1']:.3f}"
    ]


def main_scores(tasks: Sequence[Task], metrics: dict[str, dict]) -> dict[str, float]:
    """The means over corpora under the names `TASK_METRIC`, for a training log."""
    return {
        f"{task.name}_{name}": value
        for task in tasks
        for name, value in metrics[task.name].get("mean_over_corpora", {}).items()
        if isinstance(value, float)
    }
