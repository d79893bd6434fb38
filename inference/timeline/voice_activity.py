"""A recording, block by block -> the regions of it that are speech."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from modeling.vad_ser import FRAME, PAD, SpeechProbabilities, SpeechRegions, find_faint_regions


@dataclass(frozen=True)
class Speech:
    """A region of speech, or the next part of a long one.

    Args:
        start: its first sample in the recording.
        waveform: mono float32 at 16 kHz, of shape `(samples,)`; empty if the region turns out to have ended.
        ends: whether the region ends here. If not, the next part starts with the next sample.
    """

    start: int
    waveform: np.ndarray
    ends: bool


def find_speech(blocks: Iterable[np.ndarray]) -> Iterator[Speech]:
    """Finds speech while a recording is being read.

    The regions are those of `silero_vad.get_speech_timestamps` on the whole recording, whatever the blocks. A region
    that does not end within a block comes in parts: no more than a block is held in memory. A recording of a single
    block in which no speech is found is analyzed again, as [`~modeling.vad_ser.find_regions`] does.

    Args:
        blocks: of the recording, mono float32 at 16 kHz, each of shape `(samples,)`.

    Yields:
        Speech in the order of time.
    """
    count, found, block = 0, False, np.zeros(0, np.float32)

    def counted() -> Iterator[np.ndarray]:
        nonlocal count, block
        for block in blocks:
            count += 1
            yield block

    for part in _find_speech(counted()):
        found = True
        yield part
    if count == 1 and not found:
        yield from (Speech(start, block[start:end], ends=True) for start, end in find_faint_regions(block))


def _find_speech(blocks: Iterable[np.ndarray]) -> Iterator[Speech]:
    detector = SpeechDetector()
    for block in blocks:
        yield from detector.add(block)
    yield from detector.end()


class SpeechDetector:
    """The regions of speech of a recording that comes in blocks.

    It holds the samples that may still become speech: those of an open region that has not been returned, and the
    padding before the next one.

    Attributes:
        is_speech (`bool`): whether a region is open that is long enough to be returned.
    """

    def __init__(self) -> None:
        self._probabilities, self._regions = SpeechProbabilities(), SpeechRegions()
        self._held, self._first = np.zeros(0, np.float32), 0  # samples, and which one they begin with
        self._returned_until: int | None = None  # the first sample of the open region that has not been returned

    @property
    def is_speech(self) -> bool:
        return self._regions.is_sure

    def add(self, block: np.ndarray) -> list[Speech]:
        """Takes the next samples, mono float32 at 16 kHz; returns the speech that is certain."""
        regions, found = self._regions, []
        self._held = np.concatenate([self._held, block])
        for probability in self._probabilities(self._held[regions.processed - self._first :]):
            if region := regions.add(probability):
                found.append(self._cut(region[0], region[1] + PAD, ends=True))
        if regions.start is not None and regions.is_sure and regions.sure_until != self._returned_until:
            found.append(self._cut(regions.start, regions.sure_until, ends=False))
        needed = max(0, regions.earliest_start - PAD) if self._returned_until is None else self._returned_until
        self._held, self._first = self._held[needed - self._first :], needed
        return found

    def end(self) -> list[Speech]:
        """The speech that is left when the recording ends."""
        regions, found = self._regions, []
        total = self._first + self._held.size
        rest = self._held[regions.processed - self._first :]
        for probability in self._probabilities(np.pad(rest, (0, -rest.size % FRAME))):
            if region := regions.add(probability):
                found.append(self._cut(region[0], min(region[1] + PAD, total), ends=True))
        if region := regions.end(total):
            found.append(self._cut(*region, ends=True))
        return found

    def _cut(self, start: int, end: int, ends: bool) -> Speech:
        start = max(0, start - PAD) if self._returned_until is None else self._returned_until
        self._returned_until = None if ends else end
        return Speech(start, self._held[start - self._first : end - self._first], ends)
