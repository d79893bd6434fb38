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
    probabilities, regions = SpeechProbabilities(), SpeechRegions()
    held, first = np.zeros(0, np.float32), 0  # the samples that may still be needed, and which one they begin with
    yielded_until = None  # the first sample of the open region that has not been yielded

    def cut(start: int, end: int, ends: bool) -> Speech:
        start = max(0, start - PAD) if yielded_until is None else yielded_until
        return Speech(start, held[start - first : end - first], ends)

    for block in blocks:
        held = np.concatenate([held, block])
        for probability in probabilities(held[regions.processed - first :]):
            if region := regions.add(probability):
                yield cut(region[0], region[1] + PAD, ends=True)
                yielded_until = None
        if regions.start is not None and regions.is_sure and regions.sure_until != yielded_until:
            yield cut(regions.start, regions.sure_until, ends=False)
            yielded_until = regions.sure_until
        needed = yielded_until if yielded_until is not None else max(0, regions.earliest_start - PAD)
        held, first = held[needed - first :], needed

    total = first + held.size
    rest = held[regions.processed - first :]
    for probability in probabilities(np.pad(rest, (0, -rest.size % FRAME))):
        if region := regions.add(probability):
            yield cut(region[0], min(region[1] + PAD, total), ends=True)
            yielded_until = None
    if region := regions.end(total):
        yield cut(*region, ends=True)
