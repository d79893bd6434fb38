"""Clip -> row of the prepared table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import Features, Value

from common.text_files import escape_surrogates, shorten
from modeling import SAMPLING_RATE, load_audio

from ..clip import Clip, SkippedClip
from ..labels import is_missing
from ..stored_audio import encode_waveform
from ..targets.acoustics import ACOUSTIC_TARGETS, acoustic_targets

ROW = "row"  # index of a clip in the prepared table, which identifies it after any sampler and in any process
MAX_CLIP_S = 3600.0  # a clip is held in memory, where a small file may be days of silence
_TEXT = (
    *("id", "path", "corpus", "locale", "speaker", "session", "sentence", "gender", "emotion", "raw_label"),
    *("style", "split"),
)
_NUMBERS = ("start_s", "end_s", "duration_s", "scale", *ACOUSTIC_TARGETS)
Label = str | float | None  # a further label of a clip


@dataclass(frozen=True)
class PreparationConfig:
    """What is done to each clip.

    Args:
        min_duration_s: shorter clips are skipped (the paper's counts come out at 0.5 s).
        max_duration_s: the part of a clip that the model processes, and so the part on which the acoustic targets are
            measured (paper, section 5).
    """

    min_duration_s: float = 0.5
    max_duration_s: float = 6.0


def prepare_clip(clip: Clip, preparation: PreparationConfig) -> dict[str, Any] | SkippedClip:
    """Decodes and measures a clip: a row of the table, or the reason why it is skipped."""
    try:
        waveform = _decode(clip)
    except (ValueError, OSError) as error:
        reason = str(error).replace(str(clip.path), "").strip(": ")
        return SkippedClip(clip.id, f"cannot be read: {reason}")
    duration_s = waveform.size / SAMPLING_RATE
    if duration_s > MAX_CLIP_S:
        return SkippedClip(clip.id, f"longer than {MAX_CLIP_S:.0f} s")
    if duration_s < preparation.min_duration_s:
        return SkippedClip(clip.id, f"shorter than {preparation.min_duration_s} s", "rule")
    audio, scale = encode_waveform(waveform)
    analyzed = waveform[: round(preparation.max_duration_s * SAMPLING_RATE)]
    return {
        **_labels(clip),
        "audio": {"bytes": audio, "path": None},
        "duration_s": duration_s,
        "scale": scale,
        **acoustic_targets(analyzed),
    }


def _decode(clip: Clip) -> np.ndarray:
    """The waveform of a clip, at most a second more than `MAX_CLIP_S` of it."""
    max_end_s = clip.start_s + MAX_CLIP_S + 1
    end_s = max_end_s if clip.end_s is None else min(clip.end_s, max_end_s)
    source = clip.path if clip.embedded is None else clip.embedded.read_bytes()
    return load_audio(source, start_s=clip.start_s, end_s=end_s)


def _labels(clip: Clip) -> dict[str, Label]:
    fields: dict[str, Label] = {name: getattr(clip, name) for name in (*_TEXT, "start_s", "end_s")}
    fields |= {"path": clip.file_name, **clip.extra}
    return {name: escape_surrogates(value) if isinstance(value, str) else value for name, value in fields.items()}


def extra_columns(clips: Sequence[Clip]) -> dict[str, str]:
    """Further labels -> `float64` where all of them are numbers, else `string`.

    Raises:
        ValueError: a name is that of another column, or most values are numbers and some are not.
    """
    values: dict[str, set[Label]] = defaultdict(set)
    for clip in clips:
        for name, value in clip.extra.items():
            values[name].add(value)
    reserved = values.keys() & {*_TEXT, *_NUMBERS, "audio", ROW}
    if reserved:
        raise ValueError(f"A further label cannot be called {', '.join(sorted(reserved))}: the name is reserved.")
    return {name: _kind(name, found) for name, found in sorted(values.items())}


def _kind(name: str, values: set[Label]) -> str:
    """Numbers where all cells are numbers or missing; else text, and then `NA` is a text too."""
    present = [value for value in values if not _is_empty(value)]
    invalid = sorted(str(value) for value in present if not _is_number(value))
    if not invalid and (present or values <= {None}):
        return "float64"
    if invalid and 10 * len(invalid) < len(present):  # more of them would be names of classes, with some numbers
        raise ValueError(
            f"The further label {name!r} has numbers and {', '.join(map(shorten, invalid[:5]))}: leave such cells "
            "empty."
        )
    return "string"


def parse_number(value: Label) -> float | None:
    """The number of a cell of a column of numbers, `None` for a missing one."""
    return None if value is None or _is_empty(value) else float(value)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and is_missing(value))


def _is_number(value: Label) -> bool:
    try:
        return value is not None and bool(np.isfinite(float(value)))
    except ValueError:
        return False


def features(extra: dict[str, str]) -> Features:
    """The columns of the prepared table."""
    return Features(
        {name: Value("string") for name in _TEXT}
        | {name: Value("float64") for name in _NUMBERS}
        | {name: Value(kind) for name, kind in extra.items()}
        | {"audio": {"bytes": Value("binary"), "path": Value("string")}}
    )


def to_columns(rows: Iterable[dict[str, Any]], extra: dict[str, str]) -> dict[str, list[Any]]:
    """Rows as the columns of [`features`], with numbers of further labels parsed."""
    rows = list(rows)
    columns = {name: [row.get(name) for row in rows] for name in features(extra)}
    for name, kind in extra.items():
        if kind == "float64":
            columns[name] = list(map(parse_number, columns[name]))
    return columns
