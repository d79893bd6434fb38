"""pYIN (Mauch & Dixon 2014) as `librosa.pyin` defines it, computed faster.

Two thirds of librosa's time go into a dense Viterbi search over all pairs of its 862 states, most of the rest into a
Python loop over frames. Here the search covers the band of transitions that are possible, and in addition the best
predecessor overall, by which a path may leave the band as it may in librosa; the transition matrix is built once.
"""

from __future__ import annotations

from functools import lru_cache

import librosa
import numpy as np
import scipy.stats
from numba import njit

# Defaults of librosa.pyin.
N_THRESHOLDS = 100
BETA_PARAMETERS = (2, 18)
BOLTZMANN_PARAMETER = 2
BINS_PER_SEMITONE = 10
MAX_TRANSITION_RATE = 35.92  # octaves per second
SWITCH_PROB = 0.01
NO_TROUGH_PROB = 0.01


def pyin(
    y: np.ndarray, *, sr: int, fmin: float, fmax: float, frame_length: int, hop_length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fundamental frequency and voicing of each frame.

    Args:
        y: waveform of shape `(samples,)`, float32.
        sr: its sampling rate in Hz.
        fmin, fmax: range of the fundamental frequency in Hz.
        frame_length, hop_length: in samples; frames are centered, the waveform is padded with zeros.

    Returns:
        `f0` in Hz, NaN where a frame is unvoiced, and the voicing flags, both of shape `(frames,)`: the first two
        outputs of `librosa.pyin` with the same arguments.
    """
    frames = librosa.util.frame(np.pad(y, frame_length // 2), frame_length=frame_length, hop_length=hop_length)
    min_period = int(np.floor(sr / fmax))
    max_period = min(int(np.ceil(sr / fmin)), frame_length - 1)
    yin = _normalized_difference(frames, min_period, max_period)
    shifts = _parabolic_shifts(yin)
    probs = _trough_probabilities(np.ascontiguousarray(yin.T), *_priors(yin.shape[0]))  # (frames, periods)

    n_bins = int(np.floor(12 * BINS_PER_SEMITONE * np.log2(fmax / fmin))) + 1
    period, frame = np.nonzero(probs.T)
    f0 = sr / (min_period + period + shifts[period, frame])
    pitch_bin = np.clip(np.round(12 * BINS_PER_SEMITONE * np.log2(f0 / fmin)), 0, n_bins).astype(int)
    voiced = np.zeros((frames.shape[1], n_bins + 1))
    voiced[frame, pitch_bin] = probs[frame, period]
    voiced = voiced[:, :n_bins]  # as in librosa, without what lies above fmax
    unvoiced = (1 - np.clip(voiced.sum(axis=1), 0, 1)) / n_bins

    tiny = np.finfo(np.float64).tiny
    states = _viterbi(np.log(voiced + tiny), np.log(unvoiced + tiny), _log_transition(n_bins, sr, hop_length))
    is_voiced = states < n_bins
    frequencies = fmin * 2 ** (np.arange(n_bins) / (12 * BINS_PER_SEMITONE))
    return np.where(is_voiced, frequencies[states % n_bins], np.nan), is_voiced


def _normalized_difference(frames: np.ndarray, min_period: int, max_period: int) -> np.ndarray:
    """Cumulative mean normalized difference function (de Cheveigné & Kawahara 2002, equation 8).

    Args:
        frames: of shape `(samples, frames)`.
        min_period, max_period: in samples.

    Returns:
        float64 of shape `(periods, frames)`.
    """
    autocorrelation = librosa.autocorrelate(frames, max_size=max_period + 1, axis=0)
    energy = np.cumsum(np.square(frames), axis=0)[:max_period]
    energy[0] = 0  # as in librosa, whose numbers these are; the equation has the square of the first sample
    difference = 2 * (autocorrelation[:1] - autocorrelation[1:]) - energy
    cumulative_mean = np.cumsum(difference, axis=0) / np.arange(1, max_period + 1)[:, None]
    normalized = difference / (cumulative_mean + np.finfo(cumulative_mean.dtype).tiny)
    return np.asarray(normalized[min_period - 1 :])


def _parabolic_shifts(yin: np.ndarray) -> np.ndarray:
    """Offset of the vertex of the parabola through each value and its neighbors, in periods; 0 at both ends.

    It is 0 also where the vertex is more than one period away.

    Args:
        yin: of shape `(periods, frames)`.
    """
    curvature = yin[2:] + yin[:-2] - 2 * yin[1:-1]
    slope = (yin[2:] - yin[:-2]) / 2
    shifts = np.zeros_like(yin)
    np.divide(-slope, curvature, out=shifts[1:-1], where=np.abs(slope) < np.abs(curvature))
    return shifts


@lru_cache
def _priors(max_troughs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thresholds, their prior, and `prior[n, i]` of trough `i` among `n` below a threshold."""
    thresholds = np.linspace(0, 1, N_THRESHOLDS + 1)
    beta = np.diff(scipy.stats.beta.cdf(thresholds, *BETA_PARAMETERS))
    troughs = np.arange(max_troughs + 1)
    boltzmann = np.nan_to_num(scipy.stats.boltzmann.pmf(troughs[None, :], BOLTZMANN_PARAMETER, troughs[:, None]))
    return thresholds[1:], beta, boltzmann


@lru_cache
def _log_transition(n_bins: int, sr: int, hop_length: int) -> np.ndarray:
    """Log transitions by target, `(from voicing, to voicing, step, bin)`: from bin `bin + step - width // 2`."""
    semitones_per_frame = round(MAX_TRANSITION_RATE * 12 * hop_length / sr)
    width = semitones_per_frame * BINS_PER_SEMITONE + 1
    local = librosa.sequence.transition_local(n_bins, width, window="triangle", wrap=False)
    switch = librosa.sequence.transition_loop(2, 1 - SWITCH_PROB)
    bands = np.full((2, 2, width, n_bins), -np.inf)
    for step in range(width):
        to = np.arange(n_bins)
        to = to[(to + step - width // 2 >= 0) & (to + step - width // 2 < n_bins)]
        probability = local[to + step - width // 2, to]
        for a in range(2):
            for b in range(2):
                bands[a, b, step, to] = np.log(switch[a, b] * probability + np.finfo(np.float64).tiny)
    return bands


@njit(cache=True)
def _trough_probabilities(
    yin: np.ndarray, thresholds: np.ndarray, beta: np.ndarray, boltzmann: np.ndarray
) -> np.ndarray:  # pragma: no cover (compiled)
    """Probability of each period, `(frames, periods)`: steps 2 to 5 of pYIN."""
    n_frames, n_periods = yin.shape
    probs = np.zeros((n_frames, n_periods), dtype=yin.dtype)
    troughs = np.empty(n_periods, dtype=np.int64)
    total = np.empty(n_periods)
    for t in range(n_frames):
        row = yin[t]
        n = 0
        for i in range(n_periods):
            first = i == 0 and row[0] < row[1]
            inner = 0 < i < n_periods - 1 and row[i] < row[i - 1] and row[i] <= row[i + 1]
            last = i == n_periods - 1 and row[i] < row[i - 1]
            if first or inner or last:
                troughs[n] = i
                n += 1
        if n == 0:
            continue
        lowest = 0
        for i in range(n):
            total[i] = 0.0
            if row[troughs[i]] < row[troughs[lowest]]:
                lowest = i
        without = 0.0
        for k in range(thresholds.size):
            below = 0
            for i in range(n):
                below += row[troughs[i]] < thresholds[k]
            position = 0
            for i in range(n):
                if row[troughs[i]] < thresholds[k]:
                    total[i] += boltzmann[below, position] * beta[k]
                    position += 1
            if not row[troughs[lowest]] < thresholds[k]:
                without += beta[k]
        total[lowest] += NO_TROUGH_PROB * without
        for i in range(n):
            probs[t, troughs[i]] = total[i]
    return probs


@njit(cache=True)
def _viterbi(
    log_voiced: np.ndarray, log_unvoiced: np.ndarray, bands: np.ndarray
) -> np.ndarray:  # pragma: no cover (compiled)
    """Likeliest states `(frames,)`: pitch bins, and beyond them the unvoiced ones."""
    n_frames, n_bins = log_voiced.shape
    width = bands.shape[2]
    half = width // 2
    log_tiny = np.log(np.finfo(np.float64).tiny)
    value = np.full((2, n_bins + 2 * half), -np.inf)  # padded, so that each step is one straight loop over bins
    pointer = np.empty((n_frames, 2 * n_bins), dtype=np.int32)
    best = np.empty(n_bins)
    source = np.empty(n_bins, dtype=np.int32)
    for t in range(n_frames):
        if t == 0:
            new = np.full((2, n_bins), np.log(1.0 / (2 * n_bins) + np.finfo(np.float64).tiny))
        else:
            new = np.empty((2, n_bins))
            overall, overall_state = -np.inf, 0
            for a in range(2):
                for i in range(n_bins):
                    if value[a, half + i] > overall:
                        overall, overall_state = value[a, half + i], a * n_bins + i
            for b in range(2):
                best[:] = overall + log_tiny
                source[:] = overall_state
                for a in range(2):
                    for step in range(width):
                        band = bands[a, b, step]
                        shifted = value[a, step : step + n_bins]
                        for i in range(n_bins):
                            candidate = shifted[i] + band[i]
                            better = candidate > best[i]
                            best[i] = candidate if better else best[i]
                            source[i] = a * n_bins + i + step - half if better else source[i]
                new[b] = best
                pointer[t, b * n_bins : (b + 1) * n_bins] = source
        value[0, half : half + n_bins] = log_voiced[t] + new[0]
        value[1, half : half + n_bins] = log_unvoiced[t] + new[1]
    states = np.empty(n_frames, dtype=np.int64)
    states[-1] = np.argmax(np.concatenate((value[0, half : half + n_bins], value[1, half : half + n_bins])))
    for t in range(n_frames - 2, -1, -1):
        states[t] = pointer[t + 1, states[t + 1]]
    return states
