"""Which checkpoints are of the same training with different seeds: repetitions of one model, not models to compare."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from transformers import PreTrainedConfig

from ..metrics.bootstrap import seeds_interval
from ..metrics.scores import CLASSIFICATION_METRICS
from .comparison import sum_confusions

# The fields of training.json that identify a training; the others may differ from run to run.
_TRAINING = (
    "data",
    "protocol",
    "start",
    "base_model",
    "revision",
    "before",
    "parameters",
    "learning_rate",
    "weight_decay",
    "batch_size",
    "precision",
)
_OF_A_RUN = ("seed", "data_seed", "output_dir", "run_name", "resume_from_checkpoint")  # of train_config.yaml
_PARTS = ("corpora", "locales")  # of metrics: their rows
_UNKNOWN = {"seed": None, "configuration": None}


def training_identity(checkpoint: str, config: PreTrainedConfig) -> dict[str, Any]:
    """The `seed` of a checkpoint's training, and a hash of all else that decides it, its `configuration`.

    Args:
        checkpoint: folder with `training.json` and `train_config.yaml`, as `train.py` writes them.
        config: of the checkpoint.

    Returns:
        Both are `None` where a file is missing or not valid.
    """
    folder = Path(checkpoint)
    try:
        record = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        settings = yaml.safe_load((folder / "train_config.yaml").read_text(encoding="utf-8"))
        identity = [
            {name: record[name] for name in _TRAINING},
            {name: value for name, value in settings.items() if name not in _OF_A_RUN},
            _without_results(config),
        ]
        seed = int(record["seed"])
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return _UNKNOWN
    text = json.dumps(identity, sort_keys=True, default=str)
    return {"seed": seed, "configuration": hashlib.sha256(text.encode()).hexdigest()}


def joint_identity(identities: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The identity of the trainings of all folds together."""
    first, *others = identities
    if not others:
        return dict(first)
    if any(each["configuration"] is None or each["seed"] != first["seed"] for each in identities):
        return _UNKNOWN
    text = " ".join(each["configuration"] for each in identities)
    return {"seed": first["seed"], "configuration": hashlib.sha256(text.encode()).hexdigest()}


def _without_results(config: PreTrainedConfig) -> dict[str, Any]:
    """A model's configuration without the results of its training, and without its path."""
    values = config.to_dict()
    tasks = [{**task.to_dict(), "temperature": None} for task in config.get_tasks()]
    return {**values, "tasks": tasks, "_name_or_path": None}


def seeds_of(report: Mapping[str, Any], reports: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The reports on the same training with other seeds, and the report itself.

    Args:
        report: a `metrics.json`.
        reports: those of the same row under the same protocol.
    """
    if report["configuration"] is None or report["protocol"]["family"] == "cross":
        return [report]
    same = [other for other in reports if other["configuration"] == report["configuration"]]
    # The same seed twice: a copy, or a repetition that differs in something else than the seed.
    return same if len({other["seed"] for other in same}) == len(same) else [report]


def mean_over_seeds(
    parts: Sequence[Mapping[str, Any]], corpora: Sequence[Mapping[str, Mapping[str, np.ndarray]]] = ()
) -> dict[str, Any]:
    """The column of several trainings of one model with different seeds, on the same clips.

    The mean over corpora and each corpus have an interval over speakers, clips and seeds. The standard deviation over
    seeds is `NAME_sd`.

    Args:
        parts: of each training `mean`, `corpora`, `locales`, `confusion` and `resampled`, as in
            [`~evaluation.reporting.column.Column`].
        corpora: of each training the resamples of every corpus.

    Returns:
        The same parts of all of them; `resampled` has the resamples of each.
    """
    resampled = {
        name: np.concatenate([np.atleast_2d(part["resampled"][name]) for part in parts])
        for name in parts[0]["resampled"]
    }
    mean = _mean([part["mean"] for part in parts])
    if "ci_reason" not in mean:
        mean |= {f"{name}_ci": seeds_interval(values) for name, values in resampled.items()}
    total = sum_confusions([part["confusion"] for part in parts])
    rows = {name: {key: _mean([part[name][key] for part in parts]) for key in parts[0][name]} for name in _PARTS}
    for name, row in rows["corpora"].items():
        if "ci_reason" not in row and all(name in each for each in corpora) and corpora:
            row |= {
                f"{metric}_ci": seeds_interval(np.stack([each[name][metric] for each in corpora]))
                for metric in corpora[0][name]
            }
    return {
        "mean": mean,
        **rows,
        "confusion": {**total, "counts": (np.array(total["counts"]) / len(parts)).tolist()},
        "resampled": resampled,
    }


def _mean(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows of metrics on the same clips -> the mean of each metric and its deviation, and what they have in common."""
    row = {name: value for name, value in rows[0].items() if not name.endswith("_ci")}
    for name in CLASSIFICATION_METRICS:
        values = [each[name] for each in rows]
        row |= {name: float(np.mean(values)), f"{name}_sd": float(np.std(values, ddof=1))}
        if "ci_reason" in row:
            row[f"{name}_ci"] = None
    return row
