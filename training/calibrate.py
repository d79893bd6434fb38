"""Temperature scaling of a trained model: fitted on the validation clips, applied to the heads (Guo et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import broadcast
from datasets import Dataset
from scipy.special import softmax
from transformers import SequenceFeatureExtractor
from transformers.utils.logging import get_logger

from common.files import write_json
from evaluation.metrics.calibration import at_bound, calibration_metrics, fit_temperature
from evaluation.predict import predict
from preprocessing.prepared.task_values import encode, target_labels, target_values

CALIBRATION = "calibration.json"

logger = get_logger(__name__)


def calibrate(
    model: Any,
    feature_extractor: SequenceFeatureExtractor,
    clips: Dataset,
    output_dir: Path,
    **training_args: Any,
) -> dict[str, dict]:
    """Divides the logits of every classification head by its temperature, in the weights and in the config.

    All processes take part and end with the same weights. A training that starts from the checkpoint starts from the
    scaled weights and from temperature 1, because `fit_tasks` creates new tasks.

    Args:
        model: the trained model, of an architecture of this project; it is changed.
        feature_extractor: its feature extractor.
        clips: the validation split.
        output_dir: folder to write `calibration.json` to.
        training_args: as in [`~evaluation.predict.predict`].

    Returns:
        Per head with labeled clips: `temperature`, whether it is `at_bound` of the fitted range, the number of labeled
        `clips`, and their expected calibration error, log loss and Brier score `before` and `after`. The file has the
        same content.
    """
    tasks = {task.name: task for task in model.config.get_tasks() if task.is_classification}
    if not tasks:
        return {}
    logits = predict(model, feature_extractor, clips, **training_args)
    targets = {name: encode(task, target_values(task, clips)).numpy() for name, task in tasks.items()}
    temperatures = torch.tensor([fit_temperature(logits[name], targets[name]) for name in tasks], device=model.device)
    # Machines may round differently; in float32, as the weights that the temperatures divide.
    fitted = dict(zip(tasks, broadcast(temperatures).tolist(), strict=True))
    apply_temperatures(model, fitted)
    report = {}
    for name, temperature in fitted.items():
        labels = target_labels(tasks[name], clips)
        labeled = np.array([label is not None for label in labels])
        if labeled.any():
            truth = np.array([tasks[name].encode(label) for label in labels])[labeled]
            report[name] = _report(logits[name][labeled].astype(float), truth, temperature)
    if PartialState().is_main_process:
        write_json(output_dir / CALIBRATION, report)
        _log(report)
    return report


def apply_temperatures(model: Any, temperatures: Mapping[str, float]) -> None:
    """Divides the logits of heads by temperatures, by task name, in the weights and in the config."""
    model.heads.apply_temperature(temperatures)
    tasks = model.config.get_tasks()
    model.config.set_tasks(
        [replace(task, temperature=task.temperature * temperatures.get(task.name, 1.0)) for task in tasks]
    )


def _report(logits: np.ndarray, targets: np.ndarray, temperature: float) -> dict:
    return {
        "temperature": temperature,
        "at_bound": at_bound(temperature),
        "clips": int(targets.size),
        "before": calibration_metrics(softmax(logits, axis=1), targets),
        "after": calibration_metrics(softmax(logits / temperature, axis=1), targets),
    }


def _log(report: dict[str, dict]) -> None:
    for name, head in report.items():
        before, after = head["before"], head["after"]
        logger.warning(
            f"Calibration of {name} on {head['clips']:,} validation clips: temperature {head['temperature']:.3f}, "
            f"expected calibration error {before['ece']:.3f} -> {after['ece']:.3f}."
        )
        if head["at_bound"]:
            logger.warning(
                f"Calibration of {name}: the temperature {head['temperature']:.3g} is at the limit of the fitted "
                "range, so its scores are not calibrated: there are too few validation clips for this head."
            )
