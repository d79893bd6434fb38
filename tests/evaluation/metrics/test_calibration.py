import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import brier_score_loss, log_loss

from evaluation.metrics.bootstrap import resample
from evaluation.metrics.calibration import (
    area_under_risk_coverage,
    at_bound,
    calibration_metrics,
    calibration_report,
    fit_temperature,
    reliability_bins,
    risk_coverage,
)


def calibrated(clips, labels=5, seed=0):
    """Logits whose softmax is the probability by which the targets are sampled."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=2.0, size=(clips, labels))
    targets = (random.random((clips, 1)) > softmax(logits, axis=1).cumsum(axis=1)).sum(axis=1)
    return logits, np.minimum(targets, labels - 1)


def confident(*pairs):
    """Probabilities of three labels and targets, from confidences in the first and whether they are right."""
    probabilities = np.array([[p, (1 - p) / 2, (1 - p) / 2] for p, _ in pairs])
    return probabilities, np.array([0 if right else 1 for _, right in pairs])


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_temperature_by_which_logits_were_scaled_is_found(scale):
    logits, targets = calibrated(20_000)
    assert fit_temperature(logits * scale, targets) == pytest.approx(scale, rel=0.03)


def test_calibration_lowers_the_loss_and_the_error_of_the_clips_that_it_was_fitted_on():
    logits, targets = calibrated(500)
    temperature = fit_temperature(logits * 3, targets)
    before, after = (calibration_metrics(softmax(logits * 3 / t, axis=1), targets) for t in (1, temperature))
    assert after["log_loss"] < before["log_loss"] - 0.1
    assert after["ece"] < before["ece"] / 2
    assert after["brier"] < before["brier"]
    for other in (temperature * 0.9, temperature * 1.1):
        assert log_loss(targets, softmax(logits * 3 / other, axis=1)) > after["log_loss"]


@pytest.mark.parametrize("seed", range(20))
def test_it_is_never_worse_than_no_calibration(seed):
    random = np.random.default_rng(seed)
    logits, targets = random.normal(size=(6, 3)) * 10 ** random.uniform(-2, 2), random.integers(3, size=6)
    temperature = fit_temperature(logits, targets)
    losses = [calibration_metrics(softmax(logits / t, axis=1), targets)["log_loss"] for t in (1, temperature)]
    assert losses[1] <= losses[0]


def test_clips_without_a_known_label_do_not_change_the_temperature():
    logits, targets = calibrated(300)
    more = np.concatenate([logits * 2, np.full((50, 5), 9.0)]), np.concatenate([targets, np.full(50, -100)])
    assert fit_temperature(*more) == fit_temperature(logits * 2, targets) != 1
    assert fit_temperature(logits, np.full(300, -100)) == 1.0


def test_soft_labels_of_one_vote_each_are_calibrated_as_the_labels_and_others_to_their_shares():
    logits, targets = calibrated(300)
    shares = np.eye(5)[targets]
    shares[:20] = np.nan
    assert fit_temperature(logits * 2, shares) == pytest.approx(
        fit_temperature(logits[20:] * 2, targets[20:]), rel=1e-6
    )
    assert fit_temperature(logits * 2, softmax(logits, axis=1)) == pytest.approx(2, rel=1e-3)


def test_a_head_that_is_always_right_is_left_as_it_is():
    logits, _ = calibrated(100)
    assert fit_temperature(logits, logits.argmax(axis=1)) == 1.0


@pytest.mark.parametrize(("scale", "sign"), [(1e3, 1.0), (1e-3, 1.0), (1.0, -1.0)])
def test_a_temperature_at_its_limit_is_reported(scale, sign):
    logits, targets = calibrated(300)
    assert at_bound(fit_temperature(sign * scale * logits, targets))
    report = calibration_report(
        logits, targets, fit_temperature(scale * logits, targets), resample(*np.full((2, 300), "a"))
    )
    assert report["at_bound"] == (scale != 1)
    assert not at_bound(fit_temperature(3 * logits, targets))
    assert not at_bound(1.0)


@pytest.mark.parametrize("reason", ["fewer than 3 speakers (2)", None])
def test_a_calibration_error_without_an_interval_has_its_reason(reason):
    logits, targets = calibrated(40)
    resamples = resample(*np.full((2, 40), "a"))
    after = calibration_report(logits, targets, 1.0, resamples, reason)["after"]
    assert (after["ece_ci"] is None, after.get("ci_reason")) == (reason is not None, reason)


def test_calibration_error_by_hand():
    # Bins of 1/15: 0.61, 0.65 in (0.6, 0.667], 0.9 in (0.867, 0.933], 1 in the last.
    probabilities, targets = confident((0.61, True), (0.65, False), (0.9, True), (0.9, True), (1.0, False))
    metrics = calibration_metrics(probabilities, targets)
    gaps = [abs(1 - 1.26) / 5, abs(2 - 1.8) / 5, abs(0 - 1.0) / 5]
    assert metrics["ece"] == pytest.approx(sum(gaps))
    assert [(round(row["low"], 3), row["clips"]) for row in reliability_bins(probabilities, targets)] == [
        (0.6, 2),
        (0.867, 2),
        (0.933, 1),
    ]
    first = reliability_bins(probabilities, targets)[0]
    assert first == pytest.approx({"low": 0.6, "high": 2 / 3, "confidence": 0.63, "accuracy": 0.5, "clips": 2})


def test_log_loss_and_brier_score_are_scikit_learns():
    logits, targets = calibrated(200)
    probabilities = softmax(logits, axis=1)
    metrics = calibration_metrics(probabilities, targets)
    assert metrics["log_loss"] == pytest.approx(log_loss(targets, probabilities, labels=range(5)))
    brier = brier_score_loss(targets, probabilities, labels=range(5), scale_by_half=False)
    assert metrics["brier"] == pytest.approx(brier)


def test_a_label_that_the_head_does_not_have_is_an_error_and_has_no_log_loss():
    probabilities, targets = confident((0.8, True), (0.5, True))
    known = calibration_metrics(probabilities, targets)
    more = np.concatenate([probabilities, [[1.0, 0.0, 0.0]]]), np.append(targets, -100)
    metrics = calibration_metrics(*more)
    assert metrics["log_loss"] == known["log_loss"] == pytest.approx(-(np.log(0.8) + np.log(0.5)) / 2)
    assert metrics["brier"] == pytest.approx((2 * known["brier"] + 2) / 3)
    assert metrics["ece"] == pytest.approx((0.2 + 0.5 + 1.0) / 3)
    assert risk_coverage(*more)[0]["accuracy"] == pytest.approx(2 / 3)
    assert calibration_metrics(probabilities, np.array([-100, -100]))["log_loss"] is None


def test_risk_and_coverage_by_hand():
    probabilities, targets = confident((0.95, True), (0.8, True), (0.6, False), (0.4, True))
    rows = {row["threshold"]: row for row in risk_coverage(probabilities, targets)}
    assert list(rows) == [0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]
    assert rows[0] == {"threshold": 0, "coverage": 1.0, "accuracy": 0.75, "clips": 4}
    assert rows[0.5] == {"threshold": 0.5, "coverage": 0.75, "accuracy": pytest.approx(2 / 3), "clips": 3}
    assert rows[0.95] == {"threshold": 0.95, "coverage": 0.25, "accuracy": 1.0, "clips": 1}
    assert area_under_risk_coverage(probabilities, targets) == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4)
    unsure = risk_coverage(*confident((0.4, True)))[-1]
    assert unsure == {"threshold": 0.95, "coverage": 0.0, "accuracy": None, "clips": 0}


def test_the_order_of_equal_confidences_does_not_matter():
    probabilities = np.full((4, 2), [0.7, 0.3])
    areas = [area_under_risk_coverage(probabilities, np.array(t)) for t in ([0, 0, 0, 1], [1, 0, 0, 0])]
    assert areas == pytest.approx([0.25, 0.25])


def test_a_report_is_of_the_logits_before_and_after_the_division():
    logits, targets = calibrated(400)
    corpus, speaker = np.array(["alpha", "beta"] * 200, dtype=object), np.array(["a", "b", "c", None] * 100)
    resamples = resample(corpus, speaker)
    report = calibration_report(logits, targets, 3.0, resamples)
    assert report.keys() == {"temperature", "at_bound", "before", "after", "bins", "risk_coverage", "aurc"}
    for when, scale in (("before", 3), ("after", 1)):
        low, high = report[when].pop("ece_ci")
        assert 0 <= low < high <= 1
        assert report[when] == calibration_metrics(softmax(scale * logits, axis=1), targets)
    assert report["before"]["ece"] > report["after"]["ece"]
    assert report["bins"] == reliability_bins(softmax(logits, axis=1), targets)
    assert sum(row["clips"] for row in report["bins"]) == 400
    same = calibration_report(logits, targets, 1.0, resamples)
    assert same["before"] == same["after"]
