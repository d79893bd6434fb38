"""Groups of clips, whose metrics show for whom a model fails: by gender, by duration, acted or natural."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

GROUPINGS = {"gender": "gender", "duration": "duration_s", "style": "style"}  # and the column of each
UNKNOWN = "unknown"
_DURATIONS = ("under 1 s", "1 to 2 s", "2 to 4 s", "4 to 6 s", "over 6 s")
_EDGES = (1.0, 2.0, 4.0, np.nextafter(6.0, 7.0))  # a clip of 1 s is in the second, one of 6 s not in the last


def group_clips(columns: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Which clips are in which group.

    Args:
        columns: the clips' columns of [`GROUPINGS`].

    Returns:
        Grouping to group to a boolean array `(clips,)`. Groups without clips are left out; durations are in their
        order, others in alphabetical order, and `unknown` comes last.
    """
    groups = {}
    for grouping, column in GROUPINGS.items():
        values = columns[column]
        found = _duration_names(values) if grouping == "duration" else [value or UNKNOWN for value in values]
        names = np.array(found, dtype=object)
        order = _DURATIONS if grouping == "duration" else sorted({*names} - {UNKNOWN})
        groups[grouping] = {name: names == name for name in (*order, UNKNOWN) if (names == name).any()}
    return groups


def _duration_names(seconds: np.ndarray) -> list[str]:
    return [UNKNOWN if value is None else _DURATIONS[np.digitize(value, _EDGES)] for value in seconds]
