"""Predictions by threads, and batches by the number of clips: `python -m benchmarks.scaling`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.clips import MAX_S, durations, speech
from benchmarks.measure import Laps, Line, Run, command_line, race, ratio, run_command, spread
from benchmarks.released import ours
from modeling import SAMPLING_RATE, length_grouped_batches
from training.sampler import LengthGroupedBatches

THREADS = (1, 2, 3, 4, 5, 7, 8, 16, 32, 64)  # some of which do not divide a batch
PRECISIONS = ("float32", "auto")
SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (100, 1_000)
_STEP, _BATCH = 32, 8  # clips of an effective batch, and of one that is padded
_ROOT = Path(__file__).parent.parent
_FORM = "import sys; from benchmarks.scaling import form; form(int(sys.argv[1]))"


def with_threads(number: int, precision: str, clips: Sequence[np.ndarray]) -> Run:
    """The released model on clips with a number of threads; it returns their seconds of audio."""
    torch.set_num_threads(number)
    return ours(clips, _BATCH, precision)


def thread_numbers() -> list[int]:
    """Those of `THREADS` that this machine has, and all of its cores."""
    cores = len(os.sched_getaffinity(0))
    return sorted({cores, *(number for number in THREADS if number < cores)})


def by_threads(clips: Sequence[np.ndarray], what: str) -> list[Line]:
    """Audio a second with each number of threads, in each precision, and what `auto` gains."""
    numbers = thread_numbers()
    ways = {
        f"{number}, {precision}": partial(with_threads, number, precision, clips)
        for number in numbers
        for precision in PRECISIONS
    }
    laps = race(ways, budget_s=60)
    lines = [line for precision in PRECISIONS for line in _rates(laps, numbers, precision, len(clips), what)]
    gains = [
        Line(
            f"audio a second, threads: {number}, auto",
            "float32",
            **ratio(laps, f"{number}, auto", f"{number}, float32"),
            target=None,
            note="The same run.",
        )
        for number in numbers
    ]
    return [*lines, *gains]


def _rates(laps: dict[str, Laps], numbers: Sequence[int], precision: str, clips: int, what: str) -> list[Line]:
    lines = []
    for number in numbers:
        lap = laps[f"{number}, {precision}"]
        over_one = ratio(laps, f"{number}, {precision}", f"1, {precision}")["value"]
        note = (
            f"{what}, decoded before; {clips / lap.median:.1f} clips a second, {over_one:.2f} × as fast as one thread."
        )
        rates = spread([audio / took for audio, took in zip(lap.results, lap.seconds, strict=True)])
        lines.append(
            Line(f"audio a second, threads: {number}, {precision}", "real time", **rates, target=None, note=note)
        )
    return lines


def form(count: int) -> dict[str, float]:
    """Forms the batches of an epoch of training, and those of a prediction, from lengths alone.

    Returns:
        The `seconds` that both take, and the share of padding in the batches: of `training`, of `prediction`, of
        `random` ones of as many clips, and in clips that are `padded` to 6 s.
    """
    lengths = durations(count)
    start = time.perf_counter()
    order = list(LengthGroupedBatches(lengths.tolist(), _STEP, 0, lambda: 0))
    predicted = length_grouped_batches((lengths * SAMPLING_RATE).astype(int).tolist(), _BATCH)
    took_s = time.perf_counter() - start
    return {
        "seconds": took_s,
        "training": _padding(lengths, _batches(order)),
        "prediction": _padding(lengths, predicted),
        "random": _padding(lengths, _batches(range(count))),  # lengths are in random order
        "padded": 1 - float(lengths.mean()) / MAX_S,
    }


def _batches(order: Sequence[int]) -> list[Sequence[int]]:
    return [order[first : first + _BATCH] for first in range(0, len(order), _BATCH)]


def _padding(lengths: np.ndarray, batches: Sequence[Sequence[int]]) -> float:
    """The share of padding in batches that are padded to their longest clip."""
    padded = sum(len(batch) * lengths[list(batch)].max() for batch in batches)
    return 1 - float(lengths.sum() / padded)


def by_clips(sizes: Sequence[int]) -> list[Line]:
    """Padding, time and memory of forming batches of so many clips."""
    memory = {size: run_command(["-c", _FORM, str(size)], _ROOT).peak_mb for size in sizes}
    return [line for size in sizes for line in _of_size(size, memory, sizes[0])]


def _of_size(size: int, memory: dict[int, float], fewest: int) -> list[Line]:
    rounds = [form(size) for _ in range(3)]
    found = rounds[0]
    claim = f"forming batches by length, {size:,} clips"
    shares = {name: f"{found[name]:.1%}" for name in ("prediction", "random", "padded")}
    padding = Line(
        f"{claim}: padding in training",
        "–",
        **spread([100 * found["training"]]),
        target=None,
        unit=" %",
        note=f"In batches of {_BATCH}, of steps of {_STEP}; in prediction {shares['prediction']}, in random batches "
        f"{shares['random']}, padded to {MAX_S:g} s {shares['padded']}.",
    )
    took = Line(
        f"{claim}: time",
        "–",
        **spread([1000 * of["seconds"] for of in rounds]),
        target=None,
        unit=" ms",
        note="An epoch of training and a prediction.",
    )
    if size == fewest:
        return [padding, took]
    grown = memory[size] / memory[fewest]
    note = f"The peak of a process that forms them: {memory[fewest]:.0f} MB, {memory[size]:.0f} MB."
    more = Line(f"{claim}: memory", f"{fewest:,} clips", **spread([grown]), target=1.1, at_least=False, note=note)
    return [padding, took, more]


def measure(quick: bool) -> list[Line]:
    """Lines on threads, and on numbers of clips."""
    clips, what = speech(4 if quick else 100)
    return [*by_threads(clips, what), *by_clips(QUICK_SIZES if quick else SIZES)]


if __name__ == "__main__":
    command_line(measure, __doc__)
