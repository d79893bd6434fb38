"""Candidates -> those that are the same sound, and the thresholds of both steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from datasets import Dataset
from tqdm import tqdm

from ..stored_audio import stored_waveform
from .audio_fingerprint import MAX_DURATION_S, similarity


@dataclass(frozen=True)
class DuplicateThresholds:
    """When two clips are the same sound. Measured on 1,199 clips of RAVDESS and nEMO and on altered copies of them.

    Args:
        fingerprint_radius: greatest distance of two fingerprints whose clips are compared. Copies at other rates, at
            other levels, from codecs, or with noise 20 dB below lie within 0.05; different clips of a person are 0.2
            apart, of a synthetic voice 0.1.
        similarity: least similarity of the same sound. Copies reach 0.97, different clips at most 0.42.
        silent_dbfs: level of the loudest 0.1 s below which there is no speech. The quietest clip of speech has -56.
            Silent clips are not compared: they are alike without being duplicates.
    """

    fingerprint_radius: float = 0.08
    similarity: float = 0.9
    silent_dbfs: float = -65.0


DEFAULT_THRESHOLDS = DuplicateThresholds()


def same_sounds(table: Dataset, pairs: np.ndarray, thresholds: DuplicateThresholds = DEFAULT_THRESHOLDS) -> np.ndarray:
    """The pairs of rows of a prepared table that are the same sound.

    Args:
        table: rows with `audio` and `scale`.
        pairs: candidates, of shape `(pairs, 2)`.
        thresholds: its `similarity`.
    """
    scores = (_similarity(table, *pair) for pair in tqdm(pairs.tolist(), "Comparing", disable=None))
    is_same = np.array([score >= thresholds.similarity for score in scores], dtype=bool)
    return np.asarray(pairs[is_same])


def _similarity(table: Dataset, first: int, second: int) -> float:
    return similarity(*(stored_waveform(table[row], MAX_DURATION_S) for row in (first, second)))
