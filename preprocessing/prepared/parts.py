"""Parts of the table of a prepared folder: each is written completely or not at all, and only where it is missing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from pathlib import Path

import datasets
import numpy as np
from datasets import Audio, Dataset, concatenate_datasets, load_from_disk
from tqdm import tqdm

from common.files import write_json
from common.quiet import quiet_c_libraries
from common.workers import killed_worker_errors
from modeling import SAMPLING_RATE

from ..clip import Clip, SkippedClip
from ..targets.acoustics import acoustic_targets
from .rows import PreparationConfig, extra_columns, features, prepare_clip, to_columns

FORMAT = 5  # of the prepared folder and of the meaning of its columns; another number prepares all clips again
CLIPS_PER_PART = 128  # on average; a training keeps some 80 kB in memory for each part
_TABLE = "table"  # the kept clips of a part
_SKIPPED = "skipped.json"  # in the same folder: the others, with the reason


def plan_parts(clips: Sequence[Clip], preparation: PreparationConfig) -> dict[str, Sequence[Clip]]:
    """Divides clips into parts: name -> clips. A name changes with everything that the content of a part depends on."""
    extra = extra_columns(clips)
    return {_part_name(part, preparation, extra): part for part in _divide(clips)}


def _divide(clips: Sequence[Clip]) -> Iterator[Sequence[Clip]]:
    corpora: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        corpora[clip.corpus].append(clip)
    for members in corpora.values():
        part: list[Clip] = []
        for clip in members:
            # Where a part begins depends on the clip, not on its index: a further clip changes one part, not all.
            begins = zlib.crc32(clip.id.encode()) % CLIPS_PER_PART == 0 or len(part) == 4 * CLIPS_PER_PART
            if part and begins:
                yield part
                part = []
            part.append(clip)
        yield part


def _part_name(clips: Sequence[Clip], preparation: PreparationConfig, extra: dict[str, str]) -> str:
    digest = hashlib.sha256(repr((FORMAT, preparation, extra)).encode())
    for clip in clips:
        stat = clip.path.stat()
        # The folder may have moved; a file is the same by its name, size and time.
        content = (replace(clip, path=Path(clip.file_name), embedded=None), stat.st_size, stat.st_mtime_ns)
        digest.update(repr(content).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def write_parts(
    folder: Path, parts: Mapping[str, Sequence[Clip]], preparation: PreparationConfig, num_proc: int
) -> None:
    """Writes the parts that a folder lacks.

    Args:
        folder: the folder of all parts.
        parts: all parts, as [`plan_parts`] returns them.
        preparation: what is done to each clip.
        num_proc: worker processes.

    Raises:
        KilledWorkerError: a worker process was killed.
    """
    missing = {name: clips for name, clips in parts.items() if not (folder / name).is_dir()}
    if not missing:
        return
    extra = extra_columns([clip for clips in parts.values() for clip in clips])
    acoustic_targets(np.sin(np.arange(SAMPLING_RATE, dtype=np.float32)))  # compiles pYIN, before the workers fork
    total = _num_clips(parts)
    initial = total - _num_clips(missing)
    with (
        killed_worker_errors(),
        tqdm(total=total, initial=initial, unit="clip", desc="Preparing", smoothing=0, disable=None) as progress,
        ProcessPoolExecutor(min(num_proc, len(missing))) as pool,
    ):
        futures = {
            pool.submit(_write_part, folder / name, clips, preparation, extra): clips for name, clips in missing.items()
        }
        try:
            for future in as_completed(futures):
                future.result()
                progress.update(len(futures[future]))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # leaving the block would wait for all of them, perhaps forever
            raise


def _num_clips(parts: Mapping[str, Sequence[Clip]]) -> int:
    return sum(map(len, parts.values()))


def _write_part(folder: Path, clips: Sequence[Clip], preparation: PreparationConfig, extra: dict[str, str]) -> None:
    datasets.disable_progress_bars()
    quiet_c_libraries()
    rows, skipped = [], []
    for clip in clips:
        row = prepare_clip(clip, preparation)
        if isinstance(row, SkippedClip):
            skipped.append(asdict(row))
        else:
            rows.append(row)
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}.unfinished")
    unfinished.mkdir()
    if rows:  # a table without rows can be saved, but not be loaded
        Dataset.from_dict(to_columns(rows, extra), features=features(extra)).save_to_disk(unfinished / _TABLE)
    write_json(unfinished / _SKIPPED, skipped)
    unfinished.rename(folder)


def filled_parts(folder: Path, names: Iterable[str]) -> list[str]:
    """The parts that have a kept clip."""
    return [name for name in names if table_folder(folder, name).is_dir()]


def table_folder(folder: Path, name: str) -> Path:
    """Where the table of a part lies."""
    return folder / name / _TABLE


def load_parts(folder: Path, names: Iterable[str]) -> Dataset:
    """The tables of parts, one after another, memory-mapped; `audio` is `{"bytes", "path"}`."""
    table = concatenate_datasets([load_from_disk(table_folder(folder, name)) for name in names])
    return table.cast_column("audio", Audio(decode=False))


def load_skipped(folder: Path, names: Iterable[str]) -> dict[str, SkippedClip]:
    """The clips of parts that are not in their tables, by id."""
    skipped = {}
    for name in names:
        for fields in json.loads((folder / name / _SKIPPED).read_text(encoding="utf-8")):
            skipped[fields["id"]] = SkippedClip(**fields)
    return skipped


def remove_other_parts(folder: Path, names: Collection[str]) -> None:
    """Removes parts of other settings, and those that an interrupted run has not finished."""
    for part in folder.iterdir():
        if part.is_dir() and part.name not in names:
            shutil.rmtree(part)
