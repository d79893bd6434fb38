"""A baseline that a model has to beat: a support vector machine on statistics of MFCCs, trained in seconds."""

from __future__ import annotations

import librosa
import numpy as np
from datasets import Dataset, DatasetDict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from modeling import SAMPLING_RATE, Task
from modeling.tasks_ser import IGNORE_INDEX
from preprocessing.prepared.task_values import target_labels

from ..waveform_features import waveform_features

_COEFFICIENTS = 20
# Not tuned: on RAVDESS, EMODB, EMOVO and nEMO anything from 3 to 100 gives the same to a hundredth or two.
SVM_C = 10.0


def support_vector_machine(c: float = SVM_C) -> Pipeline:
    """An unfitted support vector machine on standardized features, its classes weighted by their inverse frequency.

    Args:
        c: inverse strength of the regularization.
    """
    return make_pipeline(StandardScaler(), SVC(C=c, class_weight="balanced"))


def check_baseline(splits: DatasetDict, split: str, task: Task) -> None:
    """Refuses a task that the baseline cannot be trained on, or that no clip of the split has a label for.

    Raises:
        ValueError: the task is a regression, or the clips have no labels, or those to train on a single one.
    """
    if not task.is_classification:
        raise ValueError(f"The baseline is a classifier, but the main task, {task.name}, is a regression.")
    for name, least in {split: 1, "train": 2}.items():
        values = target_labels(task, splits[name]) if name in splits else []
        if len({task.encode(value) for value in values} - {IGNORE_INDEX}) < least:
            raise ValueError(f"The baseline needs {name} clips with at least {least} of the labels of {task.name}.")


def baseline_logits(splits: DatasetDict, split: str, task: Task, max_duration_s: float) -> np.ndarray:
    """Trains a support vector machine on the training split, and predicts the clips of another.

    Args:
        splits: of a prepared folder.
        split: the one to predict.
        task: a classification task.
        max_duration_s: how much of a clip's beginning the model processes, and so the baseline.

    Returns:
        Shape `(clips, labels)`: 1 for the predicted label, 0 for the others. It has no probabilities.
    """
    target = np.array([task.encode(value) for value in target_labels(task, splits["train"])])
    labeled = splits["train"].select(np.flatnonzero(target >= 0))
    machine = support_vector_machine()
    machine.fit(_features(labeled, max_duration_s), target[target >= 0])
    return np.eye(len(task.labels))[machine.predict(_features(splits[split], max_duration_s))]


def mfcc_statistics(waveform: np.ndarray) -> np.ndarray:
    """Mean and standard deviation over time of 20 MFCCs, and the deviation of their slopes.

    Args:
        waveform: of shape `(samples,)`, 16 kHz.

    Returns:
        Shape `(60,)`.
    """
    mfcc = librosa.feature.mfcc(y=waveform, sr=SAMPLING_RATE, n_mfcc=_COEFFICIENTS)  # (coefficients, frames)
    slope = librosa.feature.delta(mfcc, mode="nearest")
    return np.concatenate([mfcc.mean(axis=1), mfcc.std(axis=1), slope.std(axis=1)])


def _features(clips: Dataset, max_duration_s: float) -> np.ndarray:
    """`(clips, features)`."""
    return waveform_features(mfcc_statistics, clips, max_duration_s, "Baseline")
