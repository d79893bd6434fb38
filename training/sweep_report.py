"""Points of a sweep and their results: `sweep.json`, and its table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from common.text_tables import format_table


@dataclass(frozen=True)
class Point:
    """A point of the grid."""

    learning_rate: float
    weight_decay: float

    @property
    def name(self) -> str:
        """Name of its folder, such as `lr1e-3-wd1e-5`."""
        return f"lr{_short(self.learning_rate)}-wd{_short(self.weight_decay)}"


def _short(value: float) -> str:
    return np.format_float_scientific(value, trim="-", exp_digits=1) if value else "0"


def summarize(
    points: Iterable[Point], trials: Mapping[str, FrozenTrial], metric: str, greater_is_better: bool
) -> dict[str, Any]:
    """The content of `sweep.json`.

    Args:
        points: of the grid.
        trials: by the name of the point.
        metric: by which points are compared.
        greater_is_better: whether the best point has the greatest value of it.
    """
    entries = [_entry(point, trials[point.name]) for point in points]
    complete = [entry for entry in entries if entry["state"] == "complete"]
    sign = 1 if greater_is_better else -1
    best = max(complete, key=lambda entry: sign * entry["value"])["name"] if complete else None
    return {"metric": metric, "greater_is_better": greater_is_better, "best": best, "points": entries}


def _entry(point: Point, trial: FrozenTrial) -> dict[str, Any]:
    """What `sweep.json` has of a point."""
    is_complete = trial.state == TrialState.COMPLETE
    return {
        "name": point.name,
        **asdict(point),
        "state": "complete" if is_complete else "failed",
        "value": trial.value if is_complete else None,
        "epoch": trial.user_attrs.get("epoch"),
        "checkpoint": trial.user_attrs.get("checkpoint"),
        "seconds": round(trial.duration.total_seconds(), 1) if trial.duration else None,
        "reason": trial.user_attrs.get("reason"),
    }


def format_sweep(report: Mapping[str, Any]) -> str:
    """The points and their values as a table, with the best marked."""
    rows = []
    for entry in report["points"]:
        failed = entry["state"] == "failed"
        rows.append(
            [
                entry["name"],
                "failed" if failed else f"{entry['value']:.4f}",
                None if failed else f"{entry['epoch']:.3g}",
                None if entry["seconds"] is None else f"{entry['seconds']:.1f}",
                entry["reason"] if failed else "best" if entry["name"] == report["best"] else "",
            ]
        )
    return format_table(rows, ["point", report["metric"], "epoch", "seconds", ""], "lrrrl")
