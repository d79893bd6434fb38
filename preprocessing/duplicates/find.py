"""Duplicates among the clips of a prepared folder: the same sound under another name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from datasets import Dataset, load_from_disk
from tqdm import tqdm

from common.files import atomic_write
from common.workers import killed_worker_errors

from ..signal_level import level_dbfs
from ..stored_audio import stored_waveform
from .audio_fingerprint import FINGERPRINT_SIZE, MAX_DURATION_S, candidate_pairs_among, fingerprint, number_sounds
from .same_sound import DEFAULT_THRESHOLDS, same_sounds

_FINGERPRINTS = "fingerprints.npy"  # next to a part's table, so that each clip is measured once


def find_duplicates(tables: Sequence[Path], clips: Dataset, num_proc: int) -> dict[str, str]:
    """Finds clips with the same sound: at another level, rate or offset, or from another codec.

    Args:
        tables: folders of the parts of a prepared folder; fingerprints are kept in each.
        clips: all their rows, in this order.
        num_proc: worker processes.

    Returns:
        Id of a duplicate -> id of the clip that is kept. Of several clips with the same sound the one whose id sorts
        first is kept, whatever the order of the corpora. Silent clips are not duplicates.
    """
    _write_missing_fingerprints(tables, num_proc)
    fingerprints = np.concatenate([np.load(table.parent / _FINGERPRINTS) for table in tables])
    pairs = candidate_pairs_among(fingerprints, DEFAULT_THRESHOLDS.fingerprint_radius)
    sounds: dict[int, list[str]] = defaultdict(list)
    for id_, sound in zip(clips["id"], number_sounds(same_sounds(clips, pairs), len(clips)), strict=True):
        sounds[sound].append(id_)
    return {duplicate: kept for ids in sounds.values() for kept, *others in [sorted(ids)] for duplicate in others}


def find_label_conflicts(duplicates: Mapping[str, str], clips: Dataset) -> list[dict[str, str]]:
    """Duplicates with another emotion or gender than the clip that is kept: one of the two labels is wrong."""
    conflicts = []
    for column in ("emotion", "gender"):
        label_of = dict(zip(clips["id"], clips[column], strict=True))
        for duplicate, kept in sorted(duplicates.items()):
            kept_label, label = label_of[kept], label_of[duplicate]
            if None not in (kept_label, label) and kept_label != label:
                conflict = {"column": column, "kept": kept, "kept_label": kept_label}
                conflicts.append({**conflict, "duplicate": duplicate, "duplicate_label": label})
    return conflicts


def _write_missing_fingerprints(tables: Sequence[Path], num_proc: int) -> None:
    missing = [table for table in tables if not (table.parent / _FINGERPRINTS).is_file()]
    if not missing:
        return
    with killed_worker_errors(), ProcessPoolExecutor(min(num_proc, len(missing))) as pool:
        for _ in tqdm(pool.map(_write_fingerprints, missing), "Finding duplicates", len(missing), disable=None):
            pass


def _write_fingerprints(table: Path) -> None:
    fingerprints = np.array(list(map(_audible_fingerprint, _waveforms(table))), dtype=np.float32)
    atomic_write(table.parent / _FINGERPRINTS, lambda path: _save(path, fingerprints))


def _waveforms(table: Path) -> Iterator[np.ndarray]:
    rows = load_from_disk(table).select_columns(["audio", "scale"])
    return (stored_waveform(row, MAX_DURATION_S) for row in rows)


def _audible_fingerprint(waveform: np.ndarray) -> np.ndarray:
    """The fingerprint of a clip, NaN for a silent one."""
    if level_dbfs(waveform) < DEFAULT_THRESHOLDS.silent_dbfs:
        return np.full(FINGERPRINT_SIZE, np.nan)
    return fingerprint(waveform)


def _save(path: Path, fingerprints: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, fingerprints, allow_pickle=False)
