"""Rows -> what people read in a terminal, and how far a job is."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm


def format_answer(row: dict[str, Any]) -> str:
    """The answer for one file in full."""
    if "error" in row:
        return f"{row['file']}: {row['error']}"
    length = "unknown length" if row["duration_s"] is None else f"{row['duration_s']:.2f} s"
    lines = [f"{row['file']}: {length}, of which the model heard {row['heard_s']:.2f} s"]
    for name, value in row.items():
        if isinstance(value, list):
            lines.append(f"  {name:<14}" + "  ".join(f"{entry['label']} {entry['score']:.3f}" for entry in value))
        elif isinstance(value, dict | bool):
            lines.append(f"  {name:<14}{_cell(value)}")
    return "\n".join(lines)


def format_table(rows: Sequence[dict[str, Any]]) -> str:
    """A line per row: of each head the likeliest class or the value."""
    cells = [{name: _cell(value) for name, value in row.items()} for row in rows]
    names = list(dict.fromkeys(name for line in cells for name in line))
    widths = {name: max(len(name), *(len(line.get(name, "")) for line in cells)) for name in names}
    lines = [{name: name for name in names}, *cells]
    return "\n".join("  ".join(line.get(name, "").ljust(widths[name]) for name in names).rstrip() for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return f"{value[0]['label']} {value[0]['score']:.2f}"
    if isinstance(value, dict):
        return f"{value['value']:.4g} {value['unit']}".rstrip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


class Progress:
    """How far a job is, its rate, the time left and the errors so far, on stderr.

    A bar in a terminal, and elsewhere, such as in the log of a night, a line every half minute.

    Args:
        total: files of the job.
        done: of these, what an earlier start did already.
        shown: whether anything is shown at all.
        every_s: seconds between lines.
    """

    def __init__(self, total: int, done: int = 0, *, shown: bool = True, every_s: float = 30.0):
        in_terminal = sys.stderr.isatty()
        self._bar = tqdm(total=total, initial=done, unit="file", leave=False, disable=not (shown and in_terminal))
        self._logs = shown and not in_terminal
        self._total, self._at_start, self._done = total, done, done
        self._every_s = every_s
        self._started = self._said = time.monotonic()
        self._errors = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def add(self, failed: bool) -> None:
        """Counts one more file."""
        self._done += 1
        self._errors += failed
        self._bar.set_postfix(errors=self._errors, refresh=False)
        self._show(self._done)

    def add_part(self, share: float) -> None:
        """Says how much is done of the file in hand, where there is only one."""
        self._show(self._done + share)

    def _show(self, done: float) -> None:
        self._bar.update(done - self._bar.n)
        now = time.monotonic()
        if self._logs and now - self._said >= self._every_s:
            self._said = now
            said = "{percentage:.0f} % of the file" if self._total == 1 else "{n_fmt} of {total_fmt} files, {rate_fmt}"
            line = tqdm.format_meter(
                done,
                self._total,
                now - self._started,
                unit="file",
                initial=self._at_start,
                bar_format=said + ", {remaining} left{postfix}",
                postfix=f"errors={self._errors}",
            )
            print(" ".join(line.split()), file=sys.stderr, flush=True)
