"""Reports: written whole or not at all, and for people."""

from __future__ import annotations

import json
from pathlib import Path


def write_json(path: Path, content: object) -> None:
    """Writes strict JSON, whole or not at all; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    unfinished.replace(path)


def format_report(report: dict) -> str:
    """The corpora, what was dropped and why, and where a protocol could not be kept, as text."""
    lines = [f"{'corpus':<16}{'clips':>8}{'hours':>8}{'mean s':>8}  emotions"]
    for name, corpus in report["corpora"].items():
        if corpus["kept"]:
            emotions = ", ".join(f"{emotion} {count}" for emotion, count in corpus["emotion"].items())
            lines.append(
                f"{name:<16}{corpus['kept']:>8,}{corpus['hours']:>8.2f}{corpus['mean_duration_s']:>8.2f}  {emotions}"
            )
        for reason, count in corpus["dropped"].items():
            lines.append(f"{name:<16}{count:>8,} dropped: {reason}")
        if corpus.get("scaled_down"):
            lines.append(f"{name:<16}{corpus['scaled_down']:>8,} kept at a lower level: louder than 16 bits hold")
    for name, licence in report["settings"]["licences"].items():
        if licence:
            lines.append(f"licence of {name}: {licence['licence']}; {licence['homepage']}")
    for protocol, notes in report["notes"].items():
        lines += [f"protocol {protocol}: {note}" for note in notes]
    return "\n".join(lines)
