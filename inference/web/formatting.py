"""Outputs formatted for people: titles and meanings of heads, colors of classes, values with units, times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modeling import Task

# Of classes in their order, each with a contrast of 3 to 1 to white and black; the first seven suit the emotions.
TONES = ("#d64545", "#5b8c2a", "#8e5bd0", "#c07f00", "#7a8594", "#2f77d0", "#0b939f", "#c2569b", "#8a6d3b")
_TITLES = {
    "f0_mean": "Pitch",
    "f0_std": "Pitch, spread",
    "energy_mean": "Energy",
    "energy_std": "Energy, spread",
    "voiced_ratio": "Voiced share",
    "start_s": "From",
    "end_s": "To",
    "duration_s": "Length",
    "speech_s": "Speech",
    "analyzed_s": "Analyzed",
}
_MEANINGS = {
    "f0_mean": "How high the voice is: the mean of its fundamental frequency.",
    "f0_std": "How much the pitch varies: its standard deviation.",
    "energy_mean": "How loud the recording is: its mean energy.",
    "energy_std": "How much the loudness varies: the energy's standard deviation.",
    "voiced_ratio": "How much of the time the vocal cords vibrate.",
}
_PERCENTAGES = ("voiced_ratio",)


def title_of(name: str) -> str:
    """The title of a head or a column."""
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def meaning_of(task: Task) -> str:
    """What a head measures, in a sentence; empty if its name is enough, or its meaning unknown."""
    meaning = _MEANINGS.get(task.name, "")
    if meaning and not task.unit and task.name not in _PERCENTAGES:
        return f"{meaning} It has no unit."
    return meaning


def lanes_of(main_task: Task) -> Sequence[str]:
    """The lanes of a timeline: one per class, or a single one for a number."""
    return main_task.labels or (title_of(main_task.name),)


def lane_of(row: Mapping[str, Any], main_task: Task) -> str:
    """The lane of a row."""
    return row[main_task.name][0]["label"] if main_task.is_classification else title_of(main_task.name)


def tone_of(label: str, main_task: Task) -> str:
    """The color of a class."""
    return TONES[lanes_of(main_task).index(label) % len(TONES)]


def format_value(name: str, value: Any) -> tuple[str, str]:
    """The prediction of a head and, to be written smaller, its score or unit."""
    if isinstance(value, list):
        return value[0]["label"], f"{value[0]['score']:.0%}"
    if name in _PERCENTAGES and not value["unit"]:
        return f"{value['value']:.0%}", "of the time"
    return f"{value['value']:.3g}", value["unit"]


def format_duration(seconds: float) -> str:
    """`9.5 s`, `1 min 5 s`, `75 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest and minutes < 60 else f"{minutes} min"


def clock(seconds: float, decimals: int = 1) -> str:
    """`0:07.5`, `12:00.0`, `1:02:03.4`."""
    ticks = round(seconds * 10**decimals)
    minutes, rest = divmod(ticks, 60 * 10**decimals)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest / 10**decimals:0{3 + decimals if decimals else 2}.{decimals}f}"
    return f"{hours}:{minutes:02}:{tail}" if hours else f"{minutes}:{tail}"
