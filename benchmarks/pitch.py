"""Pitch targets, beside `librosa.pyin`, one core: `python -m benchmarks.pitch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import librosa
import numpy as np

from benchmarks.clips import speech
from benchmarks.measure import Line, Run, command_line, one_core, race, ratio, seconds
from modeling import SAMPLING_RATE
from preprocessing.targets.acoustics import FMAX_HZ, FMIN_HZ, FRAME_LENGTH, HOP_LENGTH
from preprocessing.targets.pyin import pyin

PARAMETERS: dict[str, Any] = {
    "sr": SAMPLING_RATE,
    "fmin": FMIN_HZ,
    "fmax": FMAX_HZ,
    "frame_length": FRAME_LENGTH,
    "hop_length": HOP_LENGTH,
}
CLIPS = 12


def ours() -> Run:
    """F0 and voicing of each clip, by `preprocessing.targets.pyin`."""
    return _run(lambda clip: pyin(clip, **PARAMETERS))


def stock() -> Run:
    """The same by `librosa.pyin`."""
    return _run(lambda clip: librosa.pyin(clip, **PARAMETERS)[:2])


def _run(measured: Callable[[np.ndarray], Any]) -> Run:
    one_core()
    clips, _ = speech(CLIPS)
    measured(clips[0])  # compiles
    return lambda: [measured(clip) for clip in clips]


def measure(quick: bool) -> list[Line]:
    """Ours beside librosa's."""
    clips, what = speech(CLIPS)
    laps = race({"ours": ours, "librosa": stock}, budget_s=30, min_rounds=1 if quick else 3)
    for (f0, voiced), (their_f0, their_voiced) in zip(laps["ours"].result, laps["librosa"].result, strict=True):
        np.testing.assert_array_equal(voiced, their_voiced)
        np.testing.assert_allclose(f0, their_f0, atol=1e-6, rtol=0)
    total = sum(clip.size for clip in clips) / SAMPLING_RATE
    per_second = ", ".join(f"{name} {lap.median / total:.3f} s" for name, lap in laps.items())
    return [
        Line(
            "pitch targets, one core",
            "librosa.pyin with the same parameters",
            **ratio(laps, "ours", "librosa"),
            target=4.0,
            note=f"{what}, {total:.0f} s in all; {seconds(laps)}; for a second of speech {per_second}. Voicing "
            "identical and F0 equal to 1e-6 in every frame.",
        )
    ]


if __name__ == "__main__":
    command_line(measure, __doc__)
