"""Babble: several voices at once, made of other clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from datasets import Dataset

from ..stored_audio import stored_waveform

NUM_VOICES = 4
_MAX_VOICE_S = 3.0  # the part of a clip that is repeated to the length of the babble: decoding takes most of its time


@dataclass(frozen=True)
class Voices:
    """Clips that babble is made of.

    Args:
        clips: rows of a prepared table, memory-mapped.

    Raises:
        ValueError: there are fewer than two clips.
    """

    clips: Dataset

    def __post_init__(self) -> None:
        if len(self.clips) < 2:
            raise ValueError(f"babble is made of other clips: expected at least 2 clips, got {len(self.clips)}.")

    def babble(self, size: int, random: np.random.Generator, without: str) -> np.ndarray:
        """`size` samples of several voices at the same level, each repeated from a random place.

        Args:
            size: number of samples.
            random: random generator of the choices.
            without: id of the clip that the babble is for, which is not in it.
        """
        total = np.zeros(size, dtype=np.float32)
        for index in random.integers(len(self.clips), size=NUM_VOICES).tolist():
            row = self.clips[index]
            if row["id"] == without:
                row = self.clips[(index + 1) % len(self.clips)]
            voice = stored_waveform(row, _MAX_VOICE_S)
            start = int(random.integers(voice.size))
            level = np.linalg.norm(voice) / np.sqrt(np.float32(voice.size))
            if level > 0:
                total += np.resize(np.roll(voice, -start), size) / level
        return total
