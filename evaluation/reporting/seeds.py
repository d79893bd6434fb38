"""Which runs are the same training with different seeds: repetitions of one model, and not models to compare."""

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
from ..metrics.resampled import CLASSIFICATION_METRICS
from .comparison import sum_confusions
from .metrics_json import Evaluation

# Of training.json: what was trained on, from what, and how. What else it holds may differ from run to run.
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
        Both are `None` where the folder does not tell.
    """
    folder = Path(checkpoint)
    try:
        facts = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        settings = yaml.safe_load((folder / "train_config.yaml").read_text(encoding="utf-8"))
        identity = [
            {name: facts[name] for name in _TRAINING},
            {name: value for name, value in settings.items() if name not in _OF_A_RUN},
            _without_results(config),
        ]
        seed = int(facts["seed"])
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return _UNKNOWN
    text = json.dumps(identity, sort_keys=True, default=str)
    return {"seed": seed, "configuration": hashlib.sha256(text.encode()).hexdigest()}


def _without_results(config: PreTrainedConfig) -> dict[str, Any]:
    """A model's configuration without what its training found, and without where it lies."""
    values = config.to_dict()
    tasks = [{**task.to_dict(), "temperature": None} for task in config.get_tasks()]
    return {**values, "tasks": tasks, "_name_or_path": None}


def seeds_of(report: Mapping[str, Any], reports: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The reports that repeat one's training with another seed, itself among them.

    Args:
        report: as [`~evaluation.reporting.metrics_json.build_report`] gives it.
        reports: those of the same row under the same protocol.
    """
    if report["configuration"] is None or report["protocol"]["corpus"]:
        return [report]
    same = [other for other in reports if other["configuration"] == report["configuration"]]
    # A seed that is there twice is a copy or a repetition of its own kind.
    return same if len({other["seed"] for other in same}) == len(same) else [report]


def mean_over_seeds(members: Sequence[Evaluation]) -> dict[str, Any]:
    """What a column of the tables says of several trainings of one model, on the same clips.

    The mean over corpora has an interval over speakers and clips, of the mean of these seeds: it does not say how much
    another seed would change. That is the standard deviation, `NAME_sd`.

    Returns:
        `mean`, `corpora`, `locales`, `confusion`, `draws`, `seeds`: as in [`~evaluation.reporting.comparison.Column`].
    """
    mains = [member.main for member in members]
    draws = {name: np.mean([member.draws[ALL][name] for member in members], axis=0) for name in CLASSIFICATION_METRICS}
    mean = _mean([main["mean_over_corpora"] for main in mains])
    if "ci_reason" not in mean:
        mean |= {f"{name}_ci": interval(drawn) for name, drawn in draws.items()}
    total = sum_confusions([main["confusion"] for main in mains])
    return {
        "mean": mean,
        **{part: {name: _mean([main[part][name] for main in mains]) for name in mains[0][part]} for part in _PARTS},
        "confusion": {**total, "counts": (np.array(total["counts"]) / len(members)).tolist()},
        "draws": draws,
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
