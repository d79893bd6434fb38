"""Recordings -> which of them are the same sound: at another level, rate or offset, or from another codec."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from modeling import load_audio
from preprocessing.duplicates.audio_fingerprint import MAX_DURATION_S, candidate_pairs_among, number_sounds, similarity
from preprocessing.duplicates.same_sound import DEFAULT_THRESHOLDS


def same_sounds(files: Sequence[str], fingerprints: np.ndarray) -> list[int]:
    """Numbers sounds, the same number for the same sound.

    Close fingerprints are candidates; these are decoded and compared as waveforms, by the audit's thresholds.

    Args:
        files: paths of the recordings.
        fingerprints: of shape `(files, FINGERPRINT_SIZE)`; a row with NaN, which is silence, is like no other.

    Returns:
        A number for each file.
    """
    pairs = candidate_pairs_among(fingerprints, DEFAULT_THRESHOLDS.fingerprint_radius)
    same = [_same(files[first], files[second]) for first, second in pairs]
    return number_sounds(pairs[np.array(same, dtype=bool)], len(files)).tolist()


def _same(first: str, second: str) -> bool:
    return first == second or similarity(_waveform(first), _waveform(second)) >= DEFAULT_THRESHOLDS.similarity


@lru_cache(maxsize=4)  # pairs are sorted: one side of the next is mostly that of the last
def _waveform(file: str) -> np.ndarray:
    return load_audio(file, end_s=MAX_DURATION_S)
