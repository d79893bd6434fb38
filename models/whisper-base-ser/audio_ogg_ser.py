"""A chained Ogg file -> its successive streams, each as a file of its own.

`cat a.ogg b.ogg` is a legal file (RFC 3533, "chaining"), and internet radio is recorded as one. libsndfile reads only
the first stream, FFmpeg only those with the parameters of the first.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from .audio_resampling_ser import SAMPLING_RATE, Frames, count_at_16_khz, resample

logger = logging.getLogger(__name__)

_MAGIC = b"OggS"
_HEADER_SIZE = 27
_BEGINS = 2  # flag of a page that begins a stream


def find_links(file: BinaryIO) -> list[tuple[int, int]]:
    """First and last byte (exclusive) of each link of a chain; a single link of all bytes if the file is not a chain.

    A link begins with a page that begins a stream and does not follow another such page: multiplexed streams, as in a
    film, begin together. Only headers of pages are read.
    """
    size = file.seek(0, os.SEEK_END)
    starts, at, was_begin = [0], 0, True
    while at + _HEADER_SIZE <= size:
        file.seek(at)
        header = file.read(_HEADER_SIZE + 255)
        if not header.startswith(_MAGIC):
            break  # a damaged page, from which the decoder can resume
        begins = bool(header[5] & _BEGINS)
        if begins and not was_begin:
            starts.append(at)
        segments = header[26]
        at, was_begin = at + _HEADER_SIZE + segments + sum(header[_HEADER_SIZE : _HEADER_SIZE + segments]), begins
    return list(zip(starts, [*starts[1:], size], strict=True))


class FilePart(io.RawIOBase):
    """The bytes `start` to `stop` of a file as a file of their own, which does not close the other."""

    def __init__(self, file: BinaryIO, start: int, stop: int):
        self._file = file
        self._start = start
        self._size = stop - start
        self._at = 0

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._at)
        data = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if place < 0:
            raise ValueError(f"A position in a file must be 0 or more, got {place}.")
        self._at = place
        return place

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


class ChainFrames:
    """Mono frames at 16 kHz of recordings that follow each other in a file, each with a rate and channels of its own.

    Only one of them is open at a time, because there may be thousands; their lengths are measured as far as is read.

    Args:
        open_link: returns the frames of a recording by its number, of one of its channels or of the mix of all.
        links: number of recordings.
        name: name of the file in messages.
        channel: the channel to read, from 0; the last one of a recording with fewer channels.
    """

    rate = SAMPLING_RATE
    total = 0

    def __init__(self, open_link: Callable[[int, int | None], Frames], links: int, name: str, channel: int | None):
        self._open_link = open_link
        self._links = links
        self._name = name
        self._channel = channel
        self._ends = [0]  # of the links, in samples, after a zero
        self._opened: tuple[int, Frames] = 0, open_link(0, channel)
        self.cancels = False
        self.channels = self._opened[1].channels

    def read(self, first: int, stop: int) -> np.ndarray:
        """Samples `first` to `stop`, fewer where the last recording ends before."""
        parts = [np.zeros(0, np.float32)]
        for number in range(self._links):
            start, end = self._place(number)
            if start >= stop:
                break
            if end > max(first, start):
                parts.append(resample(self._link(number), max(first, start) - start, min(stop, end) - start))
                self.cancels |= self._link(number).cancels
        return np.concatenate(parts)

    def count(self, most: int) -> int:
        """The number of samples."""
        return self._place(self._links - 1)[1]

    def _place(self, number: int) -> tuple[int, int]:
        """First and last sample (exclusive) of a link."""
        while len(self._ends) <= number + 1:
            self._ends.append(self._ends[-1] + self._length(len(self._ends) - 1))
        return self._ends[number], self._ends[number + 1]

    def _length(self, number: int) -> int:
        try:
            link = self._link(number)
            return count_at_16_khz(link.count(sys.maxsize) or 0, link.rate)
        except ValueError as error:
            logger.warning("%s: recording %d in it is skipped: %s.", self._name, number + 1, error)
            return 0

    def _link(self, number: int) -> Frames:
        if number != self._opened[0]:
            channel = self._channel
            if channel is not None and number > 0:
                channel = min(channel, self._open_link(number, None).channels - 1)
            self._opened = number, self._open_link(number, channel)
        return self._opened[1]
