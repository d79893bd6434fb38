"""A classifier on standardized features, fitted on each fold: a linear probe, or a support vector machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from common.files import atomic_write
from preprocessing.prepared.split_files import load_splits, num_folds

PROBE_C = 0.01  # not tuned here


def linear_probe(c: float = PROBE_C) -> Pipeline:
    """An unfitted logistic regression on standardized features; `c` is the inverse strength of its regularization."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2000))


def fold_predictions(
    data: Path, protocol: str, clips: Dataset, features: np.ndarray, classifier: Pipeline, column: str = "emotion"
) -> pd.DataFrame:
    """Predictions for the test clips of a protocol, of all its folds if it has any.

    The classifier is fitted on the training and the validation clips, as it chooses nothing by the latter.

    Args:
        data, protocol: a prepared folder, and one of its protocols.
        clips: all clips of the folder.
        features: of each, `(clips, features)`.
        classifier: unfitted; a copy of it is fitted on each fold.
        column: of the labels.

    Returns:
        `id` and the score of each class, a row per test clip: what `evaluate.py --predictions` reads.

    Raises:
        ValueError: the training clips of a fold have fewer than two labels, or there are no test clips.
    """
    folds = num_folds(data, protocol)
    names = [protocol] if folds is None else [f"{protocol}/{fold}" for fold in range(1, folds + 1)]
    ids = clips["id"][:]
    labels = np.array(clips[column][:], dtype=object)
    classes = sorted({str(label) for label in labels if label is not None})
    tables = []
    for name in names:
        split_of = load_splits(data, name)
        splits = np.array([split_of[id_] or "" for id_ in ids])
        fitted = np.isin(splits, ["train", "validation"]) & np.array([label is not None for label in labels])
        tested = np.flatnonzero(splits == "test")
        if len({*labels[fitted]}) < 2 or not tested.size:
            raise ValueError(f"Protocol {name} of {data} needs training clips of two labels, and test clips.")
        machine = clone(classifier).fit(features[fitted], labels[fitted].astype(str))
        table = pd.DataFrame(0.0, index=[ids[i] for i in tested], columns=classes)
        table[list(machine.classes_)] = _scores(machine, features[tested])
        tables.append(table)
    return pd.concat(tables).rename_axis("id").reset_index()


def _scores(machine: Pipeline, features: np.ndarray) -> np.ndarray:
    """Probabilities `(clips, classes)`; of a support vector machine, which has none, 1 for the predicted class."""
    if isinstance(machine[-1], SVC):
        return (machine.predict(features)[:, None] == machine.classes_).astype(float)
    return machine.predict_proba(features)


def write_probe(predictions: pd.DataFrame, path: Path) -> None:
    """Writes the predictions as a CSV file."""
    atomic_write(path, lambda unfinished: predictions.to_csv(unfinished, index=False, float_format="%.9g"))
