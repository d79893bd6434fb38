"""Clips -> prepared folder -> DatasetDict.

A prepared folder holds `clips/`, the table of all kept clips in parts, each part written whole or not at all;
`splits/PROTOCOL.json`, clip id to split; and `report.json`, where every input file is kept or dropped with a reason.
The sound is in the table, so the folder can be moved, and the same parts serve every protocol.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

import datasets
import joblib
import numpy as np
from datasets import Dataset
from tqdm import tqdm

from common.files import check_writable, write_json
from common.outputs import claim_outputs
from common.quiet import quiet_c_libraries
from common.versions import versions
from common.workers import killed_worker_errors
from modeling import SAMPLING_RATE

from ..clip import Clip, SkippedClip
from ..targets.acoustics import acoustic_targets
from .copies import find_conflicts, find_copies
from .load import _CLIPS, FORMAT, _load_parts
from .protocols import Row
from .report import summarize
from .rows import COPY, PreparationConfig, extra_columns, features, parse_number, prepare_clip
from .split_files import write_split_files
from .table1 import TABLE_1

CLIPS_PER_PART = 128  # on average; of each part a training keeps some 80 kB in memory
DEFAULT_PREPARATION = PreparationConfig()


def prepare(
    entries: Sequence[Clip | SkippedClip],
    output: Path,
    preparation: PreparationConfig = DEFAULT_PREPARATION,
    *,
    seed: int = 0,
    num_proc: int | None = None,
    drop_copies: bool = False,
    settings: dict | None = None,
    overwrite: bool = False,
) -> dict:
    """Decodes and measures all clips, divides them, and writes a prepared folder.

    Interrupted and called again, it does only the parts that are missing.

    Args:
        entries: what [`scan`] found.
        output: the prepared folder.
        preparation: what is done to each clip.
        seed: of the protocols.
        num_proc: worker processes, all cores by default.
        drop_copies: skip clips that [`find_copies`] finds; their parts stay, so that it can be changed at little cost.
        settings: further values to write into the report.
        overwrite: whether what `output` holds may be replaced if it was not prepared.

    Returns:
        The report, as written to `report.json`.

    Raises:
        ValueError: two clips have the same id, or none is left.
    """
    clips = [entry for entry in entries if isinstance(entry, Clip)]
    twice = [id_ for id_, count in Counter(clip.id for clip in clips).items() if count > 1]
    if twice:
        raise ValueError(f"{len(twice)} clips occur twice, such as {twice[0]}: the same file and start.")
    extra = extra_columns(clips)
    parts = {_part_name(part, preparation, extra): part for part in _parts(clips)}
    check_writable(output)
    check_corpora(output, {entry.id.split("/", 1)[0] for entry in entries})
    claim_outputs(output, ("clips", "splits", "report.json", *TABLE_1), "prepare.py", overwrite)
    folder = output / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    workers = num_proc or joblib.cpu_count()
    _write_parts(folder, parts, preparation, extra, workers)

    drops = _why_dropped(entries, folder, parts)
    filled = [name for name in parts if (folder / name / _CLIPS).is_dir()]
    table = _load_parts(folder, filled)
    copies = find_copies([folder / name / _CLIPS for name in filled], table, workers) if drop_copies else {}
    drops = [COPY if entry.id in copies else why for entry, why in zip(entries, drops, strict=True)]
    kept = table.select([row for row, id_ in enumerate(table["id"]) if id_ not in copies])
    notes = write_split_files(_split_rows(kept), output, seed)
    report = {
        "format": FORMAT,
        "parts": filled,
        "settings": {**(settings or {}), **vars(preparation), "seed": seed, "drop_copies": drop_copies},
        "versions": versions("librosa", "soundfile", "soxr", "av"),
        "corpora": summarize(entries, drops, kept),
        "notes": notes,
        "copies": copies,
        "conflicts": find_conflicts(copies, table),
        "files": [
            {"id": entry.id, "kept": reason is None, "reason": _reason(entry, reason, copies)}
            for entry, reason in zip(entries, drops, strict=True)
        ],
    }
    write_json(output / "report.json", report)
    for part in folder.iterdir():  # of other settings, or unfinished; only now that nothing refers to them any more
        if part.is_dir() and part.name not in parts:
            shutil.rmtree(part)
    return report


def _reason(entry: Clip | SkippedClip, reason: str | None, copies: dict[str, str]) -> str | None:
    return f"a copy of {copies[entry.id]}" if entry.id in copies else reason


def _parts(clips: Sequence[Clip]) -> Iterator[Sequence[Clip]]:
    corpora: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        corpora[clip.corpus].append(clip)
    for members in corpora.values():
        part: list[Clip] = []
        for clip in members:
            # Where a part begins is a matter of the clip, not of its number: a clip more changes one part, not all.
            begins = zlib.crc32(clip.id.encode()) % CLIPS_PER_PART == 0 or len(part) == 4 * CLIPS_PER_PART
            if part and begins:
                yield part
                part = []
            part.append(clip)
        yield part


def _part_name(clips: Sequence[Clip], preparation: PreparationConfig, extra: dict[str, str]) -> str:
    """A name that changes with anything that the part's content depends on."""
    digest = hashlib.sha256(repr((FORMAT, preparation, extra)).encode())
    for clip in clips:
        stat = clip.path.stat()
        # The folder may have moved; the file is the same by its name, size and time.
        content = (replace(clip, path=Path(clip.path.name)), stat.st_size, stat.st_mtime_ns)
        digest.update(repr(content).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def _write_parts(
    folder: Path, parts: dict[str, Sequence[Clip]], preparation: PreparationConfig, extra: dict[str, str], num_proc: int
) -> None:
    missing = {name: clips for name, clips in parts.items() if not (folder / name).is_dir()}
    if not missing:
        return
    acoustic_targets(np.sin(np.arange(SAMPLING_RATE, dtype=np.float32)))  # compiles pYIN, before the workers fork
    total, done = sum(map(len, parts.values())), sum(map(len, parts.values())) - sum(map(len, missing.values()))
    with (
        killed_worker_errors(),
        tqdm(total=total, initial=done, unit="clip", desc="Preparing", smoothing=0, disable=None) as progress,
        ProcessPoolExecutor(min(num_proc, len(missing))) as pool,
    ):
        jobs = {
            pool.submit(_write_part, folder / name, clips, preparation, extra): clips for name, clips in missing.items()
        }
        try:
            for job in as_completed(jobs):
                job.result()
                progress.update(len(jobs[job]))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # to wait for them elsewhere can wait for ever
            raise


def _write_part(folder: Path, clips: Sequence[Clip], preparation: PreparationConfig, extra: dict[str, str]) -> None:
    datasets.disable_progress_bars()
    quiet_c_libraries()
    rows, drops = [], {}
    for clip in clips:
        row = prepare_clip(clip, preparation)
        if isinstance(row, SkippedClip):
            drops[row.id] = row.reason
        else:
            rows.append(row)
    columns_of = features(extra)
    columns = {name: [row.get(name) for row in rows] for name in columns_of}
    for name, kind in extra.items():
        if kind == "float64":
            columns[name] = list(map(parse_number, columns[name]))
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}.unfinished")
    unfinished.mkdir()
    if rows:  # a table without rows is saved, but does not load again
        Dataset.from_dict(columns, features=columns_of).save_to_disk(unfinished / _CLIPS)
    write_json(unfinished / "dropped.json", drops)
    unfinished.rename(folder)


def _why_dropped(entries: Sequence[Clip | SkippedClip], folder: Path, parts: Iterable[str]) -> list[str | None]:
    """Of each entry why it was dropped, `None` where it is kept."""
    unreadable: dict[str, str] = {}
    for name in parts:
        unreadable |= json.loads((folder / name / "dropped.json").read_text(encoding="utf-8"))
    drops = [entry.reason if isinstance(entry, SkippedClip) else unreadable.get(entry.id) for entry in entries]
    if None not in drops:
        reasons = Counter(drops).most_common()
        raise ValueError("No clip is left: " + "; ".join(f"{count} {reason}" for reason, count in reasons) + ".")
    return drops


def _split_rows(table: Dataset) -> list[Row]:
    columns = table.select_columns(list(Row._fields)).with_format("python")[:]
    return [Row(*values) for values in zip(*(columns[name] for name in Row._fields), strict=True)]


def check_corpora(folder: Path, corpora: set[str]) -> None:
    """Raises a `ValueError` where a prepared folder holds other corpora, which would be lost."""
    if (folder / "report.json").is_file():
        try:
            there = json.loads((folder / "report.json").read_text(encoding="utf-8"))["corpora"].keys()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"{folder} is not a prepared folder: its report.json is of something else. Choose another --output."
            ) from error
        if others := there - corpora:
            raise ValueError(
                f"{folder} holds {', '.join(sorted(others))} already: name all corpora of a prepared folder in one "
                "command (what is done is not done again), or choose another --output."
            )
