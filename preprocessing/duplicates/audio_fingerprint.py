"""Fingerprints of audio, by which the same sound is found at another sampling rate, level or offset, or codec.

Each clip gets a fingerprint of a few numbers; clips whose fingerprints are close are candidates; candidates are
compared as waveforms. A search tree finds the candidates, so that time grows with n log n: it does not compare all
clips with all others.
"""

from __future__ import annotations

from itertools import combinations, pairwise

import librosa
import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from modeling import SAMPLING_RATE

MAX_DURATION_S = 60.0  # what is compared of a clip; bounds the memory that one clip takes
NUM_NEIGHBORS = 5  # candidates per clip and split; bounds the work where thousands are alike, such as pure tones

_FRAME_LENGTH = 512
_HOP_LENGTH = 160
# The band that every copy keeps, telephone quality (8 kHz) included; hum and offsets lie below it.
_LOWEST_HZ, _HIGHEST_HZ = 100.0, 3400.0
_BANDS = 6
_MODULATIONS_HZ = np.array([0.5, 1.0, 2.0, 4.0, 6.0])  # the pace of phrases, words and syllables
FINGERPRINT_SIZE = _BANDS * (1 + _MODULATIONS_HZ.size)


def fingerprint(waveform: np.ndarray) -> np.ndarray:
    """How a clip's energy is spread over frequency bands, and how it moves in each.

    Per band: the root of its share of the energy, and the magnitude of its energy envelope's spectrum at a few
    modulation frequencies, in proportion to that root, so that noise in a weak band counts little. Magnitudes and
    shares depend neither on the level nor on where in the file the sound starts, and silence around it adds nothing.

    Args:
        waveform: of shape `(samples,)`, 16 kHz.

    Returns:
        float32 of shape `(FINGERPRINT_SIZE,)`, between 0 and 1; NaN where the band from 100 to 3400 Hz holds no energy.
    """
    analyzed = np.asarray(waveform[: round(MAX_DURATION_S * SAMPLING_RATE)], dtype=np.float32)
    analyzed = np.pad(analyzed, (0, max(0, _FRAME_LENGTH - analyzed.size)))
    power = np.abs(librosa.stft(analyzed, n_fft=_FRAME_LENGTH, hop_length=_HOP_LENGTH, pad_mode="constant")) ** 2
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1)
    bins = np.searchsorted(librosa.fft_frequencies(sr=SAMPLING_RATE, n_fft=_FRAME_LENGTH), edges)
    envelopes = np.stack([power[low:high].sum(axis=0) for low, high in pairwise(bins)])
    energies = envelopes.sum(axis=1)  # (bands,)
    total = energies.sum()
    if total == 0:
        return np.full(FINGERPRINT_SIZE, np.nan, dtype=np.float32)
    seconds = np.arange(envelopes.shape[1]) * (_HOP_LENGTH / SAMPLING_RATE)
    waves = np.exp(-2j * np.pi * np.outer(seconds, _MODULATIONS_HZ))  # (frames, modulations)
    root = np.sqrt(energies / total)
    movement = np.abs(envelopes @ waves) / np.maximum(energies, np.finfo(np.float32).tiny)[:, None]
    return np.concatenate([root, (root[:, None] * movement).ravel()]).astype(np.float32)


def candidate_pairs(fingerprints: np.ndarray, groups: np.ndarray, radius: float) -> np.ndarray:
    """Rows of different groups whose fingerprints are close.

    Args:
        fingerprints: of shape `(clips, FINGERPRINT_SIZE)`; a row with NaN is close to no other.
        groups: of shape `(clips,)`: the split of each clip. Rows of one group are not compared.
        radius: greatest Euclidean distance.

    Returns:
        int64 of shape `(pairs, 2)`, sorted, the smaller row first: each row with its `NUM_NEIGHBORS` nearest in every
        other group.
    """
    usable = np.isfinite(fingerprints).all(axis=1)
    pairs = set()
    for first, second in combinations(np.unique(groups), 2):
        sides = [np.flatnonzero(usable & (groups == group)) for group in (first, second)]
        if not all(side.size for side in sides):
            continue
        for queries, points in (sides, sides[::-1]):
            pairs |= _near(fingerprints, queries, points, radius, NUM_NEIGHBORS)
    return _sorted(pairs)


def candidate_pairs_among(fingerprints: np.ndarray, radius: float) -> np.ndarray:
    """As [`candidate_pairs`], but within one group: each row with its `NUM_NEIGHBORS` nearest others."""
    rows = np.flatnonzero(np.isfinite(fingerprints).all(axis=1))
    pairs = _near(fingerprints, rows, rows, radius, NUM_NEIGHBORS + 1) if rows.size else set()  # a row is near itself
    return _sorted({(first, second) for first, second in pairs if first != second})


def number_sounds(pairs: np.ndarray, count: int) -> np.ndarray:
    """Numbers the sounds of clips.

    Args:
        pairs: clips that are the same sound, of shape `(pairs, 2)`.
        count: number of clips.

    Returns:
        int32 of shape `(count,)`, the same number for clips that pairs connect.
    """
    first, second = pairs.T
    links = coo_array((np.ones(first.size), (first, second)), shape=(count, count))
    numbers: np.ndarray = connected_components(links, directed=False)[1]
    return numbers


def _near(
    fingerprints: np.ndarray, queries: np.ndarray, points: np.ndarray, radius: float, neighbors: int
) -> set[tuple[int, int]]:
    distances, nearest = cKDTree(fingerprints[points]).query(
        fingerprints[queries], k=neighbors, distance_upper_bound=radius
    )
    found, rank = np.nonzero(np.isfinite(distances))
    duplicates = points[nearest[found, rank]]
    return {(min(pair), max(pair)) for pair in zip(queries[found].tolist(), duplicates.tolist(), strict=True)}


def _sorted(pairs: set[tuple[int, int]]) -> np.ndarray:
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def similarity(first: np.ndarray, second: np.ndarray) -> float:
    """The greatest normalized cross-correlation of two clips over all offsets, between 100 and 3400 Hz.

    Another level or a turned polarity makes no difference, and silence around the sound none either. `1 -
    similarity**2` is the share of the energy in which the clips differ.

    Args:
        first, second: waveforms of shape `(samples,)`, 16 kHz.

    Returns:
        From 0 to 1; 0 where one of them has no energy in the band.
    """
    size = next_fast_len(first.size + second.size - 1, real=True)
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLING_RATE)
    outside = (frequencies < _LOWEST_HZ) | (frequencies > _HIGHEST_HZ)
    spectra = [rfft(waveform, size) for waveform in (first, second)]
    for spectrum in spectra:
        spectrum[outside] = 0
    energy = np.prod([np.linalg.norm(spectrum) for spectrum in spectra])
    if energy == 0:
        return 0.0
    correlation = irfft(spectra[0] * spectra[1].conj(), size)
    # irfft divides by the size and counts each bin twice, for its mirror image.
    return float(np.abs(correlation).max() * size / 2 / energy)
