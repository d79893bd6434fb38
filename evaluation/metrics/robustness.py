"""The main metric under conditions: per corpus, their mean, and the paired difference from the clips as recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import datasets
import numpy as np

from modeling import Task
from preprocessing.prepared.task_values import target_labels

from .bootstrap import Resamples, compare, count_speakers, mean_of_corpora, resample
from .labeled_clips import COLUMNS, LabeledClips, Part, is_labeled, select_labeled
from .means import intervals, mean_over_corpora

CLEAN = "clean"  # the condition of the clips as recorded
_MEAN: Part = ("mean_over_corpora",)
_Measured = tuple[dict[Part, dict[str, Any]], dict[Part, np.ndarray]]  # rows, and the metric in every resample


def measure_conditions(
    clips: datasets.Dataset, task: Task, logits_of: Mapping[str, np.ndarray]
) -> dict[str, dict[str, Any]]:
    """The main metric of a head under conditions.

    Args:
        clips: the clips, as for [`~evaluation.metrics.compute.compute_metrics`].
        task: what the head predicts.
        logits_of: condition to logits `(clips, num_outputs)`; [`CLEAN`] is one of them.

    Returns:
        Condition to `corpora`, the row of each corpus, and `mean_over_corpora`. A row has the metric (weighted F1, or
        CCC of a regression), its interval as `NAME_ci`, `clips` and `speakers`, and, except for [`CLEAN`], `change`:
        the paired `difference` from it with its 95 % `ci` and `p` over the same resamples of speakers and clips. These
        are `None`, with a `ci_reason`, where there are too few; `change` is `None` where the metric has no value.
        Empty where no clip has a label.
    """
    columns = {name: np.array(clips[name][:], dtype=object) for name in COLUMNS}
    values = np.array(target_labels(task, clips), dtype=object)
    labeled = is_labeled(values)
    if not labeled.any():
        return {}
    resamples = resample(columns["corpus"][labeled], columns["speaker"][labeled])
    metric = "weighted_f1" if task.is_classification else "ccc"
    measured = {
        condition: _measure(select_labeled(values, logits, task, columns), resamples, metric)
        for condition, logits in logits_of.items()
    }
    return {
        condition: _to_report(found, None if condition == CLEAN else measured[CLEAN], metric)
        for condition, found in measured.items()
    }


def _measure(clips: LabeledClips, resamples: Resamples, metric: str) -> _Measured:
    corpus, speaker = clips.columns["corpus"], clips.columns["speaker"]
    parts: dict[Part, np.ndarray] = {("corpora", name): corpus == name for name in dict.fromkeys(corpus)}
    rows, resampled = clips.measure(parts), clips.measure_resamples(parts, resamples)
    for part, mine in parts.items():
        rows[part] |= intervals(rows[part], resampled[part], count_speakers(corpus[mine], speaker[mine]))
    mean = mean_over_corpora(*({part[-1]: values for part, values in each.items()} for each in (rows, resampled)))
    of_metric = {part: values[metric] for part, values in resampled.items()}
    return {_MEAN: mean, **rows}, {_MEAN: mean_of_corpora(list(of_metric.values())), **of_metric}


def _to_report(measured: _Measured, clean: _Measured | None, metric: str) -> dict[str, Any]:
    rows, resampled = measured
    shown = (metric, f"{metric}_ci", "ci_reason", "clips", "speakers")
    report: dict[Part, dict[str, Any]] = {}
    for part, row in rows.items():
        report[part] = {name: row[name] for name in shown if name in row}
        if clean is not None:
            report[part]["change"] = _change(row, clean[0][part], resampled[part], clean[1][part], metric)
    mean = report.pop(_MEAN)
    return {_MEAN[0]: mean, "corpora": {part[-1]: row for part, row in report.items()}}


def _change(
    row: Mapping[str, Any], clean: Mapping[str, Any], resampled: np.ndarray, resampled_clean: np.ndarray, metric: str
) -> dict[str, Any] | None:
    if row[metric] is None or clean[metric] is None:
        return None
    difference = row[metric] - clean[metric]
    if "ci_reason" in row:
        return {"difference": difference, "ci": None, "p": None, "ci_reason": row["ci_reason"]}
    return {**compare(resampled, resampled_clean), "difference": difference}
