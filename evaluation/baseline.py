"""A baseline that hears nothing but numbers: a random forest on the measured pitch, energy, voicing and duration."""

from __future__ import annotations

import numpy as np
from datasets import Dataset, DatasetDict
from sklearn.ensemble import RandomForestClassifier

from modeling import Task
from preprocessing.acoustics import ACOUSTIC_TARGETS

FEATURES = (*ACOUSTIC_TARGETS, "duration_s")


def check_baseline(splits: DatasetDict, split: str, task: Task) -> None:
    """Refuses a task that the baseline cannot learn, or that no clip of the split has a label for.

    Raises:
        ValueError: the task is a number, or there are no labels.
    """
    if not task.is_classification:
        raise ValueError(f"The baseline is a classifier; the main task, {task.name}, is a number.")
    for name in ("train", split):
        if name not in splits or all(task.encode(value) < 0 for value in splits[name][task.column][:]):
            raise ValueError(f"The baseline needs {name} clips with a label of {task.name} that the model knows.")


def random_forest_logits(splits: DatasetDict, split: str, task: Task, seed: int = 0) -> np.ndarray:
    """Log-probabilities of a random forest that is trained on the training split, for the clips of another.

    Args:
        splits: of a prepared folder.
        split: the one to predict.
        task: a classification task.
        seed: of the forest.

    Returns:
        Shape `(clips, labels)`.
    """
    train = splits["train"]
    target = np.array([task.encode(value) for value in train[task.column][:]])
    forest = RandomForestClassifier(500, class_weight="balanced", random_state=seed, n_jobs=-1)
    forest.fit(_features(train)[target >= 0], target[target >= 0])
    probabilities = np.zeros((len(splits[split]), len(task.labels)))
    probabilities[:, forest.classes_] = forest.predict_proba(_features(splits[split]))
    return np.log(probabilities + np.finfo(float).tiny)


def _features(clips: Dataset) -> np.ndarray:
    """`(clips, features)`; NaN where nothing was measured, which the forest splits on like any value."""
    return np.array([[np.nan if v is None else v for v in clips[name][:]] for name in FEATURES], dtype=float).T
