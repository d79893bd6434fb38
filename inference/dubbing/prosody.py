"""Lines of a recording -> how each is spoken: its emotion as predicted, its pitch and energy as measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from modeling import SAMPLING_RATE, AudioReader, batched
from preprocessing.targets.acoustics import acoustic_targets

from ..engine.predictor import Predictor
from .speech_activity import decibels

_WINDOWS_AT_ONCE = 64  # in memory
_AHEAD_S = 60.0  # seconds that are read at once: films are decoded in blocks, and lines are shorter
_MIN_VOICED = 0.1  # of its frames, for a line to have a pitch; whispers have none


@dataclass(frozen=True)
class LineProsody:
    """How lines are spoken.

    Args:
        emotion: probabilities of the model's main task, `(lines, classes)`.
        pitch: mean F0 of the voiced frames in semitones above 1 Hz, NaN if undefined, `(lines,)`.
        energy: mean level in dB relative to full scale, `(lines,)`.
    """

    emotion: np.ndarray
    pitch: np.ndarray
    energy: np.ndarray


def measure_prosody(predictor: Predictor, source: Any, lines: np.ndarray) -> LineProsody:
    """Analyzes the lines of a recording; a line longer than the model's window is cut into windows of equal length.

    Args:
        predictor: whose main task is a classification.
        source: anything that [`~modeling.AudioReader`] takes.
        lines: start and end of each in seconds, `(lines, 2)`, in the order of time.

    Returns:
        For each line the mean over its windows.

    Raises:
        AudioError: the recording cannot be read.
    """
    windows: list[list[tuple]] = [[] for _ in lines]
    with AudioReader(source) as audio:
        for group in batched(_windows(audio, lines, predictor.max_duration_s), _WINDOWS_AT_ONCE):
            emotions = predictor([waveform for _, waveform in group])[predictor.main_task.name]
            for (index, waveform), emotion in zip(group, emotions, strict=True):
                windows[index].append((emotion, *_measure(waveform)))
    emotion, voiced_ratio, f0, power = (np.stack(means) for means in zip(*map(_mean, windows), strict=True))
    f0 = np.divide(f0, voiced_ratio, out=np.full_like(f0, np.nan), where=voiced_ratio >= _MIN_VOICED)
    return LineProsody(emotion, 12 * np.log2(f0), decibels(power))


def _measure(waveform: np.ndarray) -> tuple[float, float, float]:
    """Voiced ratio, mean F0 times voiced ratio, and power, whose means over windows are those of the line."""
    acoustics = acoustic_targets(waveform)
    voiced_ratio = acoustics["voiced_ratio"] or 0.0
    return voiced_ratio, voiced_ratio * (acoustics["f0_mean"] or 0.0), float((waveform.astype(float) ** 2).mean())


def _mean(windows: list[tuple]) -> list[np.ndarray]:
    return [np.mean(values, axis=0) for values in zip(*windows, strict=True)]


def _windows(audio: AudioReader, lines: np.ndarray, window_s: float) -> Iterator[tuple[int, np.ndarray]]:
    """Yields each window with the index of its line."""
    held, held_from = np.zeros(0, np.float32), 0
    for index, (start_s, end_s) in enumerate(tqdm(lines, f"{audio.name}: analyzing lines", unit="line", disable=None)):
        start, end = round(start_s * SAMPLING_RATE), round(end_s * SAMPLING_RATE)
        if end > held_from + held.size:
            held, held_from = audio.read(start_s, max(end_s, start_s + _AHEAD_S)), start
        line = held[start - held_from : end - held_from]
        for window in np.array_split(line, math.ceil(line.size / (window_s * SAMPLING_RATE))):
            yield index, window
