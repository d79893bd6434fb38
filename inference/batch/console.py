"""Rows -> text for a terminal, and the progress of a batch run."""

from __future__ import annotations

import itertools
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

from common import text_tables

_WIDTH = 80  # of a single file's outputs
_NARROWEST = (20, 10, 5)  # widths for names and errors, tried in this order until the table fits
# Columns of a narrow table before and after the head that it shows.
_BEFORE = ("file", "start_s", "end_s", "channel")
_AFTER = ("uncertain", "speech_s", "reason", "error")


def format_rows(rows: Sequence[dict[str, Any]], head: str | None = None) -> str:
    """A single file with all its outputs, or else a table; `head` as of both."""
    is_file = len(rows) == 1 and ("analyzed_s" in rows[0] or "error" in rows[0])
    return format_file(rows[0], head) if is_file else format_table(rows, head)


def format_file(row: dict[str, Any], head: str | None = None) -> str:
    """The outputs for one file, a head per paragraph, in lines of 80 columns.

    Args:
        row: of the file.
        head: the only one to show; by default all.
    """
    if "error" in row:
        return f"{row['file']}: {row['error']}"
    lines = [f"{row['file']}: {_format_seconds(row)}"]
    for name, value in row.items():
        if not isinstance(value, list | dict | bool) or (head not in (None, name) and name != "uncertain"):
            continue
        text = "  ".join(map(_format_score, value)) if isinstance(value, list) else _cell(value)
        indent = " " * len(f"  {name:<14}")
        lines += textwrap.wrap(f"  {name:<14}{text}", _WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines).replace("\xa0", " ")


def _format_seconds(row: dict[str, Any]) -> str:
    duration = "unknown duration" if row["duration_s"] is None else f"{row['duration_s']:.2f} s"
    text = f"{duration}, {row['analyzed_s']:.2f} s analyzed"
    if row.get("speech_s") is None:
        return text
    return f"{text}; {row.get('reason') or format(row['speech_s'], '.2f') + ' s of speech'}"


def _format_score(entry: dict[str, Any]) -> str:
    # A no-break space, so that a line is not wrapped between label and score.
    return "–" if entry["label"] is None else f"{entry['label']} {entry['score']:.3f}".replace(" ", "\xa0")


def format_table(rows: Sequence[dict[str, Any]], head: str | None = None) -> str:
    """A line per row, with the likeliest class or the value of each head.

    Args:
        rows: of files or segments.
        head: the only one to show, in addition to seconds of speech and errors; by default all. In a terminal the table
            is then not wider than the window, and long names and errors are cut.
    """
    cells = [{name: _cell(value) for name, value in (_narrow(row, head) if head else row).items()} for row in rows]
    names = list(dict.fromkeys(name for line in cells for name in line))
    if head:
        names.sort(key=lambda name: _AFTER.index(name) if name in _AFTER else -1)
    widths = {name: max(len(name), *(len(line.get(name, "")) for line in cells)) for name in names}
    if head and sys.stdout.isatty():
        _fit(widths, shutil.get_terminal_size().columns)
    lines = [[_cut(name, line.get(name, ""), widths[name]) for name in names] for line in cells]
    return text_tables.format_table(lines, [_cut(name, name, widths[name]) for name in names], "l" * len(names))


def _narrow(row: dict[str, Any], head: str) -> dict[str, Any]:
    chosen = {head: row[head]} if head in row else {}
    if isinstance(row.get(head), list):
        chosen = {head: row[head][0]["label"], "score": row[head][0]["score"]}
    place = {name: row[name] for name in _BEFORE if name in row}
    # In a timeline, `speech_s` is that of the whole recording.
    after = {name: row[name] for name in _AFTER if name in row and not (name == "speech_s" and "start_s" in row)}
    return place | chosen | after


def _fit(widths: dict[str, int], width: int) -> None:
    """Narrows the columns of names and errors until the table fits the width."""
    for narrowest, name in itertools.product(_NARROWEST, ("file", "error", "reason")):
        too_wide = sum(widths.values()) + 2 * (len(widths) - 1) - width
        if widths.get(name, 0) > narrowest and too_wide > 0:
            widths[name] = max(narrowest, widths[name] - too_wide)


def _cut(name: str, text: str, width: int) -> str:
    if len(text) <= width:
        return text
    return f"…{text[1 - width :]}" if name == "file" else f"{text[: width - 1]}…"


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "" if value[0]["label"] is None else f"{value[0]['label']} {value[0]['score']:.2f}"
    if isinstance(value, dict):
        return "" if value["value"] is None else f"{value['value']:.4g} {value['unit']}".rstrip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


class Progress:
    """The progress of a batch run on stderr: its rate, the time left and the errors so far.

    It is a bar in a terminal, and elsewhere, such as in a log file, a line every half minute.

    Args:
        total: files of the run.
        done: those of them that an earlier start has processed.
        shown: whether anything is shown at all.
        every_s: seconds between lines.
    """

    def __init__(self, total: int, done: int = 0, *, shown: bool = True, every_s: float = 30.0):
        in_terminal = sys.stderr.isatty()
        self._bar = tqdm(total=total, initial=done, unit="file", leave=False, disable=not (shown and in_terminal))
        self._logs = shown and not in_terminal
        self._total, self._at_start, self._done = total, done, done
        self._every_s = every_s
        self._started = self._logged = time.monotonic()
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
        """Shows how much of a single file is done."""
        self._show(self._done + share)

    def _show(self, done: float) -> None:
        self._bar.update(done - self._bar.n)
        now = time.monotonic()
        if self._logs and now - self._logged >= self._every_s:
            self._logged = now
            counts = (
                "{percentage:.0f} % of the file" if self._total == 1 else "{n_fmt} of {total_fmt} files, {rate_fmt}"
            )
            line = tqdm.format_meter(
                done,
                self._total,
                now - self._started,
                unit="file",
                initial=self._at_start,
                bar_format=counts + ", {remaining} left{postfix}",
                postfix=f"errors={self._errors}",
            )
            print(" ".join(line.split()), file=sys.stderr, flush=True)
