"""Rows -> tables in HTML: the likeliest class or the value of each head; a click on a time plays from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from common.templates import template_environment
from modeling import Task

from .formatting import clock, format_duration, format_value, lane_of, title_of, tone_of

TEMPLATES = template_environment(Path(__file__).parent)
_NOT_COLUMNS = ("error", "reason", "uncertain")  # shown within other cells
_FIRST = ("file", "start_s", "end_s", "channel")
_TIMES = ("duration_s", "speech_s", "analyzed_s")
_UNKNOWN = "–"


@dataclass(frozen=True)
class _Cell:
    text: str
    detail: str = ""
    tone: str = ""
    number: bool = False
    start_s: float | None = None
    span: int = 1


def render_table(rows: Sequence[Mapping[str, Any]], tasks: Sequence[Task], main_task: Task) -> Markup:
    """A table of segments, `{"start_s", "end_s", **outputs}`, or files, `{"file", **outputs}` and `{"file", "error"}`.

    The order of the columns depends only on the tasks. Values that a row lacks are shown as unknown.
    """
    present = {name for row in rows for name in row}.difference(_NOT_COLUMNS)
    order = [*_FIRST, *(task.name for task in tasks), *_TIMES]
    names = [name for name in order if name in present] + sorted(present.difference(order))
    cells = []
    for row in rows:
        problem = row.get("error", row.get("reason"))
        if problem:
            cells.append([_Cell(row["file"]), _Cell(problem, span=max(2, len(names) - 1))])
        else:
            cells.append([_cell(name, row, main_task) for name in names])
    text = TEMPLATES.get_template("table.html.jinja").render(columns=[title_of(name) for name in names], rows=cells)
    return Markup(text)  # the template has escaped its values


def _cell(name: str, row: Mapping[str, Any], main_task: Task) -> _Cell:
    value = row.get(name)
    if value is None:
        return _Cell(_UNKNOWN)
    if name == "start_s":
        return _Cell(clock(value), start_s=round(value, 3))
    if name == "end_s":
        return _Cell(clock(value))
    if name in _TIMES:
        return _Cell(format_duration(value), number=True)
    if not isinstance(value, list | Mapping):
        return _Cell(str(value))
    text, detail = format_value(name, value)
    if name != main_task.name:
        return _Cell(text, detail, number=not isinstance(value, list))
    detail += ", uncertain" if row.get("uncertain") else ""
    return _Cell(text, detail, tone=tone_of(lane_of(row, main_task), main_task))
