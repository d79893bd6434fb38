"""Rows -> tables in HTML: of each head the likeliest class or the value, and a click on a time plays from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from inference.looks import clock, lane_of, say_value, spell_time, title_of, tone_of
from modeling import Task

ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, autoescape=True, trim_blocks=True
)
_ELSEWHERE = ("error", "reason", "uncertain")  # these have no column of their own
_LAST = ("duration_s", "heard_s", "speech_s")


@dataclass(frozen=True)
class _Cell:
    text: str
    detail: str = ""
    tone: str = ""
    number: bool = False
    start_s: float | None = None
    span: int = 1


def draw_table(rows: Sequence[Mapping[str, Any]], main_task: Task) -> Markup:
    """A table of segments, `{"start_s", "end_s", **answer}`, or files, `{"file", **answer}` and `{"file", "error"}`."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in _ELSEWHERE]
    names = [*(name for name in names if name not in _LAST), *(name for name in _LAST if name in names)]
    cells = []
    for row in rows:
        problem = row.get("error", row.get("reason"))
        if problem:
            cells.append([_Cell(row["file"]), _Cell(problem, span=max(2, len(names) - 1))])
        else:
            cells.append([_cell(name, row, main_task) for name in names])
    text = ENVIRONMENT.get_template("table.html.jinja").render(columns=[title_of(name) for name in names], rows=cells)
    return Markup(text)  # the template has escaped what is in it


def _cell(name: str, row: Mapping[str, Any], main_task: Task) -> _Cell:
    value = row[name]
    if name == "start_s":
        return _Cell(clock(value), start_s=round(value, 3))
    if name == "end_s":
        return _Cell(clock(value))
    if name in _LAST:
        return _Cell("" if value is None else spell_time(value), number=True)
    if not isinstance(value, list | Mapping):
        return _Cell(str(value))
    text, detail = say_value(value)
    if name != main_task.name:
        return _Cell(text, detail, number=not isinstance(value, list))
    detail += ", uncertain" if row.get("uncertain") else ""
    return _Cell(text, detail, tone=tone_of(lane_of(row, main_task), main_task))
