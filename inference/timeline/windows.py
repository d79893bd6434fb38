"""Speech -> overlapping windows of it, none of which reaches beyond a region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from .voice_activity import Speech


@dataclass(frozen=True)
class Window:
    """A stretch of a region that the model processes at once.

    Args:
        start: its first sample in the recording.
        waveform: mono float32 at 16 kHz, of shape `(samples,)`.
        ends: whether it is the last one of its region, whose end is the window's.
    """

    start: int
    waveform: np.ndarray
    ends: bool

    @property
    def end(self) -> int:
        return self.start + self.waveform.size


def cut_windows(speech: Iterable[Speech], window: int, hop: int) -> Iterator[Window]:
    """Cuts regions into windows, as they come.

    Args:
        speech: regions, whole or in parts.
        window: samples of a window. A region that is shorter is one window.
        hop: samples from the start of a window to that of the next. The last one of a region ends where the region
            does, less than a hop after the one before.

    Yields:
        Windows in the order of time.
    """
    held, start, offset = np.zeros(0, np.float32), 0, 0  # samples, which one they begin with, where to cut in them
    for part in speech:
        if held.size == 0:
            start = part.start
        held = np.concatenate([held, part.waveform])
        while offset + window < held.size:
            yield Window(start + offset, held[offset : offset + window], ends=False)
            offset += hop
        if part.ends:
            last = max(0, held.size - window)
            yield Window(start + last, held[last:], ends=True)
            held, offset = held[:0], 0
        else:
            # The last window may start up to a hop before the one that would be next.
            done = max(0, offset - hop)
            held, start, offset = held[done:], start + done, offset - done
