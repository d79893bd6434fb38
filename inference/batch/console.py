"""Rows -> what people read in a terminal, and how far a job is."""

from __future__ import annotations

import itertools
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

_WIDTH = 80  # of an answer in full
_NARROWEST = (20, 10, 5)  # to which a name or an error is cut, if there is no other way
# Of a narrow table, where there are any: before and after the head that it shows.
_BEFORE = ("file", "start_s", "end_s", "channel")
_AFTER = ("uncertain", "speech_s", "reason", "error")


def format_rows(rows: Sequence[dict[str, Any]], head: str | None = None) -> str:
    """A single file in full, or else a table; `head` as of both."""
    is_file = len(rows) == 1 and ("analyzed_s" in rows[0] or "error" in rows[0])
    return format_answer(rows[0], head) if is_file else format_table(rows, head)


def format_answer(row: dict[str, Any], head: str | None = None) -> str:
    """The answer for one file in full, in lines of 80 columns.

    Args:
        row: of the file.
        head: the one that is shown; by default all.
    """
    if "error" in row:
        return f"{row['file']}: {row['error']}"
    lines = [f"{row['file']}: {_say_seconds(row)}"]
    for name, value in row.items():
        if not isinstance(value, list | dict | bool) or (head not in (None, name) and name != "uncertain"):
            continue
        said = "  ".join(map(_say_score, value)) if isinstance(value, list) else _cell(value)
        indent = " " * len(f"  {name:<14}")
        lines += textwrap.wrap(f"  {name:<14}{said}", _WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines).replace("\xa0", " ")


def _say_seconds(row: dict[str, Any]) -> str:
    length = "unknown length" if row["duration_s"] is None else f"{row['duration_s']:.2f} s"
    said = f"{length}, of which the model processed {row['analyzed_s']:.2f} s"
    if row.get("speech_s") is None:
        return said
    return f"{said}; {row.get('reason') or format(row['speech_s'], '.2f') + ' s of it are speech'}"


def _say_score(entry: dict[str, Any]) -> str:
    # Not to be divided at the end of a line.
    return "–" if entry["label"] is None else f"{entry['label']} {entry['score']:.3f}".replace(" ", "\xa0")


def format_table(rows: Sequence[dict[str, Any]], head: str | None = None) -> str:
    """A line per row: of each head the likeliest class or the value.

    Args:
        rows: of files or segments.
        head: the one that is shown, beside seconds of speech and errors; by default all there is. Of a terminal the
            table then takes no more than the width, for which long names and errors are cut.
    """
    cells = [{name: _cell(value) for name, value in (_narrow(row, head) if head else row).items()} for row in rows]
    found = dict.fromkeys(name for line in cells for name in line)
    names = (
        [*(name for name in found if name not in _AFTER), *(name for name in _AFTER if name in found)]
        if head
        else found
    )
    widths = {name: max(len(name), *(len(line.get(name, "")) for line in cells)) for name in names}
    if head and sys.stdout.isatty():
        _fit(widths, shutil.get_terminal_size().columns)
    lines = [{name: name for name in names}, *cells]
    return "\n".join(
        "  ".join(_cut(name, line.get(name, ""), widths[name]).ljust(widths[name]) for name in names).rstrip()
        for line in lines
    )


def _narrow(row: dict[str, Any], head: str) -> dict[str, Any]:
    chosen = {head: row[head]} if head in row else {}
    if isinstance(row.get(head), list):
        chosen = {head: row[head][0]["label"], "score": row[head][0]["score"]}
    place = {name: row[name] for name in _BEFORE if name in row}
    # On a timeline the seconds of speech are those of the whole recording.
    after = {name: row[name] for name in _AFTER if name in row and not (name == "speech_s" and "start_s" in row)}
    return place | chosen | after


def _fit(widths: dict[str, int], width: int) -> None:
    """Narrows the columns of names and errors, such that the table has the width."""
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
