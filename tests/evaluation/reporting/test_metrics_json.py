import importlib.metadata
import json

import pytest

from evaluation.reporting.metrics_json import main_scores
from tests.evaluation.reporting.conftest import EMOTION, GENDER, PITCH, PROTOCOL


def test_a_report_records_what_was_measured_on_what_with_what(report, metrics):
    assert (report["checkpoint"], report["split"], report["main_task"]) == ("demo", "test", "emotion")
    assert report["protocol"] == PROTOCOL
    assert report["versions"]["torch"] == importlib.metadata.version("torch")
    assert {"transformers", "datasets", "evaluate", "accelerate", "scikit-learn"} <= report["versions"].keys()
    assert report["seed"] == 3
    assert report["tasks"] == metrics


def test_a_report_is_json(report):
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_scores_for_the_log_are_the_means_over_corpora(metrics):
    scores = main_scores([EMOTION, PITCH, GENDER], metrics)
    assert scores["emotion_weighted_f1"] == metrics["emotion"]["mean_over_corpora"]["weighted_f1"]
    assert scores["f0_mean_mae"] == pytest.approx(100 / 3, rel=1e-5)
    assert all(isinstance(value, float) for value in scores.values())
    assert "f0_mean_pearson" not in scores  # undefined, because the predictions are constant
    assert not [name for name in scores if name.startswith("gender") or "clips" in name or name.endswith("_ci")]
