"""This project's metrics as modules of Hugging Face's `evaluate`, to compute them of any predictions.

    table = pandas.read_csv("runs/demo/predictions.csv").dropna(subset=["emotion"])
    ClassificationMetric().compute(references=table["emotion"], predictions=table["emotion_predicted"])

The library shares its name with `evaluate.py`, and the project's root comes first on the import path of every script
in it. This module finds the library behind the script; `evaluate.py`, imported as `evaluate`, calls it.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import datasets
import numpy as np

from .metrics.scores import (
    classification_features,
    classification_scores,
    regression_features,
    regression_scores,
    single_scores,
)

_ROOT = Path(__file__).resolve().parents[1]


def import_library() -> ModuleType:
    """Imports the library, where it is not imported yet, and makes it what `import evaluate` binds.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    imported = sys.modules.get("evaluate")
    if imported is not None and Path(imported.__file__ or "").resolve() != _ROOT / "evaluate.py":
        return imported
    elsewhere = [entry for entry in sys.path if Path(entry).resolve() != _ROOT]
    spec = importlib.machinery.PathFinder.find_spec("evaluate", elsewhere)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("No module named 'evaluate': pip install evaluate", name="evaluate")
    module = importlib.util.module_from_spec(spec)
    sys.modules["evaluate"] = module
    spec.loader.exec_module(module)
    return module


evaluate: Any = import_library()


class ClassificationMetric(evaluate.Metric):
    """Weighted F1, recall (which is accuracy), precision, macro-F1, unweighted recall, over the classes that occur."""

    def _info(self) -> Any:
        return _metric_info("Metrics of a classification of clips, as in Sharma 2022, tables 2 to 4.", "string")

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float | None]:
        classes, indices = np.unique([*references, *predictions], return_inverse=True)
        targets, predicted = np.split(indices, 2)
        features = classification_features(targets, predicted, len(classes))
        return single_scores(classification_scores(features.sum(axis=0, keepdims=True)))


class RegressionMetric(evaluate.Metric):
    """MAE, R², Pearson's and Lin's concordance correlation; `None` where constants make one undefined."""

    def _info(self) -> Any:
        return _metric_info("Metrics of a regression over clips.", "float64")

    def _compute(self, predictions: Sequence[float], references: Sequence[float]) -> dict[str, float | None]:
        features = regression_features(np.asarray(references), np.asarray(predictions))
        return single_scores(regression_scores(features.sum(axis=0, keepdims=True)))


def _metric_info(description: str, dtype: str) -> Any:
    features = datasets.Features({name: datasets.Value(dtype) for name in ("predictions", "references")})
    return evaluate.MetricInfo(description=description, citation="", features=features)
