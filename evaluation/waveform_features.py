"""Clips -> features that are computed of one waveform at a time, in parallel over the cores."""

from __future__ import annotations

import sys
from collections.abc import Callable

import joblib
import numpy as np
from datasets import Dataset
from tqdm import tqdm

from common.workers import killed_worker_errors
from preprocessing.stored_audio import stored_waveform

_AT_LEAST = 128  # clips for one process: starting another takes as long


def waveform_features(
    compute: Callable[[np.ndarray], np.ndarray], clips: Dataset, max_duration_s: float, description: str
) -> np.ndarray:
    """Computes features of every clip.

    Args:
        compute: from a waveform `(samples,)` at 16 kHz to `(features,)`; a function of a module.
        clips: of a prepared folder.
        max_duration_s: how much of a clip's beginning is used.
        description: for the progress bar.

    Returns:
        `(clips, features)`.
    """
    processes = min(joblib.cpu_count(), 1 + len(clips) // _AT_LEAST)
    rows = clips.select_columns(["audio", "scale"])
    progress = tqdm(rows, desc=description, unit="clip", leave=False, disable=not sys.stderr.isatty())
    with killed_worker_errors():
        found = joblib.Parallel(processes, return_as="generator")(
            joblib.delayed(_clip_features)(compute, row, max_duration_s) for row in progress
        )
        return np.stack(list(found))


def _clip_features(compute: Callable[[np.ndarray], np.ndarray], row: dict, max_duration_s: float) -> np.ndarray:
    return compute(stored_waveform(row, max_duration_s))
