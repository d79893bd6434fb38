"""What the service says of its model, and the first prediction, which is slower than the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from common.checkpoint_files import weights_sha256
from modeling import SAMPLING_RATE
from modeling.vad_ser import measure_speech

from ...engine.predictor import Predictor


def describe_model(checkpoint: str, backend: str, predictor: Predictor) -> dict[str, Any]:
    """The model for `/v1/models`.

    Args:
        checkpoint: folder or Hub id; of a folder the name alone is shown.
        backend: that computes.
        predictor: the loaded model.
    """
    folder = Path(checkpoint)
    return {
        "id": folder.resolve().name if folder.is_dir() else checkpoint,
        "backend": backend,
        "precision": predictor.precision,
        "weights_sha256": weights_sha256(checkpoint),
        "max_duration_s": predictor.max_duration_s,
        "main_task": predictor.main_task.name,
        "tasks": [
            {"name": task.name, "kind": task.kind, "labels": list(task.labels), "unit": task.unit}
            for task in predictor.tasks
        ],
    }


def warm_up(predictor: Predictor) -> None:
    """Predicts noise once, so that libraries are loaded and memory is allocated before the first request."""
    noise = np.random.default_rng(0).normal(scale=0.01, size=SAMPLING_RATE).astype(np.float32)
    measure_speech(noise)
    predictor([noise] * predictor.batch_size)
