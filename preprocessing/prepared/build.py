"""Clips -> prepared folder.

A prepared folder holds `clips/`, the table of all kept clips in parts; `splits/PROTOCOL.json`, clip id to split; and
`report.json`, which lists every input file as kept or skipped, with the reason. The audio is in the table, so the
folder can be moved, and the same parts serve every protocol.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
from datasets import Dataset

from common.files import check_writable, write_json
from common.outputs import claim_outputs
from common.versions import versions

from ..clip import Clip, SkippedClip
from ..duplicates.find import find_duplicates, find_label_conflicts
from .parts import (
    FORMAT,
    filled_parts,
    load_parts,
    load_skipped,
    plan_parts,
    remove_other_parts,
    table_folder,
    write_parts,
)
from .report import summarize
from .rows import PreparationConfig
from .split_files import split_rows, write_split_files
from .table1 import TABLE_1

DEFAULT_PREPARATION = PreparationConfig()
DUPLICATE = "a duplicate of another clip"
Entry = Clip | SkippedClip


def prepare(
    entries: Sequence[Entry],
    output: Path,
    preparation: PreparationConfig = DEFAULT_PREPARATION,
    *,
    seed: int = 0,
    num_proc: int | None = None,
    skip_duplicates: bool = False,
    emobox: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Decodes and measures all clips, divides them into splits, and writes a prepared folder.

    Interrupted and called again, it prepares only the parts that are missing.

    Args:
        entries: what [`~preprocessing.corpora.scan.scan`] found.
        output: the prepared folder.
        preparation: what is done to each clip.
        seed: seed of the random splits.
        num_proc: worker processes, all cores by default.
        skip_duplicates: skip clips that [`find_duplicates`] finds; their parts stay, so that changing it costs little.
        emobox: EmoBox's folder `data`, whose folds become the protocol `emobox`.
        settings: further values to write into the report.
        overwrite: whether to replace what `output` holds if `prepare.py` did not write it.

    Returns:
        The report, as written to `report.json`.

    Raises:
        ValueError: two clips have the same id, `output` holds other files or corpora, or every clip was skipped.
    """
    clips = [entry for entry in entries if isinstance(entry, Clip)]
    _check_ids(clips)
    parts = plan_parts(clips, preparation)
    folder = _claim(output, entries, overwrite)
    num_proc = num_proc or joblib.cpu_count()
    write_parts(folder, parts, preparation, num_proc)
    entries = _replace_skipped(entries, load_skipped(folder, parts))
    _check_any_kept(entries)
    filled = filled_parts(folder, parts)
    table = load_parts(folder, filled)
    tables = [table_folder(folder, name) for name in filled]
    duplicates = find_duplicates(tables, table, num_proc) if skip_duplicates else {}
    kept = table.select([row for row, id_ in enumerate(table["id"]) if id_ not in duplicates])
    entries = _replace_skipped(entries, {id_: SkippedClip(id_, DUPLICATE, "duplicate") for id_ in duplicates})
    report = {
        "format": FORMAT,
        "parts": filled,
        "settings": {**(settings or {}), **vars(preparation), "seed": seed, "skip_duplicates": skip_duplicates},
        "versions": versions("librosa", "soundfile", "soxr", "av"),
        "notes": write_split_files(split_rows(kept), output, seed, emobox),
        "corpora": summarize(entries, kept),
        **_report_duplicates(duplicates, table),
        "files": [_report_file(entry, duplicates) for entry in entries],
    }
    write_json(output / "report.json", report)
    remove_other_parts(folder, parts)  # only now: the report of before referred to them
    return report


def _claim(output: Path, entries: Sequence[Entry], overwrite: bool) -> Path:
    """Checks that the folder may be written, and creates the folder of its parts."""
    check_writable(output)
    check_corpora(output, {entry.id.split("/", 1)[0] for entry in entries})
    claim_outputs(output, ("clips", "splits", "report.json", *TABLE_1), "prepare.py", overwrite)
    (output / "clips").mkdir(parents=True, exist_ok=True)
    return output / "clips"


def _check_ids(clips: Sequence[Clip]) -> None:
    repeated = [id_ for id_, count in Counter(clip.id for clip in clips).items() if count > 1]
    if repeated:
        raise ValueError(f"{len(repeated)} clips occur twice, such as {repeated[0]}: the same file and start.")


def _replace_skipped(entries: Sequence[Entry], skipped: Mapping[str, SkippedClip]) -> list[Entry]:
    """The entries, with the clips that were skipped meanwhile replaced by the reason."""
    return [skipped.get(entry.id, entry) if isinstance(entry, Clip) else entry for entry in entries]


def _check_any_kept(entries: Sequence[Entry]) -> None:
    reasons = Counter(entry.reason for entry in entries if isinstance(entry, SkippedClip))
    if reasons.total() == len(entries):
        listed = "; ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        raise ValueError(f"Every clip was skipped: {listed}.")


def _report_duplicates(duplicates: Mapping[str, str], table: Dataset) -> dict[str, Any]:
    return {"duplicates": duplicates, "label_conflicts": find_label_conflicts(duplicates, table)}


def _report_file(entry: Entry, duplicates: Mapping[str, str]) -> dict[str, str | bool | None]:
    """The entry of the report about an input file."""
    if isinstance(entry, Clip):
        return {"id": entry.id, "kept": True, "reason": None}
    is_duplicate = entry.reason == DUPLICATE
    reason = f"a duplicate of {duplicates[entry.id]}" if is_duplicate else entry.reason
    return {"id": entry.id, "kept": False, "reason": reason}


def check_corpora(folder: Path, corpora: Collection[str]) -> None:
    """Raises a `ValueError` where a prepared folder holds corpora that would be lost, as they are not among these."""
    path = folder / "report.json"
    if not path.is_file():
        return
    try:
        existing = json.loads(path.read_text(encoding="utf-8"))["corpora"].keys()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{folder} is not a prepared folder: prepare.py did not write its report.json. Choose another --output."
        ) from error
    if others := existing - set(corpora):
        raise ValueError(
            f"{folder} already holds {', '.join(sorted(others))}. Name all corpora of a prepared folder in one command "
            "(clips that are already prepared are not prepared again), or choose another --output."
        )
