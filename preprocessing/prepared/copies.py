"""Clips that are the same sound under another name, found among all clips of a prepared folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from datasets import Dataset, load_from_disk
from tqdm import tqdm

from common.files import atomic_write
from common.workers import killed_worker_errors

from ..audit.audio_fingerprint import (
    FINGERPRINT_SIZE,
    MAX_DURATION_S,
    candidate_pairs_among,
    fingerprint,
    number_sounds,
)
from ..audit.checks import DEFAULT_THRESHOLDS, same_sounds
from ..audit.signal_quality import level_dbfs
from .rows import stored_waveform

_FINGERPRINTS = "fingerprints.npy"  # beside a part's table: what is measured once is not measured again


def find_copies(tables: Sequence[Path], clips: Dataset, num_proc: int) -> dict[str, str]:
    """Finds clips with the same sound: at another level, rate or offset, or from another codec.

    Args:
        tables: folders of the parts of a prepared folder; fingerprints are kept beside each.
        clips: all their rows, in this order.
        num_proc: worker processes.

    Returns:
        Id of a copy -> id of the clip that is kept: of several with the same sound that whose id sorts first, whatever
        the order of the corpora. Silent clips are copies of none.
    """
    missing = [table for table in tables if not (table.parent / _FINGERPRINTS).is_file()]
    if missing:
        with killed_worker_errors(), ProcessPoolExecutor(min(num_proc, len(missing))) as pool:
            for _ in tqdm(pool.map(_write_fingerprints, missing), "Looking for copies", len(missing), disable=None):
                pass
    marks = np.concatenate([np.load(table.parent / _FINGERPRINTS) for table in tables])
    pairs = candidate_pairs_among(marks, DEFAULT_THRESHOLDS.fingerprint_radius)
    numbers = number_sounds(same_sounds(clips, pairs, DEFAULT_THRESHOLDS), len(clips))
    sounds: dict[int, list[str]] = defaultdict(list)
    for id_, sound in zip(clips["id"], numbers, strict=True):
        sounds[sound].append(id_)
    return {copy: kept for ids in sounds.values() for kept, *copies in [sorted(ids)] for copy in copies}


def find_conflicts(copies: dict[str, str], clips: Dataset) -> list[dict[str, str]]:
    """Where a copy has another emotion or gender than the clip that is kept: one of the two labels is wrong."""
    conflicts = []
    for column in ("emotion", "gender"):
        label_of = dict(zip(clips["id"], clips[column], strict=True))
        for copy, kept in sorted(copies.items()):
            labels = label_of[kept], label_of[copy]
            if None not in labels and labels[0] != labels[1]:
                conflicts.append({"column": column, "kept": kept, "label": labels[0], "copy": copy, "other": labels[1]})
    return conflicts


def _write_fingerprints(table: Path) -> None:
    marks = np.array(list(map(_mark, _waveforms(table))), dtype=np.float32)
    atomic_write(table.parent / _FINGERPRINTS, lambda path: _save(path, marks))


def _waveforms(table: Path) -> Iterator[np.ndarray]:
    rows = load_from_disk(table).select_columns(["audio", "scale"])
    return (stored_waveform(row, MAX_DURATION_S) for row in rows)


def _mark(waveform: np.ndarray) -> np.ndarray:
    if level_dbfs(waveform) < DEFAULT_THRESHOLDS.silent_dbfs:
        return np.full(FINGERPRINT_SIZE, np.nan)  # silences are alike without being copies
    return fingerprint(waveform)


def _save(path: Path, marks: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, marks, allow_pickle=False)
