"""Two tracks of one film -> where each moment of the first is in the second.

The tracks share neither voices nor language. They share the times of speech and, if there are any, music and noise.
Three things are compared: speech as on and off, where lines start, and the level of the whole sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import scipy.fft
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from scipy.optimize import brute

from .speech_activity import FRAME_S, SpeechActivity

# PAL's speed-up is 4.2 %, either way.
MAX_DRIFT = 0.05
# Simulated pairs of one and two minutes: two films reach at most 0.54, the same film at least 0.65.
MIN_CONFIDENCE = 0.6
_COARSE = 8  # frames that the search over all offsets and drifts averages, a quarter of a second
_TREND_S = 10.0  # slower changes, such as of scenes with and without speech, do not help to align
_FAR_S = 10.0
_SHORTEST_S = 30.0  # in less there are not enough lines, and few places far enough away to compare with
_SMOOTHING = 2.0  # frames
# A dubbed line starts with the lips, but may be longer than the original: without the starts, a dub whose lines are a
# fifth longer would be misplaced by 0.15 s. Smoothed, because lines do not all start at exactly the same moment.
_START_SMOOTHING = 0.1 / FRAME_S
_REACH_S = 0.4  # by which the search may be wrong at the start and at the end

Seconds = TypeVar("Seconds", float, np.ndarray)


@dataclass(frozen=True)
class Alignment:
    """Where each moment of the source is in the dub.

    Args:
        offset_s: where the source's beginning is in the dub.
        drift: by which share of itself the dub is longer: 0.001 for a second in 1000.
        correlation: of the two tracks so placed, at most 1.
        confidence: from 0 to 1, by which share of itself the correlation is above the best one more than ten seconds
            away. Unrelated tracks agree about equally well in many places.
    """

    offset_s: float
    drift: float
    correlation: float
    confidence: float

    def to_dub(self, source_s: Seconds) -> Seconds:
        """Seconds in the source -> seconds in the dub."""
        return self.offset_s + (1 + self.drift) * source_s

    def to_source(self, dub_s: Seconds) -> Seconds:
        """Seconds in the dub -> seconds in the source."""
        return (dub_s - self.offset_s) / (1 + self.drift)


def align(source: SpeechActivity, dub: SpeechActivity) -> Alignment:
    """Finds the offset and the drift by which two tracks agree best.

    Every drift up to `MAX_DRIFT` is tried with every offset at once, by correlation in the frequency domain, and the
    best pair is refined. Nothing is assumed about either; two hours take some seconds.

    Raises:
        ValueError: the tracks do not match, or one is shorter than half a minute.
    """
    if min(source.level_db.size, dub.level_db.size) * FRAME_S < _SHORTEST_S:
        raise ValueError(f"Both tracks must be at least {_SHORTEST_S:.0f} s long to be aligned.")
    offset, drift, correlation, elsewhere = _search(_features(source, _COARSE), _features(dub, _COARSE))
    confidence = max(0.0, 1 - elsewhere / correlation) if correlation > 0 else 0.0
    if confidence < MIN_CONFIDENCE:
        raise ValueError(
            f"The two tracks do not match: at best they correlate by {correlation:.2f}, and by {elsewhere:.2f} at a "
            f"place more than {_FAR_S:.0f} s away. Expected two tracks of one film, with the same cut, any offset and "
            f"a drift up to {MAX_DRIFT:.0%}."
        )
    offset, drift = _refine(_features(source), _features(dub), offset, drift)
    return Alignment(offset, drift, correlation, confidence)


def _features(activity: SpeechActivity, frames: int = 1) -> np.ndarray:
    """Speech, starts and level of every `frames` frames without their trends, at unit power, `(3, frames)`."""
    speech = activity.speech
    starts = gaussian_filter1d(np.maximum(np.diff(speech, prepend=0), 0), _START_SMOOTHING)
    features = np.stack([speech, starts, activity.level_db])
    features = features[:, : features.shape[1] // frames * frames].reshape(3, -1, frames).mean(axis=2)
    if frames == 1:
        features = gaussian_filter1d(features, _SMOOTHING)
    features -= uniform_filter1d(features, round(_TREND_S / FRAME_S / frames))
    features /= np.sqrt((features**2).mean(axis=1, keepdims=True) + 1e-12)
    return features.astype(np.float32)


def _search(source: np.ndarray, dub: np.ndarray) -> tuple[float, float, float, float]:
    """Offset in seconds, drift, their correlation, and the best of offsets that are far from it."""
    frame_s = FRAME_S * _COARSE
    count = source.shape[1]
    step = 2 / count  # moves either end by a frame against the middle
    steps = int(MAX_DRIFT / step) + 1
    size = scipy.fft.next_fast_len(int(count * (1 + (steps + 1) * step)) + dub.shape[1], real=True)
    spectrum = scipy.fft.rfft(dub, size)
    best, best_drift = np.zeros(size), 0.0
    for drift in np.arange(-steps, steps + 1) * step:
        positions = np.arange(int(count * (1 + drift))) / (1 + drift)
        stretched = np.array([np.interp(positions, np.arange(count), feature) for feature in source], np.float32)
        product = (spectrum * scipy.fft.rfft(stretched, size).conj()).sum(axis=0)
        correlations = scipy.fft.irfft(product, size) / (len(source) * np.sqrt(count * dub.shape[1]))
        if correlations.max() > best.max():
            best, best_drift = correlations, drift
    offsets = np.where(np.arange(size) < dub.shape[1], np.arange(size), np.arange(size) - size) * frame_s
    offset = offsets[best.argmax()]
    return float(offset), float(best_drift), float(best.max()), float(best[abs(offsets - offset) > _FAR_S].max())


def _refine(source: np.ndarray, dub: np.ndarray, offset: float, drift: float) -> tuple[float, float]:
    """The best offset in seconds and drift near the given ones, to a fraction of a frame."""
    seconds = np.arange(source.shape[1]) * FRAME_S
    share = seconds / seconds[-1]

    def disagreement(shifts: np.ndarray) -> float:
        """With the source's start and end moved by so many seconds."""
        positions = (offset + (1 + drift) * seconds + shifts[0] * (1 - share) + shifts[1] * share) / FRAME_S
        there = [np.interp(positions, np.arange(dub.shape[1]), feature, 0, 0) for feature in dub]
        return -float(np.vdot(source, there))

    start, end = brute(disagreement, [(-_REACH_S, _REACH_S)] * 2, Ns=9)
    return float(offset + start), float(drift + (end - start) / seconds[-1])
