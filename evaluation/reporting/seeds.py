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

from ..metrics.bootstrap import interval
from ..metrics.compute import ALL
from ..metrics.scores import CLASSIFICATION_METRICS
from .comparison import sum_confusions
from .metrics_json import Evaluation

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
    if report["configuration"] is None or report["protocol"]["corpus"]:
        return [report]
    same = [other for other in reports if other["configuration"] == report["configuration"]]
    # The same seed twice: a copy, or a repetition that differs in something else than the seed.
    return same if len({other["seed"] for other in same}) == len(same) else [report]


def mean_over_seeds(members: Sequence[Evaluation]) -> dict[str, Any]:
    """The column of several trainings of one model with different seeds, on the same clips.

    The mean over corpora has an interval over speakers and clips, of the mean of these seeds: it does not include
    the variation between seeds. That is the standard deviation, `NAME_sd`.

    Returns:
        `mean`, `corpora`, `locales`, `confusion`, `resampled`, `seeds`, as in
        [`~evaluation.reporting.comparison.Column`].
    """
    mains = [member.main for member in members]
    resampled = {
        name: np.mean([member.resampled_means[ALL][name] for member in members], axis=0)
        for name in CLASSIFICATION_METRICS
    }
    mean = _mean([main["mean_over_corpora"] for main in mains])
    if "ci_reason" not in mean:
        mean |= {f"{name}_ci": interval(values) for name, values in resampled.items()}
    total = sum_confusions([main["confusion"] for main in mains])
    return {
        "mean": mean,
        **{part: {name: _mean([main[part][name] for main in mains]) for name in mains[0][part]} for part in _PARTS},
        "confusion": {**total, "counts": (np.array(total["counts"]) / len(members)).tolist()},
        "resampled": resampled,
        "seeds": [
            {
                "seed": member.report["seed"],
                "checkpoint": member.report["checkpoint"],
                "weighted_f1": main["mean_over_corpora"]["weighted_f1"],
            }
            for member, main in zip(members, mains, strict=True)
        ],
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
