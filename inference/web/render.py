"""A recording -> self-contained HTML: bars, cards, the outline with its timeline, the sound, files to download."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from modeling import Task

from ..timeline.formats import EXPORTS, TITLES
from .formatting import clock, format_duration, format_value, lane_of, lanes_of, meaning_of, title_of, tone_of
from .recording import Recording
from .render_table import TEMPLATES, render_table

_NO_SPEECH = "#9aa3ae"
_STEPS_S = (0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_TICKS = 6  # at most, in the visible width
_SHORTEST_VIEW_S, _MOST_ZOOM = 10.0, 64


def render_recording(recording: Recording, tasks: Sequence[Task], main_task: Task) -> str:
    """Everything about one recording, its sound and the files to download within it.

    Args:
        recording: its predictions, outline and sound.
        tasks, main_task: of the model.
    """
    scores = recording.outputs.get(main_task.name, []) if main_task.is_classification else []
    card_tasks = [task for task in tasks if task.name in recording.outputs and not (scores and task == main_task)]
    stem = Path(recording.name).stem
    return TEMPLATES.get_template("recording.html.jinja").render(
        name=recording.name,
        summary=_summary(recording),
        caption=_caption(recording, main_task),
        bars=[{**entry, "tone": tone_of(entry["label"], main_task)} for entry in scores],
        cards=[_card(task, recording) for task in card_tasks],
        lanes=[(label, tone_of(label, main_task)) for label in lanes_of(main_task)],
        peaks=len(recording.peaks),
        outline=_outline(recording, main_task),
        parts=[_part(row, recording.duration_s, main_task) for row in recording.segments],
        zooms=[(zoom, _ticks(recording.duration_s, zoom)) for zoom in _zooms(recording.duration_s)],
        sound=_address(recording.sound, "audio/mpeg"),
        downloads=[_download(f"{stem}.{suffix}", export(recording.timeline)) for suffix, export in EXPORTS.items()],
        table=render_table(recording.segments, tasks, main_task),
    )


def render_several(
    rows: Sequence[Mapping[str, Any]], tasks: Sequence[Task], main_task: Task, files: Mapping[str, str]
) -> str:
    """A table with a row per recording, and files to download.

    Args:
        rows: `{"file", **outputs, …}` or `{"file", "error"}`.
        tasks, main_task: of the model.
        files: name to text.
    """
    failed = sum("error" in row for row in rows)
    title = f"{len(rows)} file{'s' if len(rows) > 1 else ''}" + (f", {failed} could not be read" if failed else "")
    downloads = [_download(name, text) for name, text in files.items()]
    return TEMPLATES.get_template("several.html.jinja").render(
        title=title, downloads=downloads, table=render_table(rows, tasks, main_task)
    )


def render_note(sentence: str, *, problem: bool = False) -> str:
    """A sentence in the place of a recording."""
    kind = Markup('class="note problem" role="alert"' if problem else 'class="note"')
    return Markup("<div {}>{}</div>").format(kind, sentence)


def _summary(recording: Recording) -> str:
    duration = format_duration(recording.duration_s)
    if not recording.segments:
        return f"{duration}. No speech was found, so no emotion can be shown."
    return f"{duration}, of which {format_duration(recording.speech_s)} is speech."


def _caption(recording: Recording, main_task: Task) -> str:
    """The heading of the bars."""
    caption = f"{title_of(main_task.name)}: mean score over the speech"
    return f"{caption}, uncertain" if recording.outputs.get("uncertain") else caption


def _card(task: Task, recording: Recording) -> dict[str, Any]:
    """A head besides the main one: its value, its class, or where segments differ, each class's share of the speech.

    A conversation has more than one speaker, so a single gender would not describe it.
    """
    value = recording.outputs[task.name]
    if not task.is_classification:
        return {"title": title_of(task.name), "values": [format_value(task.name, value)], "note": meaning_of(task)}
    shares = dict.fromkeys((entry["label"] for entry in value), 0.0)
    for row in recording.segments:
        shares[row[task.name][0]["label"]] += (row["end_s"] - row["start_s"]) / recording.speech_s
    spoken = sorted(((label, share) for label, share in shares.items() if share), key=lambda entry: -entry[1])
    if len(spoken) == 1:
        return {"title": title_of(task.name), "values": [format_value(task.name, value)], "note": "Mean score."}
    values = [(label, f"{share:.0%}") for label, share in spoken]
    return {"title": title_of(task.name), "values": values, "note": "Share of the speech."}


def _part(row: Mapping[str, Any], duration_s: float, main_task: Task) -> dict[str, Any]:
    """A segment on the timeline: positions in percent of its width."""
    label = lane_of(row, main_task)
    text, detail = format_value(main_task.name, row[main_task.name])
    uncertain = row.get("uncertain", False)
    description = f"{text} {detail}".strip() + (", uncertain" if uncertain else "")
    return {
        "start_s": round(row["start_s"], 3),
        "end_s": round(row["end_s"], 3),
        "left": round(100 * row["start_s"] / duration_s, 3),
        "width": round(100 * (row["end_s"] - row["start_s"]) / duration_s, 3),
        "lane": lanes_of(main_task).index(label),
        "tone": tone_of(label, main_task),
        "uncertain": uncertain,
        "title": f"{description}, {clock(row['start_s'])} to {clock(row['end_s'])}",
    }


def _outline(recording: Recording, main_task: Task) -> list[tuple[str, str]]:
    """The bars of the outline by tone, as paths of an SVG with a height of 100 and a width of 1 per bar."""
    tones = np.full(len(recording.peaks), _NO_SPEECH)
    middles = (np.arange(len(recording.peaks)) + 0.5) * recording.duration_s / len(recording.peaks)
    for row in recording.segments:
        inside = (row["start_s"] <= middles) & (middles < row["end_s"])
        tones[inside] = tone_of(lane_of(row, main_task), main_task)
    paths: dict[str, str] = {}
    for index, (tone, height) in enumerate(zip(tones.tolist(), np.maximum(recording.peaks * 96, 2), strict=True)):
        bar = f"M{index + 0.15:.2f} {50 - height / 2:.1f}v{height:.1f}h.7v-{height:.1f}z"
        paths[tone] = paths.get(tone, "") + bar
    return list(paths.items())


def _zooms(duration_s: float) -> list[int]:
    """The widths that a timeline can have, in widths of the page: on one page, short segments would be invisible."""
    zooms = [1]
    while duration_s / zooms[-1] >= 2 * _SHORTEST_VIEW_S and zooms[-1] < _MOST_ZOOM:
        zooms.append(2 * zooms[-1])
    return zooms


def _ticks(duration_s: float, zoom: int) -> list[tuple[float, str]]:
    """Positions in percent of the width, and times."""
    step = next((step for step in _STEPS_S if duration_s / zoom / step <= _TICKS), _STEPS_S[-1])
    times = np.arange(0, duration_s * 0.97, step)  # a label at the very end would extend beyond the chart
    return [(round(100 * time / duration_s, 2), clock(time, decimals=int(step < 1))) for time in times.tolist()]


def _download(file: str, text: str) -> dict[str, str]:
    address = _address(text.encode(errors="backslashreplace"), "text/plain;charset=utf-8")
    return {"file": file, "title": TITLES[file.rpartition(".")[2]], "address": address}


def _address(content: bytes, media_type: str) -> str:
    """The content as a data URL, so that the server keeps no file for it."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
