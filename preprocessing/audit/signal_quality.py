"""What an audit measures of a clip: a hash, its level, signs of clipping and a fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from datasets import Dataset, Features, List, Value

from common.workers import killed_worker_errors

from ..duplicates.audio_fingerprint import FINGERPRINT_SIZE, fingerprint
from ..signal_level import level_dbfs
from ..stored_audio import stored_waveform

_FEATURES = Features(
    {
        "digest": Value("string"),
        "level_dbfs": Value("float64"),
        "plateaus": Value("int64"),
        "loud_runs": Value("int64"),
        "fingerprint": List(Value("float32"), length=FINGERPRINT_SIZE),
    }
)
_RUN_LENGTH = 3  # samples: at 16 kHz no voice stays within two steps of its peak that long
_LEAST_PEAK = 0.89  # -1 dBFS
_PLATEAU = 2 / 32768  # two steps of 16 bits
_NEAR_FULL_SCALE = 0.97  # resamplers and codecs bend plateaus by a few percent


def measure_signal_quality(table: Dataset, num_proc: int) -> Dataset:
    """Decodes every clip once and keeps what [`measure`] returns; nothing is written to disk.

    Args:
        table: rows of a prepared folder.
        num_proc: worker processes.
    """
    num_proc = min(num_proc, len(table))
    with killed_worker_errors():
        return table.select_columns(["audio", "scale"]).map(
            measure,
            remove_columns=["audio", "scale"],
            features=_FEATURES,
            keep_in_memory=True,  # a cache file would be written into the prepared folder
            new_fingerprint="signal_quality",
            num_proc=num_proc if num_proc > 1 else None,
            desc="Measuring",
        )


def measure(row: Mapping[str, Any]) -> dict[str, Any]:
    """Measures a row of the prepared table: `digest` of its stored audio, and what the functions below return."""
    waveform = stored_waveform(row)
    plateaus, loud_runs = clipping(waveform)
    return {
        "digest": hashlib.blake2b(row["audio"]["bytes"], digest_size=16).hexdigest(),
        "level_dbfs": level_dbfs(waveform),
        "plateaus": plateaus,
        "loud_runs": loud_runs,
        "fingerprint": fingerprint(waveform),
    }


def clipping(waveform: np.ndarray) -> tuple[int, int]:
    """Counts signs that the peaks of a clip are cut off.

    Args:
        waveform: of shape `(samples,)`, 16 kHz; may exceed 1 where a resampler overshot.

    Returns:
        The number of plateaus: runs of three or more samples at the clip's own peak, itself near full scale. And the
        number of runs of three or more samples near full scale: what is left of plateaus after resampling or coding.
    """
    magnitude = np.abs(waveform)
    peak = magnitude.max()
    plateaus = _runs(magnitude >= peak - _PLATEAU) if peak >= _LEAST_PEAK else 0
    return plateaus, _runs(magnitude >= _NEAR_FULL_SCALE)


def _runs(inside: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    return int(np.count_nonzero(edges[1::2] - edges[::2] >= _RUN_LENGTH))
