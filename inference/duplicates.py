"""Recordings -> which of them are the same sound: at another level, rate or offset, or from another codec."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from modeling import load_audio
from preprocessing.audit_checks import DEFAULT_THRESHOLDS
from preprocessing.fingerprint import MAX_DURATION_S, NEIGHBOURS, likeness


def same_sounds(files: Sequence[str], fingerprints: np.ndarray) -> list[int]:
    """Numbers sounds, the same number for the same sound.

    Close fingerprints are candidates; these are decoded and compared as waveforms, by the audit's thresholds.

    Args:
        files: paths of the recordings.
        fingerprints: of shape `(files, FINGERPRINT_SIZE)`; a row with NaN, which is silence, is like no other.

    Returns:
        A number for each file.
    """
    pairs = [(first, second) for first, second in _candidates(fingerprints) if _same(files[first], files[second])]
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    links = coo_array((np.ones(first.size), (first, second)), shape=(len(files), len(files)))
    return connected_components(links, directed=False)[1].tolist()


def _candidates(fingerprints: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of rows with close fingerprints, of each row its nearest."""
    usable = np.flatnonzero(np.isfinite(fingerprints).all(axis=1))
    if usable.size < 2:
        return []
    tree = cKDTree(fingerprints[usable])
    neighbours = min(NEIGHBOURS + 1, usable.size)  # a row is near itself
    radius = DEFAULT_THRESHOLDS.fingerprint_radius
    distances, nearest = tree.query(fingerprints[usable], k=neighbours, distance_upper_bound=radius)
    row, rank = np.nonzero(np.isfinite(distances))
    twins = nearest[row, rank]
    pairs = {(int(min(pair)), int(max(pair))) for pair in zip(usable[row], usable[twins], strict=True)}
    return sorted((first, second) for first, second in pairs if first != second)


def _same(first: str, second: str) -> bool:
    return first == second or likeness(_waveform(first), _waveform(second)) >= DEFAULT_THRESHOLDS.likeness


@lru_cache(maxsize=4)  # pairs are sorted: one side of the next is mostly that of the last
def _waveform(file: str) -> np.ndarray:
    return load_audio(file, end_s=MAX_DURATION_S)
