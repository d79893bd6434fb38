"""The licence of weights, from the licences of what they were trained on: the strictest wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOT_STATED = "not stated"
# What a licence of recordings lets one do, from the freest to the strictest: the name of the weights' licence, and why.
_LEVELS = (
    ("apache-2.0", "allow commercial use and redistribution: the weights are Apache-2.0"),
    ("non-commercial-data", "do not allow commercial use: the weights are not for commercial use"),
    ("research-only-data", "are for research only, or nothing more is stated: the weights are for research only"),
    (
        "unstated-data-licence",
        "have no licence that is stated here: nobody but who holds the rights in them may rely on using the weights",
    ),
)


@dataclass(frozen=True)
class Licence:
    """The licence of a checkpoint's weights.

    Args:
        name: `apache-2.0`, or a name of this project that says what the strictest data allow.
        reasons: a sentence for each kind of restriction with the corpora that cause it, the strictest first; where
            there is none, the sentence that says so.
    """

    name: str
    reasons: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        return self.name == _LEVELS[0][0]


def strictest(data: Sequence[Mapping[str, Any]]) -> Licence:
    """The licence of weights that were trained on all of these data.

    Weights are Apache-2.0, as the code is, only where every licence allows commercial use and redistribution. Else they
    have no standard licence: the restrictions of the data are said, and the strictest gives them their name.

    Args:
        data: corpora with `corpus`, `licence`, `commercial` and `redistributable`, as `training.json` has them. One
            whose licence is "not stated" counts as the strictest of all.
    """
    levels = [_level(entry) for entry in data]
    reasons = []
    for level in sorted({*levels} - {0}, reverse=True) or [0]:
        names = ", ".join(entry["corpus"] for entry, its in zip(data, levels, strict=True) if its == level)
        reasons.append(f"The recordings of {names} {_LEVELS[level][1]}.")
    return Licence(_LEVELS[max(levels)][0], tuple(reasons))


def _level(entry: Mapping[str, Any]) -> int:
    if entry["licence"] == NOT_STATED:
        return 3
    if not entry["redistributable"]:  # NC or not: what may not even be passed on is taken to be lent
        return 2
    return 0 if entry["commercial"] else 1
