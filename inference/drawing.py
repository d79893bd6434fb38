"""What was heard -> HTML in one piece: bars, cards, the outline with its timeline, the sound, files to download."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from inference.exports import EXPORTS
from inference.looks import clock, lane_of, lanes_of, say_value, spell_time, title_of, tone_of
from inference.recording import Recording
from inference.tables import ENVIRONMENT, draw_table
from modeling import Task

_NO_SPEECH = "#9aa3ae"
_STEPS_S = (0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_TICKS = 6


def draw_recording(recording: Recording, main_task: Task) -> str:
    """Everything about one recording, its sound and the files to download within it.

    Args:
        recording: what was heard.
        main_task: of the model.
    """
    answer = dict(recording.answer)
    uncertain = answer.pop("uncertain", False)
    scores = answer.pop(main_task.name, []) if main_task.is_classification else []
    stem = Path(recording.name).stem
    return ENVIRONMENT.get_template("recording.html.jinja").render(
        name=recording.name,
        summary=_summary(recording),
        caption=_caption(recording, title_of(main_task.name), uncertain),
        bars=[{**entry, "tone": tone_of(entry["label"], main_task)} for entry in scores],
        cards=[(title_of(name), *say_value(value)) for name, value in answer.items()],
        lanes=[(label, tone_of(label, main_task)) for label in lanes_of(main_task)],
        peaks=len(recording.peaks),
        outline=_outline(recording, main_task),
        parts=[_part(row, recording.duration_s, main_task) for row in recording.segments],
        ticks=_ticks(recording.duration_s),
        sound=_address(recording.sound, "audio/mpeg"),
        downloads=[
            _download(f"{stem}.{suffix}", export(recording.segments, stem, recording.duration_s))
            for suffix, export in EXPORTS.items()
        ],
        table=draw_table(recording.segments, main_task),
    )


def draw_several(rows: Sequence[Mapping[str, Any]], main_task: Task, files: Mapping[str, str]) -> str:
    """A table with a row per recording, and files to download.

    Args:
        rows: `{"file", **answer, …}` or `{"file", "error"}`.
        main_task: of the model.
        files: name to text.
    """
    failed = sum("error" in row for row in rows)
    title = f"{len(rows)} file{'s' if len(rows) > 1 else ''}" + (f", {failed} of them not readable" if failed else "")
    downloads = [_download(name, text) for name, text in files.items()]
    return ENVIRONMENT.get_template("several.html.jinja").render(
        title=title, downloads=downloads, table=draw_table(rows, main_task)
    )


def draw_note(sentence: str, *, problem: bool = False) -> str:
    """A sentence in the place of a recording."""
    kind = Markup('class="note problem" role="alert"' if problem else 'class="note"')
    return Markup("<div {}>{}</div>").format(kind, sentence)


def _summary(recording: Recording) -> str:
    duration = spell_time(recording.duration_s)
    if not recording.segments:
        return f"{duration}. Nobody was heard to speak, and what is no speech gets no emotion."
    return f"{duration}, of which {spell_time(recording.speech_s)} speech."


def _caption(recording: Recording, title: str, uncertain: bool) -> str:
    """What the bars are of."""
    said = f"{title}, mean over the speech" if recording.averaged else f"{title} of the recording"
    return f"{said}: uncertain" if uncertain else said


def _part(row: Mapping[str, Any], duration_s: float, main_task: Task) -> dict[str, Any]:
    """A segment as the timeline has it: places in per cent of its width."""
    label = lane_of(row, main_task)
    text, detail = say_value(row[main_task.name])
    uncertain = row.get("uncertain", False)
    said = f"{text} {detail}".strip() + (", uncertain" if uncertain else "")
    return {
        "start_s": round(row["start_s"], 3),
        "end_s": round(row["end_s"], 3),
        "left": round(100 * row["start_s"] / duration_s, 3),
        "width": round(100 * (row["end_s"] - row["start_s"]) / duration_s, 3),
        "lane": lanes_of(main_task).index(label),
        "tone": tone_of(label, main_task),
        "uncertain": uncertain,
        "title": f"{said}, {clock(row['start_s'])} to {clock(row['end_s'])}",
    }


def _outline(recording: Recording, main_task: Task) -> list[tuple[str, str]]:
    """By tone the bars of the outline, as the path of an SVG that is 100 high and as wide as there are bars."""
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


def _ticks(duration_s: float) -> list[tuple[float, str]]:
    """Places in per cent, and times."""
    step = next((step for step in _STEPS_S if duration_s / step <= _TICKS), _STEPS_S[-1])
    times = np.arange(0, duration_s * 0.97, step)  # one at the very end would stand out of the chart
    return [(round(100 * time / duration_s, 2), clock(time, decimals=int(step < 1))) for time in times.tolist()]


def _download(file: str, text: str) -> dict[str, str]:
    address = _address(text.encode(errors="backslashreplace"), "text/plain;charset=utf-8")
    return {"file": file, "suffix": file.rpartition(".")[2], "address": address}


def _address(content: bytes, media_type: str) -> str:
    """The content as an address of its own: nothing needs to be kept on the server for it."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
