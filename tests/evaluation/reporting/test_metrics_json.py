import pytest

from evaluation.reporting.metrics_json import Evaluation, main_scores
from tests.evaluation.reporting.conftest import EMOTION, GENDER, PITCH


def test_the_main_task_is_that_of_the_report(report, metrics):
    assert Evaluation(report, {}, frozenset()).main == metrics["emotion"]
    assert Evaluation({**report, "main_task": "f0_mean"}, {}, frozenset()).main == metrics["f0_mean"]


def test_scores_for_the_log_are_the_means_over_corpora(metrics):
    scores = main_scores([EMOTION, PITCH, GENDER], metrics)
    assert scores["emotion_weighted_f1"] == metrics["emotion"]["mean_over_corpora"]["weighted_f1"]
    assert scores["f0_mean_mae"] == pytest.approx(100 / 3, rel=1e-5)
    assert all(isinstance(value, float) for value in scores.values())
    assert "f0_mean_pearson" not in scores  # undefined, because the predictions are constant
    assert not [name for name in scores if name.startswith("gender") or "clips" in name or name.endswith("_ci")]
