"""Several forms of one network -> how far each is from the first, how often the class is the same, and how fast."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modeling import SAMPLING_RATE, Task, batched, length_grouped_batches

from ..engine.backend import Backend, pad
from ..engine.synthetic_speech import synthetic_vowels

BATCH_SIZES = (1, 8)
_CLIPS_AT_ONCE = 64  # in memory


@dataclass
class _Difference:
    """How far one network is from the reference, over all batches so far.

    Args:
        max_difference: head to the largest difference of an output.
        same_class: classification head to the number of outputs with the same likeliest class.
    """

    max_difference: dict[str, float]
    same_class: dict[str, int]

    def add(self, expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]) -> None:
        for head, largest in self.max_difference.items():
            # `np.maximum` propagates NaN, which must not be overlooked.
            self.max_difference[head] = float(np.maximum(largest, abs(found[head] - expected[head]).max()))
        for head in self.same_class:
            self.same_class[head] += int((found[head].argmax(1) == expected[head].argmax(1)).sum())


def compare(
    networks: Mapping[str, Backend], tasks: Sequence[Task], clips: Iterable[np.ndarray]
) -> dict[str, dict[str, Any]]:
    """Processes all clips with every network, alone and in batches of eight.

    Args:
        networks: name to network; the others are compared with the first.
        tasks: of the network.
        clips: each mono float32 at 16 kHz, `(samples,)`, of any length.

    Returns:
        Name to `max_difference` (head to the largest difference of an output, before softmax, or in standard deviations
        of a regression's target), `same_class` (classification head to the share of outputs with the likeliest class of
        the first network) and `clips_per_second` (batch size to rate); for the first network only the last.
    """
    reference, *others = networks
    seconds = {name: dict.fromkeys(BATCH_SIZES, 0.0) for name in networks}
    heads, classified = [task.name for task in tasks], [task.name for task in tasks if task.is_classification]
    differences = {name: _Difference(dict.fromkeys(heads, 0.0), dict.fromkeys(classified, 0)) for name in others}
    num_clips = 0
    for group in batched(clips, _CLIPS_AT_ONCE):
        if not num_clips:
            _run(networks, group[:1])  # the first call initializes the networks, and is not timed
        num_clips += len(group)
        for batch_size in BATCH_SIZES:
            for batch in length_grouped_batches([clip.size for clip in group], batch_size):
                outputs, spent = _run(networks, [group[index] for index in batch])
                for name in networks:
                    seconds[name][batch_size] += spent[name]
                for name, difference in differences.items():
                    difference.add(outputs[reference], outputs[name])
    return _summarize(seconds, differences, num_clips)


def _summarize(
    seconds: Mapping[str, Mapping[int, float]], differences: Mapping[str, _Difference], num_clips: int
) -> dict[str, dict[str, Any]]:
    """What [`compare`] returns, from seconds per network and batch size, and the differences."""
    summary: dict[str, dict[str, Any]] = {}
    for name, per_size in seconds.items():
        if difference := differences.get(name):
            shares = {head: count / (num_clips * len(BATCH_SIZES)) for head, count in difference.same_class.items()}
            summary[name] = {"max_difference": difference.max_difference, "same_class": shares}
        rates = {str(size): num_clips / spent for size, spent in per_size.items()}
        summary[name] = {**summary.get(name, {}), "clips_per_second": rates}
    return summary


def synthetic_clips(max_duration_s: float) -> list[np.ndarray]:
    """Sixteen clips of gliding, swelling vowels in noise: of 0.5 to 6 s, of a single sample, and beyond the window."""
    random = np.random.default_rng(0)
    lengths = [1, round(1.25 * max_duration_s * SAMPLING_RATE)]
    lengths += [round(seconds * SAMPLING_RATE) for seconds in np.linspace(0.5, 6.0, 14)]
    return [synthetic_vowels(random, samples) for samples in lengths]


def _run(
    networks: Mapping[str, Backend], clips: Sequence[np.ndarray]
) -> tuple[dict[str, Mapping[str, np.ndarray]], dict[str, float]]:
    """Outputs and seconds of each network for one batch."""
    inputs = pad(clips)
    outputs, spent = {}, {}
    for name, network in networks.items():
        started = time.perf_counter()
        outputs[name] = network(*inputs)
        spent[name] = time.perf_counter() - started
    return outputs, spent
