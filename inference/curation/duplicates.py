"""Recordings -> which of them are the same sound: at another level, rate or offset, or from another codec."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from modeling import load_audio
from preprocessing.duplicates.audio_fingerprint import MAX_DURATION_S, candidate_pairs_among, number_sounds, similarity
from preprocessing.duplicates.same_sound import DEFAULT_THRESHOLDS


def find_duplicates(frame: pd.DataFrame, groups: pd.Series, met: pd.Series) -> pd.Series:
    """The row that is kept in the place of each duplicate.

    Args:
        frame: rows with a `file` and its `fingerprint`.
        groups: within which sounds are compared; a row without a group has no duplicates.
        met: whether a row may be kept; of the same sounds the first such row is, or else the first of all.

    Returns:
        For each row the index of the row that is kept instead, NaN if it is the only one or the one that is kept.
    """
    kept = pd.Series(np.nan, frame.index)
    for _, members in frame.groupby(groups):
        sounds = pd.Series(
            same_sounds(members["file"].tolist(), np.stack(members["fingerprint"].tolist())), members.index, dtype=int
        )
        for _, same in sounds.groupby(sounds):
            first = next((row for row in same.index if met[row]), same.index[0])
            kept[same.index.drop(first)] = first
    return kept


def same_sounds(files: Sequence[str], fingerprints: np.ndarray) -> list[int]:
    """Numbers sounds, the same number for the same sound.

    Close fingerprints are candidates; these are decoded and compared as waveforms, by the audit's thresholds.

    Args:
        files: paths of the recordings.
        fingerprints: of shape `(files, FINGERPRINT_SIZE)`; a row with NaN, which is silence, equals no other.

    Returns:
        A number for each file.
    """
    pairs = candidate_pairs_among(fingerprints, DEFAULT_THRESHOLDS.fingerprint_radius)
    same = [_same(files[first], files[second]) for first, second in pairs]
    return number_sounds(pairs[np.array(same, dtype=bool)], len(files)).tolist()


def _same(first: str, second: str) -> bool:
    return first == second or similarity(_waveform(first), _waveform(second)) >= DEFAULT_THRESHOLDS.similarity


@lru_cache(maxsize=4)  # pairs are sorted: one recording of a pair is mostly in the pair before, too
def _waveform(file: str) -> np.ndarray:
    return load_audio(file, end_s=MAX_DURATION_S)
