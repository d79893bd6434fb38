import numpy as np
import pytest
from sklearn.metrics import f1_score

from evaluation.hf_evaluate import ClassificationMetric, RegressionMetric


@pytest.fixture
def metric(tmp_path):
    return lambda kind: kind(cache_dir=str(tmp_path), keep_in_memory=True)


def test_classes_that_do_not_occur_have_no_part_in_a_mean(metric):
    truth, predicted = ["sad", "sad", "happy", "happy"], ["sad", "angry", "happy", "sad"]
    found = metric(ClassificationMetric).compute(references=truth, predictions=predicted)
    assert found["weighted_recall"] == found["unweighted_recall"] == 0.5
    labels = ["happy", "sad"]
    for name, average in (("weighted_f1", "weighted"), ("macro_f1", "macro")):
        assert found[name] == pytest.approx(f1_score(truth, predicted, labels=labels, average=average))


def test_metrics_of_constants_are_undefined(metric):
    found = metric(RegressionMetric).compute(references=[1.0, 1.0], predictions=[1.0, 2.0])
    assert found == {"mae": 0.5, "r2": None, "pearson": None, "ccc": None}
    found = metric(RegressionMetric).compute(references=[1.0, 3.0], predictions=[2.0, 2.0])
    assert found == {"mae": 1.0, "r2": 0.0, "pearson": None, "ccc": 0.0}


def test_a_concordance_falls_with_an_offset_and_a_correlation_does_not(metric):
    truth = np.array([1.0, 2.0, 4.0])
    found = metric(RegressionMetric).compute(references=truth, predictions=truth + 1)
    assert found["pearson"] == pytest.approx(1)
    assert found["ccc"] == pytest.approx(2 * truth.var() / (2 * truth.var() + 1))
