"""What a preparation kept and skipped of each corpus, counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from datasets import Dataset

from common.text_tables import format_table

from ..clip import Clip, SkippedClip
from ..labels import merged_labels, raw_labels
from ..votes import has_votes, is_vote_column, vote_columns

COUNTED = ("emotion", "gender", "locale")


def summarize(entries: Sequence[Clip | SkippedClip], table: Dataset) -> dict[str, dict[str, Any]]:
    """Corpus -> its part of the report.

    Args:
        entries: every input file, kept or skipped.
        table: the kept clips.

    Returns:
        For each corpus `kept` (number of clips) and `skipped` (reason -> files); of those skipped, `skipped_by_rule`
        counts what a rule on labels, voices or durations leaves out, and `unusable` (reason -> files) what the corpus
        lacks because it cannot be used; the rest are duplicates. For a corpus with kept clips also `hours`,
        `mean_duration_s`, `scaled_down`, the clips of each `emotion`, `gender` and `locale`, and [`raw_labels`]. Where
        there are columns of votes, `votes` counts the clips that have any, by the column that they are about.
    """
    columns = table.select_columns(["corpus", *COUNTED, "raw_label", "duration_s", "scale"])[:]
    skipped: dict[str, list[SkippedClip]] = defaultdict(list)
    for entry in entries:
        if isinstance(entry, SkippedClip):
            skipped[entry.id.split("/", 1)[0]].append(entry)
    labels = raw_labels(columns)
    voted = _voted(table)
    summary = {}
    for corpus in dict.fromkeys(columns["corpus"]):
        rows = [row for row, name in enumerate(columns["corpus"]) if name == corpus]
        counts = {**_count_skipped(skipped.pop(corpus, [])), **_count_kept(columns, rows)}
        summary[corpus] = {"kept": len(rows), **counts, "raw_labels": labels.get(corpus, {})}
        if voted:
            summary[corpus]["votes"] = {column: int(mine[rows].sum()) for column, mine in voted.items()}
    return summary | {corpus: {"kept": 0, **_count_skipped(clips)} for corpus, clips in skipped.items()}


def _voted(table: Dataset) -> dict[str, np.ndarray]:
    """Column that votes are about -> which clips have any, boolean `(clips,)`."""
    columns = dict.fromkeys(name.partition(":")[0] for name in table.column_names if is_vote_column(name))
    return {
        column: has_votes(column, {name: table[name][:] for name in vote_columns(column, table.column_names).values()})
        for column in columns
    }


def _count_kept(columns: Mapping[str, Sequence[Any]], rows: Sequence[int]) -> dict[str, Any]:
    seconds = [columns["duration_s"][row] for row in rows]
    return {
        "hours": sum(seconds) / 3600,
        "mean_duration_s": sum(seconds) / len(seconds),
        "scaled_down": sum(columns["scale"][row] > 1 for row in rows),
        **{name: dict(Counter(str(columns[name][row]) for row in rows).most_common()) for name in COUNTED},
    }


def _count_skipped(clips: Sequence[SkippedClip]) -> dict[str, Any]:
    return {
        "skipped": dict(Counter(clip.reason for clip in clips)),
        "skipped_by_rule": sum(clip.kind == "rule" for clip in clips),
        "unusable": dict(Counter(clip.reason for clip in clips if clip.kind == "unusable")),
    }


def format_report(report: Mapping[str, Any]) -> str:
    """The report as text: the corpora, what was skipped and why, and where a protocol could not be kept."""
    corpora = report["corpora"]
    blocks = [format_table(_kept_rows(corpora), ("corpus", "clips", "hours", "mean s", "emotions"), "lrrrl")]
    if notes := list(_note_rows(corpora)):
        blocks.append(format_table(notes, ("corpus", "clips", "note"), "lrl"))
    lines = [*_license_lines(report["settings"]["licenses"]), *_conflict_lines(report["label_conflicts"])]
    lines += [f"protocol {protocol}: {note}" for protocol, notes in report["notes"].items() for note in notes]
    return "\n\n".join([*blocks, "\n".join(lines)]).rstrip()


def _kept_rows(corpora: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for name, corpus in corpora.items():
        if corpus["kept"]:
            emotions = ", ".join(f"{emotion} {count}" for emotion, count in corpus["emotion"].items())
            yield (name, f"{corpus['kept']:,}", f"{corpus['hours']:.2f}", f"{corpus['mean_duration_s']:.2f}", emotions)


def _note_rows(corpora: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for name, corpus in corpora.items():
        for emotion, labels in merged_labels({name: corpus.get("raw_labels", {})}).get(name, {}).items():
            listed = ", ".join(f"{count:,} {label!r}" for label, count in labels.items())
            yield name, f"{sum(labels.values()):,}", f"{emotion}, in the labels of the authors: {listed}"
        for column, count in corpus.get("votes", {}).items():
            if 0 < count < corpus["kept"]:
                yield name, f"{corpus['kept'] - count:,}", f"without votes about {column}, unlike the others"
        for reason, count in corpus["skipped"].items():
            yield name, f"{count:,}", f"skipped: {reason}"
        if corpus.get("scaled_down"):
            yield name, f"{corpus['scaled_down']:,}", "kept at a lower level: they exceed the range of 16 bits"


def _license_lines(licenses: Mapping[str, Mapping[str, Any] | None]) -> Iterator[str]:
    for name, license in licenses.items():
        if license:
            homepage = f"; {license['homepage']}" if license["homepage"] else ""
            yield f"license of {name}: {license['license']}{homepage}"


def _conflict_lines(conflicts: Sequence[Mapping[str, str]]) -> Iterator[str]:
    if conflicts:
        first = conflicts[0]
        yield (
            f"{len(conflicts):,} labels of duplicates contradict the clip that is kept: the {first['column']} of "
            f"{first['duplicate']} is {first['duplicate_label']}, that of {first['kept']} is {first['kept_label']}; "
            "report.json lists all."
        )
