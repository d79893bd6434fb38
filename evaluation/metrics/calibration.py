"""Confidence: temperature scaling, expected calibration error, and what is gained by abstaining below a threshold.

A clip whose true label the head does not have is wrong at any confidence. It counts as an error in the calibration
error, the risk and the Brier score, and is left out of the log loss, which would be infinite.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from .bootstrap import Resamples, interval, resampled_sums

_BINS = 15  # Guo et al. 2017
_EDGES = np.linspace(0, 1, _BINS + 1)
_TEMPERATURES = (0.05, 20.0)
_THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The number to divide logits by that makes their softmax a calibrated probability (Guo et al. 2017).

    Args:
        logits: `(clips, labels)`.
        targets: index of the true label, `(clips,)`; below 0 where it is missing or the head does not have it: such
            clips are left out. Of soft labels their shares, `(clips, labels)`, NaN where they are missing: then it is
            the distribution of the votes that is calibrated, not the accuracy.

    Returns:
        The temperature of the least log loss, between 0.05 and 20. 1 where no other is better, and where it
        cannot be fitted: without a clip, and where the head is right on all of them, so that the loss only falls
        with the temperature.
    """
    known = targets >= 0 if targets.ndim == 1 else ~np.isnan(targets).any(axis=1)
    logits, targets = logits[known].astype(float), targets[known]
    shares = np.eye(logits.shape[1])[targets] if targets.ndim == 1 else targets
    if (shares[np.arange(len(logits)), logits.argmax(axis=1)] == 1).all():
        return 1.0

    def loss(log_temperature: float) -> float:
        return -(shares * log_softmax(logits / np.exp(log_temperature), axis=1)).sum(axis=1).mean()

    best = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x)) if best.fun < loss(0.0) else 1.0


def at_bound(temperature: float) -> bool:
    """Whether [`fit_temperature`] reached its limit, where the true optimum is unknown."""
    return bool(np.isclose(temperature, _TEMPERATURES, rtol=1e-3).any())


def calibration_metrics(probabilities: np.ndarray, targets: np.ndarray) -> dict[str, float | None]:
    """Expected calibration error over 15 bins of equal width, log loss and Brier score.

    Args:
        probabilities: `(clips, labels)`.
        targets: index of the true label, `(clips,)`; below 0 where the head does not have it.

    Returns:
        `ece`, `log_loss` (`None` if the head has no clip's label) and `brier`, the squared distance from the true
        label summed over labels, 0 to 2.
    """
    confidence, right = _confidence(probabilities, targets)
    known = np.flatnonzero(targets >= 0)
    given = probabilities[known, targets[known]]
    # (p - 1)² - p² = 1 - 2p; a label that the head lacks has p = 0.
    brier = (probabilities**2).sum() + targets.size - 2 * given.sum()
    return {
        "ece": float(_ece(_gaps(confidence, right).sum(axis=0, keepdims=True))[0]),
        "log_loss": float(-np.log(np.maximum(given, np.finfo(float).tiny)).mean()) if known.size else None,
        "brier": float(brier / targets.size),
    }


def reliability_bins(probabilities: np.ndarray, targets: np.ndarray) -> list[dict[str, float | int]]:
    """Mean confidence and accuracy of the clips in each bin of confidence that has any; arguments as above."""
    confidence, right = _confidence(probabilities, targets)
    index = _bin(confidence)
    return [
        {
            "low": float(_EDGES[i]),
            "high": float(_EDGES[i + 1]),
            "confidence": float(confidence[index == i].mean()),
            "accuracy": float(right[index == i].mean()),
            "clips": int((index == i).sum()),
        }
        for i in range(_BINS)
        if (index == i).any()
    ]


def risk_coverage(probabilities: np.ndarray, targets: np.ndarray) -> list[dict[str, float | int | None]]:
    """Coverage and accuracy where predictions below a confidence are withheld; arguments as above.

    The accuracy is `None` where no clip is left.
    """
    confidence, right = _confidence(probabilities, targets)
    rows = []
    for threshold in _THRESHOLDS:
        kept = confidence >= threshold
        accuracy = float(right[kept].mean()) if kept.any() else None
        row = {"threshold": threshold, "coverage": float(kept.mean()), "accuracy": accuracy, "clips": int(kept.sum())}
        rows.append(row)
    return rows


def area_under_risk_coverage(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Mean, over all coverages, of the share of errors among the most confident clips; arguments as above.

    Clips of equal confidence share their errors, so that their order does not matter.
    """
    confidence, right = _confidence(probabilities, targets)
    _, level, clips = np.unique(-confidence, return_inverse=True, return_counts=True)
    errors = (np.bincount(level, ~right) / clips)[np.sort(level)]
    return float((np.cumsum(errors) / np.arange(1, errors.size + 1)).mean())


def calibration_report(
    logits: np.ndarray, targets: np.ndarray, temperature: float, resamples: Resamples, ci_reason: str | None = None
) -> dict:
    """How reliable the confidence of a head is.

    Args:
        logits: of the labeled clips, `(clips, labels)`, as the calibrated head outputs them.
        targets: index of the true label, `(clips,)`; below 0 where the head does not have it.
        temperature: the number that the logits were divided by.
        resamples: of the clips.
        ci_reason: why intervals cannot be computed, `None` where they can.

    Returns:
        `temperature`, and whether it is `at_bound` of what can be fitted; `before` and `after` the division: `ece` with
        its interval `ece_ci` (`None`, and a `ci_reason`, of too few clips or speakers), `log_loss`, `brier`; and
        after it `bins`, `risk_coverage` and `aurc`, the area under the curve of risk over coverage. Chance adds to a
        calibration error, so that of resamples is rather above that of the clips; where there are few clips, the
        interval may lie above the estimate.
    """
    logits = logits.astype(float)
    probabilities = {"before": softmax(logits * temperature, axis=1), "after": softmax(logits, axis=1)}
    gaps = np.hstack([_gaps(*_confidence(values, targets)) for values in probabilities.values()])
    sums = resampled_sums(gaps, {"all": np.ones(targets.size, dtype=bool)}, resamples)["all"]
    report: dict = {"temperature": temperature, "at_bound": at_bound(temperature)}
    for (when, values), resampled in zip(probabilities.items(), np.split(sums, 2, axis=1), strict=True):
        ci = {"ece_ci": None, "ci_reason": ci_reason} if ci_reason else {"ece_ci": interval(_ece(resampled))}
        report[when] = {**calibration_metrics(values, targets), **ci}
    after = probabilities["after"]
    return {
        **report,
        "bins": reliability_bins(after, targets),
        "risk_coverage": risk_coverage(after, targets),
        "aurc": area_under_risk_coverage(after, targets),
    }


def _confidence(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probability of the predicted label, and whether it is right, both `(clips,)`."""
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == targets


def _bin(confidence: np.ndarray) -> np.ndarray:
    return np.digitize(confidence, _EDGES[1:-1], right=True)


def _gaps(confidence: np.ndarray, right: np.ndarray) -> np.ndarray:
    """`(clips, bins + 1)`: confidence less hit in the clip's bin, and 1. Of their sums [`_ece`] is made."""
    features = np.zeros((confidence.size, _BINS + 1))
    features[np.arange(confidence.size), _bin(confidence)] = confidence - right
    features[:, -1] = 1
    return features


def _ece(sums: np.ndarray) -> np.ndarray:
    return np.abs(sums[:, :-1]).sum(axis=1) / sums[:, -1]
