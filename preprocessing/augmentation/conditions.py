"""Conditions under which a model is evaluated: one transform with one value, the same in every evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .babble import Voices
from .transforms import TRANSFORMS, ClipContext, check_names, seeded_generator, transform_clip

_SEED = 0


@dataclass(frozen=True)
class Condition:
    """A condition, which is written `NAME:VALUE`, or `NAME` with the default of the transform.

    Args:
        name: name of the transform.
        value: its number.
    """

    name: str
    value: float

    def __str__(self) -> str:
        return f"{self.name}:{self.value:g}" if TRANSFORMS[self.name].value else self.name

    @property
    def changed_targets(self) -> frozenset[str]:
        """The acoustic targets that differ from those of the clip as recorded."""
        return frozenset(TRANSFORMS[self.name].effects(self.value))


def parse_conditions(texts: Sequence[str]) -> list[Condition]:
    """Conditions as a user writes them.

    Raises:
        ValueError: one is not valid, or given twice, or needs a package that is not installed.
    """
    conditions = [_parse(text) for text in texts]
    for condition in conditions:
        if conditions.count(condition) > 1:
            raise ValueError(f"The condition {condition} is given {conditions.count(condition)} times: give it once.")
    return conditions


def _parse(text: str) -> Condition:
    name, colon, number = text.partition(":")
    check_names([name])
    transform = TRANSFORMS[name]
    if not colon and transform.default is not None:
        return Condition(name, transform.default)
    if not transform.value:
        raise ValueError(f"The condition {text!r} is not valid: {name} takes no value.")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not transform.low <= value <= transform.high or (transform.choices and value not in transform.choices):
        expected = (
            f"one of {', '.join(f'{choice:g}' for choice in transform.choices)}"
            if transform.choices
            else f"from {transform.low:g} to {transform.high:g}"
        )
        raise ValueError(f"The condition {text!r} is not valid: expected {name}:NUMBER, {transform.value}, {expected}.")
    return Condition(name, value)


@dataclass(frozen=True)
class ConditionTransform:
    """Puts clips under a condition. What is random in it depends on the clip's id alone.

    Args:
        condition: the condition.
        voices: clips that babble is made of.
    """

    condition: Condition
    voices: Voices | None = None

    def __call__(self, row: Mapping[str, Any], waveform: np.ndarray) -> tuple[Mapping[str, Any], np.ndarray]:
        name, value = self.condition.name, self.condition.value
        context = ClipContext(seeded_generator(_SEED, row["id"], name), row["id"], self.voices)
        return transform_clip(name, value, row, waveform, context)
