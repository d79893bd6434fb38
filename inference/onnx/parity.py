"""Several forms of one network -> how far each is from the first, how often it names the same class, and how fast."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from modeling import SAMPLING_RATE, Task, batched, length_grouped_batches

from ..engine.backend import Backend, pad

BATCH_SIZES = (1, 8)
_POOL = 64  # clips in memory at once


def compare(
    networks: Mapping[str, Backend], tasks: Sequence[Task], clips: Iterable[np.ndarray]
) -> dict[str, dict[str, Any]]:
    """Computes all clips with every network, alone and in batches of eight.

    Args:
        networks: name to network; the others are compared with the first.
        tasks: of the network.
        clips: each mono float32 at 16 kHz, `(samples,)`, of any length.

    Returns:
        Name to `max_difference` (head to the largest difference of an output, before softmax, or in standard deviations
        of a regression's target), `same_class` (classification head to the share of the answers in which the likeliest
        class is the first network's) and `clips_per_second` (batch size to rate); the first network's has the last
        alone.
    """
    reference, *others = networks
    seconds = {name: dict.fromkeys(BATCH_SIZES, 0.0) for name in networks}
    worst = {name: {task.name: 0.0 for task in tasks} for name in others}
    same = {name: {task.name: 0 for task in tasks if task.is_classification} for name in others}
    clip_count = 0
    for pool in batched(clips, _POOL):
        if not clip_count:
            _run(networks, pool[:1])  # what is set up in a first call is not timed
        clip_count += len(pool)
        for batch_size in BATCH_SIZES:
            for batch in length_grouped_batches([clip.size for clip in pool], batch_size):
                answers, spent = _run(networks, [pool[index] for index in batch])
                for name in networks:
                    seconds[name][batch_size] += spent[name]
                for name in others:
                    for task in tasks:
                        expected, found = answers[reference][task.name], answers[name][task.name]
                        # Of a number and NaN, NaN is the larger one here: it must not pass unseen.
                        worst[name][task.name] = float(np.maximum(worst[name][task.name], abs(found - expected).max()))
                        if task.is_classification:
                            same[name][task.name] += int((found.argmax(1) == expected.argmax(1)).sum())
    rates = {
        name: {str(size): clip_count / spent for size, spent in per_size.items()} for name, per_size in seconds.items()
    }
    answer_count = clip_count * len(BATCH_SIZES)
    return {reference: {"clips_per_second": rates[reference]}} | {
        name: {
            "max_difference": worst[name],
            "same_class": {head: count / answer_count for head, count in same[name].items()},
            "clips_per_second": rates[name],
        }
        for name in others
    }


def synthetic_clips(max_duration_s: float) -> list[np.ndarray]:
    """Sixteen clips of gliding, swelling vowels in noise: of 0.5 to 6 s, of a single sample, and beyond the window."""
    random = np.random.default_rng(0)
    lengths = [1, round(1.25 * max_duration_s * SAMPLING_RATE)]
    lengths += [round(seconds * SAMPLING_RATE) for seconds in np.linspace(0.5, 6.0, 14)]
    return [_vowels(random, samples) for samples in lengths]


def _vowels(random: np.random.Generator, samples: int) -> np.ndarray:
    """Harmonics below two formants, on a pitch and a loudness that move as those of speech do."""
    seconds = np.arange(samples) / SAMPLING_RATE
    f0 = random.uniform(90, 240) * (1 + 0.2 * np.sin(2 * np.pi * random.uniform(0.3, 1.5) * seconds))
    formants = random.uniform((300, 900), (800, 2400))
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLING_RATE
    sound = np.zeros(samples)
    for harmonic in range(1, 25):
        distance = (harmonic * f0 - formants[:, None]) / 150
        sound += np.sin(harmonic * phase) / (1 + distance**2).min(axis=0) / harmonic
    loudness = np.abs(np.sin(2 * np.pi * random.uniform(1, 3) * seconds)) * random.uniform(0.02, 0.3)
    return (loudness * sound + random.normal(scale=1e-3, size=samples)).astype(np.float32)


def _run(
    networks: Mapping[str, Backend], clips: Sequence[np.ndarray]
) -> tuple[dict[str, Mapping[str, np.ndarray]], dict[str, float]]:
    """Answers and seconds of each network for one batch."""
    inputs = pad(clips)
    answers, spent = {}, {}
    for name, network in networks.items():
        started = time.perf_counter()
        answers[name] = network(*inputs)
        spent[name] = time.perf_counter() - started
    return answers, spent
