"""An evaluation whose metrics are known."""

import numpy as np
import pytest
from datasets import Dataset

from evaluation.metrics.compute import compute_metrics
from modeling import Task

EMOTION = Task("emotion", "classification", "emotion", labels=("angry", "happy", "sad"))
PITCH = Task("f0_mean", "regression", "f0_mean", unit="Hz", mean=180.0, std=50.0)
GENDER = Task("gender", "classification", "gender", labels=("female", "male"))
PROTOCOL = {
    "protocol": "paper",
    "description": "75/15/10 by chance",
    "seed": 7,
    "notes": ["alpha: the authors' partition is kept (test)", "beta: too few sad clips"],
    "family": "paper",
    "corpus": None,
}


@pytest.fixture
def metrics():
    """1,200 clips of alpha, all of them right, and five of beta, of whose labels the head has four and predicts two."""
    truth = [*("angry", "happy", "sad") * 400, "sad", "sad", "sad", "happy", "proud"]
    predicted = [*range(3)] * 400 + [2, 2, 0, 0, 0]
    clips = Dataset.from_dict(
        {
            "emotion": truth,
            "f0_mean": [None] * 1202 + [150.0, 200.0, 250.0],
            "gender": [None] * 1205,
            "corpus": ["alpha"] * 1200 + ["beta"] * 5,
            "locale": ["de-DE"] * 1200 + ["pl-PL"] * 5,
            "speaker": [None] * 1205,
            "duration_s": [2.0] * 1205,
            "style": ["acted"] * 1205,
        }
    )
    logits = {
        "emotion": np.eye(3)[predicted],
        "f0_mean": np.full((1205, 1), 0.4),  # 200 Hz
        "gender": np.zeros((1205, 2)),
    }
    return compute_metrics(clips, logits, [EMOTION, PITCH, GENDER])


@pytest.fixture
def report(metrics):
    return {
        "checkpoint": "demo",
        "split": "test",
        "protocol": PROTOCOL,
        "num_clips_seen_in_training": 0,
        "main_task": "emotion",
        "tasks": metrics,
    }
