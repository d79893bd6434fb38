import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score, mean_absolute_error, precision_score, r2_score, recall_score

from evaluation.metrics.bootstrap import resample
from evaluation.metrics.scores import (
    CLASSIFICATION_METRICS,
    REGRESSION_METRICS,
    classification_features,
    classification_scores,
    regression_features,
    regression_scores,
    single_scores,
)


def weights_of(clips, num_resamples=40):
    """How often each clip is in each of some resamples of speakers."""
    speaker = np.array([f"s{i % 5}" for i in range(clips)], dtype=object)
    (resampled,) = resample(np.array(["alpha"] * clips, dtype=object), speaker, num_resamples=num_resamples).values()
    members, weights = resampled
    return weights[:, np.argsort(members)].astype(float)


def features_of(truth, predicted):
    """Features of clips by the names of their classes."""
    classes, indices = np.unique([*truth, *predicted], return_inverse=True)
    return classification_features(*np.split(indices, 2), len(classes))


@pytest.mark.slow
def test_classification_is_scikit_learns_with_sample_weights():
    random = np.random.default_rng(0)
    truth = random.choice(["angry", "happy", "rare", "sad"], 40, p=[0.5, 0.3, 0.03, 0.17]).astype(object)
    # `calm` is predicted and never true; `happy` is never predicted.
    predicted = np.where(random.random(40) < 0.5, truth, random.choice(["angry", "calm", "sad"], 40)).astype(object)
    predicted[predicted == "happy"] = "sad"
    weights = weights_of(40)
    values = classification_scores(weights @ features_of(truth, predicted))
    assert tuple(values) == CLASSIFICATION_METRICS
    absent = 0
    for index, weight in enumerate(weights):
        labels = sorted(set(truth[weight > 0]))  # the classes that occur in the resample
        absent += len(labels) < len(set(truth))
        shared = {"labels": labels, "sample_weight": weight, "zero_division": 0}
        expected = {
            "weighted_f1": f1_score(truth, predicted, average="weighted", **shared),
            "weighted_recall": recall_score(truth, predicted, average="weighted", **shared),
            "weighted_precision": precision_score(truth, predicted, average="weighted", **shared),
            "macro_f1": f1_score(truth, predicted, average="macro", **shared),
            "unweighted_recall": recall_score(truth, predicted, average="macro", **shared),
        }
        assert {name: resampled[index] for name, resampled in values.items()} == pytest.approx(expected, abs=1e-12)
    assert 0 < absent < 40


def test_classification_by_hand():
    truth = np.array(["angry", "angry", "angry", "happy", "happy", "sad"], dtype=object)
    predicted = np.array(["angry", "angry", "happy", "happy", "sad", "sad"], dtype=object)
    once, without_sad = classification_scores(
        np.array([[1.0] * 6, [1, 1, 1, 2, 0, 0]]) @ features_of(truth, predicted)
    )["weighted_f1"]
    assert once == pytest.approx((3 * 0.8 + 2 * 0.5 + 1 * 2 / 3) / 6)
    # angry 2·2/(3 + 2), happy 2·2/(2 + 3)
    assert without_sad == pytest.approx((3 * 0.8 + 2 * 0.8) / 5)


def test_regression_is_that_of_the_resampled_clips():
    random = np.random.default_rng(0)
    truth = random.normal(200, 40, 40)
    predicted = 0.5 * truth + random.normal(110, 20, 40)
    weights = weights_of(40)
    values = regression_scores(weights @ regression_features(truth, predicted))
    assert tuple(values) == REGRESSION_METRICS
    for index, weight in enumerate(weights):
        t, p = (np.repeat(side, weight.astype(int)) for side in (truth, predicted))
        rho = stats.pearsonr(t, p).statistic
        expected = {
            "mae": mean_absolute_error(truth, predicted, sample_weight=weight),
            "r2": r2_score(truth, predicted, sample_weight=weight),
            "pearson": rho,
            "ccc": 2 * rho * t.std() * p.std() / (t.var() + p.var() + (t.mean() - p.mean()) ** 2),
        }
        assert {name: resampled[index] for name, resampled in values.items()} == pytest.approx(expected, rel=1e-9)


def test_a_resample_of_one_clip_over_and_over_has_no_correlations():
    features = regression_features(np.array([1e4, 1e4 + 1, 1e4 + 2]), np.array([1e4 + 0.5, 1e4 + 1.5, 1e4 + 1.5]))
    values = regression_scores(np.array([[3.0, 0, 0], [0, 2, 1], [1, 1, 1]]) @ features)
    assert values["mae"] == pytest.approx([0.5, 0.5, 0.5])
    assert np.isnan(values["r2"]).tolist() == np.isnan(values["ccc"]).tolist() == [True, False, False]
    assert np.isnan(values["pearson"]).tolist() == [True, True, False]  # the predictions of the second are constant


def test_without_clips_scores_are_nan():
    assert np.isnan(list(classification_scores(np.zeros((1, 6))).values())).all()
    assert np.isnan(list(regression_scores(np.zeros((1, 7))).values())).all()


def test_weights_of_one_give_the_metrics_of_the_clips_and_none_where_they_are_undefined():
    features = regression_features(np.array([1.0, 3.0]), np.array([2.0, 2.0]))
    found = single_scores(regression_scores(features.sum(axis=0, keepdims=True)))
    assert found == {"mae": 1.0, "r2": 0.0, "pearson": None, "ccc": 0.0}
