"""A model of all clips has no test clips: its temperatures and its figures are those of its recipe on folds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from common.checkpoint_files import weights_sha256
from common.files import write_json
from common.trainings import TRAININGS_FILE, Training, find_trainings
from modeling import Task

_METRICS = "metrics.json"
# What the settings of a fold and those of the model of all clips may differ in.
_OWN = ("protocol", "seed", "seeds", "output_dir", "recipe_of", "data", "resume_from_checkpoint", "config", "use_cpu")


def check_recipe(folder: str, tasks: Sequence[Task], settings: Mapping[str, Any]) -> None:
    """Refuses folds that were not trained as a model of all clips will be.

    Args:
        folder: trainings of one model, as `train.py --protocol folds:K` leaves them.
        tasks: those of the model that is trained on all clips.
        settings: its settings, as in `train_config.yaml`.

    Raises:
        ValueError: the folder has no finished folds, a setting is another one, or a head is missing.
    """
    first = _folds(folder)[0]
    theirs = yaml.safe_load(Path(folder, first.name, "train_config.yaml").read_text(encoding="utf-8"))
    names = {*theirs, *settings} - {*_OWN}
    if different := sorted(name for name in names if theirs.get(name) != settings.get(name)):
        raise ValueError(f"--recipe_of {folder}: it was trained with another value of {', '.join(different)}.")
    recipe_temperatures(folder, tasks)


def recipe_temperatures(folder: str, tasks: Sequence[Task]) -> dict[str, float]:
    """The temperatures of the heads, by task name, of the folds' pooled predictions ([`~evaluation.pooling.pool`]).

    They are fitted on speakers that no model was trained on, as the users of the model of all clips will be.

    Raises:
        ValueError: the folder has no finished folds, or they lack a classification head of the model.
    """
    names = [task.name for task in tasks if task.is_classification]
    heads = _metrics(folder)["tasks"]
    if missing := [name for name in names if "calibration" not in heads.get(name, {})]:
        raise ValueError(f"--recipe_of {folder} has no calibrated head for {', '.join(missing)}.")
    return {name: heads[name]["calibration"]["temperature"] for name in names}


def write_recipe_metrics(folder: str, output: Path) -> None:
    """Writes the `metrics.json` of a model of all clips: that of the folds, which `tested` names by their weights."""
    metrics = _metrics(folder)
    of_model = {"checkpoint": str(output), "model": str(output), "weights_sha256": weights_sha256(output)}
    write_json(output / _METRICS, {**metrics, "tested": metrics["weights_sha256"], **of_model})


def _metrics(folder: str) -> dict[str, Any]:
    """The evaluation of the folds of the first seed, pooled."""
    name = f"seed-{_folds(folder)[0].seed}/{_METRICS}"
    if not Path(folder, name).is_file():
        raise ValueError(f"--recipe_of {folder} is not finished: it lacks {name}.")
    return json.loads(Path(folder, name).read_text(encoding="utf-8"))


def _folds(folder: str) -> list[Training]:
    """The folds of the first seed."""
    trainings = next(iter(find_trainings(folder).values()), [])
    if not trainings or trainings[0].fold is None:
        raise ValueError(f"--recipe_of {folder} holds no folds of a model ({TRAININGS_FILE}), as train.py leaves them.")
    return trainings
