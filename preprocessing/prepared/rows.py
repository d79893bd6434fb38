"""Clip -> row of the prepared table, and back to the sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from datasets import Features, Value

from common.text_files import escape_surrogates, shorten
from modeling import SAMPLING_RATE, load_audio

from ..clip import Clip, SkippedClip
from ..labels import is_missing
from ..stored_audio import encode_waveform
from ..tables.arrow import EmbeddedAudio
from ..targets.acoustics import ACOUSTIC_TARGETS, acoustic_targets

ROW = "row"  # a clip's index in the prepared table: says, after any sampler and any process, whose prediction it is
TOO_SHORT = "shorter than"  # what the reason begins with
COPY = "a copy of another clip"
LONGEST_S = 3600.0  # a clip is held in memory, where a small file may be days of silence
_TEXT = ("id", "path", "corpus", "locale", "speaker", "sentence", "gender", "emotion", "raw_label", "style", "split")
_NUMBERS = ("start_s", "end_s", "duration_s", "scale", *ACOUSTIC_TARGETS)


@dataclass(frozen=True)
class PreparationConfig:
    """What is done to each clip.

    Args:
        min_duration_s: shorter clips are dropped (the paper's counts come out at 0.5 s).
        max_duration_s: what the model hears of a clip, and so what the acoustic targets measure (paper, section 5).
    """

    min_duration_s: float = 0.5
    max_duration_s: float = 6.0


def prepare_clip(clip: Clip, preparation: PreparationConfig) -> dict | SkippedClip:
    """Decodes and measures one clip: a row of the table, or why there is none."""
    longest = clip.start_s + LONGEST_S + 1
    end_s = longest if clip.end_s is None else min(clip.end_s, longest)
    try:
        source = clip.path.read_bytes() if isinstance(clip.path, EmbeddedAudio) else clip.path
        waveform = load_audio(source, start_s=clip.start_s, end_s=end_s)
    except (ValueError, OSError) as error:
        reason = str(error).replace(str(clip.path), "").strip(": ")
        return SkippedClip(clip.id, f"cannot be read: {reason}")
    duration_s = waveform.size / SAMPLING_RATE
    if duration_s > LONGEST_S:
        return SkippedClip(clip.id, f"longer than {LONGEST_S:.0f} s")
    if duration_s < preparation.min_duration_s:
        return SkippedClip(clip.id, f"{TOO_SHORT} {preparation.min_duration_s} s", "rule")
    audio, scale = encode_waveform(waveform)
    analyzed = waveform[: round(preparation.max_duration_s * SAMPLING_RATE)]
    said = {name: getattr(clip, name) for name in (*_TEXT, "start_s", "end_s")} | {"path": clip.path.name}
    return {
        **{
            name: escape_surrogates(value) if isinstance(value, str) else value
            for name, value in (said | clip.extra).items()
        },
        "audio": {"bytes": audio, "path": None},
        "duration_s": duration_s,
        "scale": scale,
        **acoustic_targets(analyzed),
    }


def extra_columns(clips: Sequence[Clip]) -> dict[str, str]:
    """Further labels -> `float64` where all of them are numbers, else `string`.

    Raises:
        ValueError: a name is that of another column, or most values are numbers and some are not.
    """
    values: dict[str, set] = defaultdict(set)
    for clip in clips:
        for name, value in clip.extra.items():
            values[name].add(value)
    taken = values.keys() & {*_TEXT, *_NUMBERS, "audio", ROW}
    if taken:
        raise ValueError(f"A further label cannot be called {', '.join(sorted(taken))}: the table has such a column.")
    return {name: _kind(name, found) for name, found in sorted(values.items())}


def _kind(name: str, values: set) -> str:
    """Numbers where all cells are numbers or say that there is none; else words, and `NA` is one of them."""
    said = {value for value in values if not _is_empty(value)}
    odd = sorted(str(value) for value in said if not _is_number(value))
    if not odd and (said or values <= {None}):
        return "float64"
    if odd and 10 * len(odd) < len(said):  # classes with a few numbers among them are another thing
        raise ValueError(
            f"The further label {name!r} is a number but for {', '.join(map(shorten, odd[:5]))}: leave such cells "
            "empty."
        )
    return "string"


def parse_number(value: str | float | None) -> float | None:
    """The number of a cell of a column of numbers, `None` where it says that there is none."""
    return None if _is_empty(value) else float(value)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and is_missing(value))


def _is_number(value: str | float) -> bool:
    try:
        return bool(np.isfinite(float(value)))
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
