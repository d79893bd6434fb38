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
    cutter = WindowCutter(window, hop)
    for part in speech:
        yield from cutter.add(part)


class WindowCutter:
    """The windows of regions that come in parts.

    Args:
        window, hop: as of [`cut_windows`].
    """

    def __init__(self, window: int, hop: int):
        self._window, self._hop = window, hop
        self._held, self._start = np.zeros(0, np.float32), 0  # samples, and which one they begin with
        self._offset = 0  # where the next window begins in them

    @property
    def rest(self) -> Window | None:
        """The end of the open region, up to a window of it, as if the region ended here; `None` between regions."""
        if self._held.size == 0:
            return None
        last = max(0, self._held.size - self._window)
        return Window(self._start + last, self._held[last:], ends=True)

    def add(self, part: Speech) -> Iterator[Window]:
        """Takes the next part of a region; yields the windows that it completes."""
        if self._held.size == 0:
            self._start = part.start
        self._held = np.concatenate([self._held, part.waveform])
        while self._offset + self._window < self._held.size:
            window = self._held[self._offset : self._offset + self._window]
            yield Window(self._start + self._offset, window, ends=False)
            self._offset += self._hop
        if part.ends:
            if rest := self.rest:
                yield rest
            self._held, self._offset = self._held[:0], 0
        else:
            # The last window may start up to a hop before the one that would be next.
            done = max(0, self._offset - self._hop)
            self._held, self._start, self._offset = self._held[done:], self._start + done, self._offset - done
