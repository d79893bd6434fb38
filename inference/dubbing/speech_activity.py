"""A recording -> when there is speech in it and its level: all that its alignment with another one needs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from modeling import SAMPLING_RATE, AudioReader

from ..timeline.voice_activity import find_speech

FRAME = 512  # samples: 32 ms, the frame of silero-vad
FRAME_S = FRAME / SAMPLING_RATE
_BLOCK_S = 60.0  # 1875 whole frames
# A shorter pause does not end a line.
_PAUSE_S = 0.3
_SILENCE_DB = -80.0  # the lowest level that is distinguished


@dataclass(frozen=True)
class SpeechActivity:
    """Speech and level of a recording over time, independent of voice and language.

    Args:
        lines: start and end in seconds of each stretch of speech without a pause, `(lines, 2)`.
        level_db: level of each frame of `FRAME_S` relative to full scale, `(frames,)`.
    """

    lines: np.ndarray
    level_db: np.ndarray

    @property
    def speech(self) -> np.ndarray:
        """1 for frames with speech, else 0, of shape `(frames,)`."""
        speech = np.zeros(self.level_db.size)
        for start, end in np.rint(self.lines / FRAME_S).astype(int):
            speech[start:end] = 1
        return speech


def measure_activity(source: Any) -> SpeechActivity:
    """Reads a recording once, a minute at a time.

    Args:
        source: anything that [`~modeling.AudioReader`] takes.

    Raises:
        AudioError: it cannot be read.
        ValueError: it contains no speech.
    """
    levels: list[np.ndarray] = []
    regions: list[list[float]] = []
    with AudioReader(source) as audio:
        ends = True
        minutes = math.ceil(audio.promised_s / _BLOCK_S) or None
        blocks = tqdm(audio.blocks(_BLOCK_S), f"{audio.name}: finding speech", minutes, unit="min", disable=None)
        for part in find_speech(_measured(blocks, levels)):
            start, end = part.start / SAMPLING_RATE, (part.start + part.waveform.size) / SAMPLING_RATE
            if not ends or (regions and start - regions[-1][1] < _PAUSE_S):
                regions[-1][1] = end
            else:
                regions.append([start, end])
            ends = part.ends
        if not regions:
            raise ValueError(f"{audio.name}: no speech was found, so there are no lines to compare.")
    return SpeechActivity(np.array(regions), np.concatenate(levels))


def _measured(blocks: Iterable[np.ndarray], levels: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Yields the blocks, and adds the level of their frames to `levels`."""
    for block in blocks:
        power = (block[: block.size // FRAME * FRAME].reshape(-1, FRAME) ** 2).mean(axis=1)
        levels.append(decibels(power))
        yield block


def decibels(power: np.ndarray) -> np.ndarray:
    """Mean square of samples in [-1, 1] -> dB relative to full scale, of the same shape."""
    return 10 * np.log10(np.maximum(power, 10 ** (_SILENCE_DB / 10)))
