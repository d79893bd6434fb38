"""The transforms by name: their values, how a training draws these, and what becomes of a clip's acoustic targets.

F0 and voiced ratio describe the voice, so that what is added to it, or lost on the way, does not change them. Energy
describes the waveform: a gain changes it by a known factor, and most other transforms by an unknown one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .babble import Voices
from .signal import (
    change_level,
    change_speed,
    clip_peaks,
    colored_noise,
    mix,
    mp3,
    reverberate,
    room_impulse_response,
    telephone,
)

MP3_KBPS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # of MPEG-2 Layer III
_EXTRA = "fast_mp3_augment"
_ENERGY = ("energy_mean", "energy_std")
_UNKNOWN_ENERGY = dict.fromkeys((*_ENERGY, "energy_mean_normalized", "energy_std_normalized"), math.nan)


@dataclass(frozen=True)
class ClipContext:
    """What a transform needs besides the waveform.

    Args:
        random: random generator of the clip.
        clip_id: id of the clip.
        voices: clips that babble is made of, `None` where there is none.
    """

    random: np.random.Generator
    clip_id: str
    voices: Voices | None = None


def _no_effect(value: float) -> Mapping[str, float]:
    return {}


def _energy_unknown(value: float) -> Mapping[str, float]:
    return _UNKNOWN_ENERGY


@dataclass(frozen=True, kw_only=True)
class Transform:
    """A change of a recording that depends on one number.

    Args:
        apply: waveform of shape `(samples,)`, value and context to the changed waveform.
        value: what the number is, with its unit; empty where the transform takes none.
        low, high: bounds of the number.
        choices: the valid numbers, where only some are.
        default: the number of a condition that gives none; `None` where it has to be given.
        drawn: numbers that a training draws from: one of `choices`, or the bounds of a uniform distribution.
        effects: value to the factors by which it multiplies acoustic targets, NaN where the factor is unknown.
    """

    apply: Callable[[np.ndarray, float, ClipContext], np.ndarray]
    value: str = ""
    low: float = 0.0
    high: float = 0.0
    choices: tuple[float, ...] = ()
    default: float | None = None
    drawn: tuple[float, ...] = (0.0, 0.0)
    effects: Callable[[float], Mapping[str, float]] = _no_effect

    def draw(self, random: np.random.Generator) -> float:
        """A random number for a training."""
        return float(random.choice(self.drawn) if self.choices else random.uniform(self.drawn[0], self.drawn[1]))


def _noise(waveform: np.ndarray, snr_db: float, context: ClipContext) -> np.ndarray:
    exponent = context.random.uniform(0, 2)
    return mix(waveform, colored_noise(waveform.size, exponent, context.random), snr_db)


def _babble(waveform: np.ndarray, snr_db: float, context: ClipContext) -> np.ndarray:
    if context.voices is None:
        raise ValueError("babble needs clips to make it of.")
    return mix(waveform, context.voices.babble(waveform.size, context.random, context.clip_id), snr_db)


def _room(waveform: np.ndarray, rt60_s: float, context: ClipContext) -> np.ndarray:
    direct_db = context.random.uniform(0, 6)
    return reverberate(waveform, room_impulse_response(rt60_s, direct_db, context.random))


_added_at_snr = partial(
    Transform, value="SNR in dB", low=-20, high=60, default=10, drawn=(0, 20), effects=_energy_unknown
)

# In the order in which they happen to a recording, which is the order of application.
TRANSFORMS: Mapping[str, Transform] = {
    "speed": Transform(
        apply=lambda waveform, factor, _: change_speed(waveform, factor),
        value="factor",
        low=0.5,
        high=2,
        drawn=(0.9, 1.1),
        effects=lambda factor: {"f0_mean": factor, "f0_std": factor},
    ),
    "room": Transform(
        apply=_room,
        value="reverberation time (RT60) in s",
        low=0.05,
        high=2,
        default=0.4,
        drawn=(0.1, 0.6),
        effects=_energy_unknown,
    ),
    "noise": _added_at_snr(apply=_noise),
    "babble": _added_at_snr(apply=_babble),
    "gain": Transform(
        apply=lambda waveform, gain_db, _: change_level(waveform, gain_db),
        value="gain in dB",
        low=-60,
        high=40,
        drawn=(-20, 6),
        effects=lambda gain_db: dict.fromkeys(_ENERGY, 10 ** (gain_db / 20)),
    ),
    "clip": Transform(
        apply=lambda waveform, percent, _: clip_peaks(waveform, percent),
        value="clipped samples in %",
        low=0,
        high=50,
        default=5,
        drawn=(0.1, 10),
        effects=_energy_unknown,
    ),
    "telephone": Transform(apply=lambda waveform, *_: telephone(waveform), default=0, effects=_energy_unknown),
    "mp3": Transform(
        apply=lambda waveform, kbps, _: mp3(waveform, int(kbps)),
        value="bit rate in kb/s",
        low=min(MP3_KBPS),
        high=max(MP3_KBPS),
        choices=MP3_KBPS,
        default=32,
        drawn=(16, 24, 32, 48, 64),
        effects=_energy_unknown,
    ),
}


def check_names(names: Iterable[str]) -> None:
    """Checks that transforms exist, that each is given once, and that the package of `mp3` is installed.

    Raises:
        ValueError: otherwise.
    """
    names = list(names)
    for name in names:
        if name not in TRANSFORMS:
            raise ValueError(f"{name!r} is not a transform: expected one of {', '.join(TRANSFORMS)}.")
        if names.count(name) > 1:
            raise ValueError(f"{name} is given {names.count(name)} times: give it once.")
    if "mp3" in names and importlib.util.find_spec(_EXTRA) is None:
        raise ValueError(f"mp3 needs `{_EXTRA}`, of the extra `augment`: pip install fast-mp3-augment")


def transform_clip(
    name: str, value: float, row: Mapping[str, Any], waveform: np.ndarray, context: ClipContext
) -> tuple[Mapping[str, Any], np.ndarray]:
    """Applies a transform.

    Args:
        name: name of the transform.
        value: its number.
        row: the clip's row of the prepared table.
        waveform: the clip, `(samples,)`.
        context: what else the transform needs.

    Returns:
        The row with the acoustic targets of the changed clip, NaN where they are unknown, and the changed waveform.
    """
    transform = TRANSFORMS[name]
    effects = transform.effects(value)
    changed = {column: row[column] * factor for column, factor in effects.items() if row.get(column) is not None}
    return {**row, **changed}, transform.apply(waveform, value, context)


def seeded_generator(*parts: object) -> np.random.Generator:
    """A random generator that depends on these parts alone: not on the process, nor on what was drawn before."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return np.random.default_rng(list(digest))
