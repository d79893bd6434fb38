"""What a preparation kept and left out of each corpus, counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from datasets import Dataset

from ..clip import Clip, SkippedClip
from ..labels import merged_labels, raw_labels
from .rows import COPY, TOO_SHORT

if TYPE_CHECKING:
    pass


COUNTED = ("emotion", "gender", "locale")


def summarize(entries: Sequence[Clip | SkippedClip], drops: Sequence[str | None], table: Dataset) -> dict[str, dict]:
    """Corpus -> what the report says of it.

    Args:
        entries: what was found.
        drops: of each entry why it was dropped, `None` where it is kept.
        table: the kept clips.

    Returns:
        Of each corpus `kept` and `dropped` (reason -> files); of those dropped, `by_rule` counts what a rule on labels,
        voices or durations leaves out, and `skipped` (reason -> files) what could not be used; the rest are copies. Of
        one with kept clips also `hours`, `mean_duration_s`, `scaled_down`, the clips of each `emotion`, `gender` and
        `locale`, and [`raw_labels`].
    """
    columns = table.select_columns(["corpus", *COUNTED, "raw_label", "duration_s", "scale"])[:]
    reasons: dict[str, Counter] = defaultdict(Counter)
    for entry, reason in zip(entries, drops, strict=True):
        if reason is not None:
            reasons[entry.id.split("/", 1)[0]][reason, _kind(entry, reason)] += 1
    labels = raw_labels(columns)
    summary = {}
    for corpus in dict.fromkeys(columns["corpus"]):
        mine = [i for i, name in enumerate(columns["corpus"]) if name == corpus]
        seconds = [columns["duration_s"][i] for i in mine]
        summary[corpus] = {
            "kept": len(mine),
            **_dropped(reasons.pop(corpus, Counter())),
            "hours": sum(seconds) / 3600,
            "mean_duration_s": sum(seconds) / len(seconds),
            "scaled_down": sum(columns["scale"][i] > 1 for i in mine),
            **{name: dict(Counter(str(columns[name][i]) for i in mine).most_common()) for name in COUNTED},
            "raw_labels": labels.get(corpus, {}),
        }
    return summary | {corpus: {"kept": 0, **_dropped(dropped)} for corpus, dropped in reasons.items()}


def _kind(entry: Clip | SkippedClip, reason: str) -> str:
    if isinstance(entry, SkippedClip):
        return entry.kind
    if reason == COPY:
        return "copy"
    return "rule" if reason.startswith(TOO_SHORT) else "skipped"


def _dropped(reasons: Mapping[tuple[str, str], int]) -> dict:
    return {
        "dropped": {reason: count for (reason, _), count in reasons.items()},
        "by_rule": sum(count for (_, kind), count in reasons.items() if kind == "rule"),
        "skipped": {reason: count for (reason, kind), count in reasons.items() if kind == "skipped"},
    }


def format_report(report: dict) -> str:
    """The corpora, what was dropped and why, and where a protocol could not be kept, as text."""
    lines = [f"{'corpus':<16}{'clips':>8}{'hours':>8}{'mean s':>8}  emotions"]
    for name, corpus in report["corpora"].items():
        if corpus["kept"]:
            emotions = ", ".join(f"{emotion} {count}" for emotion, count in corpus["emotion"].items())
            lines.append(
                f"{name:<16}{corpus['kept']:>8,}{corpus['hours']:>8.2f}{corpus['mean_duration_s']:>8.2f}  {emotions}"
            )
        for emotion, words in merged_labels({name: corpus.get("raw_labels", {})}).get(name, {}).items():
            listed = ", ".join(f"{count:,} {word!r}" for word, count in words.items())
            lines.append(f"{name:<16}{sum(words.values()):>8,} {emotion} by the authors' words: {listed}")
        for reason, count in corpus["dropped"].items():
            lines.append(f"{name:<16}{count:>8,} dropped: {reason}")
        if corpus.get("scaled_down"):
            lines.append(f"{name:<16}{corpus['scaled_down']:>8,} kept at a lower level: louder than 16 bits hold")
    for name, license in report["settings"]["licenses"].items():
        if license:
            where = f"; {license['homepage']}" if license["homepage"] else ""
            lines.append(f"license of {name}: {license['license']}{where}")
    if conflicts := report["conflicts"]:
        first = conflicts[0]
        lines.append(
            f"{len(conflicts):,} labels of copies contradict the clip that is kept: the {first['column']} of "
            f"{first['copy']} is {first['other']}, of {first['kept']} {first['label']}; report.json lists all."
        )
    for protocol, notes in report["notes"].items():
        lines += [f"protocol {protocol}: {note}" for note in notes]
    return "\n".join(lines)
