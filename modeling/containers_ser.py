"""The sound of containers that libsndfile refuses (m4a, mp4, mkv, avi, webm, …), through PyAV."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import lru_cache
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from transformers.utils import logging

from .soundfile_ser import select

logger = logging.get_logger(__name__)


class ContainerFrames:
    """Mono frames of a container that FFmpeg reads, by index.

    Time zero is the container's, as in a player. Decoding goes block by block on a fixed grid, each block by a fresh
    decoder that starts a little before it: a decoder's state (AAC draws its noise from a running generator) would
    otherwise make a slice differ from the same stretch of the whole.

    Args:
        av: the PyAV package, which this file does not import, because a model loads without it.
        file: seekable binary file.
        name: what messages call it.
        channel: the one to read, from 0; by default the average of all.

    Attributes:
        channels (`int`): how many there are.
        rate (`int`): frames per second.
        total (`int`): frames that the header promises.

    Raises:
        ValueError: the file cannot be read, has no sound, or holds no samples.
    """

    block_s = 20
    warm_up_s = 0.5
    longest_pause_s = 3600  # of which a container holds nothing
    least_bytes_per_s = 10  # of any recording; speech codecs send 80 and more, and about 20 in silence

    def __init__(self, av: ModuleType, file: BinaryIO, name: str, channel: int | None = None):
        self._av = av
        self._file = file
        self._name = name
        self._selected = select(channel)
        self._damaged = False
        # Who reads on from where the last stretch ended needs its end again, for the resampler's sake.
        self._recent_block = lru_cache(maxsize=2)(self._block)
        # Damaged time stamps may promise years; what they skip would be read as silence.
        self._longest_s = file.seek(0, os.SEEK_END) / self.least_bytes_per_s
        try:
            with self._open() as container:
                if not container.streams.audio:
                    raise ValueError("the file has no sound")
                if container.streams.audio[0].codec_context is None:
                    raise ValueError("its sound is in a codec that is not known")
                self.rate = container.streams.audio[0].rate
                self.channels = container.streams.audio[0].layout.nb_channels
                self.total = round((container.duration or 0) / av.time_base * self.rate)
                self._learn_frame_grid(container)
        except av.error.FFmpegError as error:
            raise ValueError(f"not an audio or video file that can be read ({error.strerror})") from error

    def read(self, first: int, stop: int | None) -> np.ndarray:
        """Returns frames `first` to `stop` (`None`: the end), fewer where the recording ends before."""
        size = self.block_s * self.rate
        index = first // size
        offset = index * size
        blocks = [np.zeros(0, np.float32)]
        ended = False
        while not ended and (stop is None or index * size < stop):
            if index * self.block_s > self._longest_s:
                raise ValueError(
                    f"its time stamps lie: they pass {self._longest_s:.0f} s, which cannot be in this file"
                )
            try:
                block, ended = self._recent_block(index)
            except self._av.error.FFmpegError as error:
                raise ValueError(f"it cannot be read to its end ({error.strerror})") from error
            blocks.append(block)
            index += 1
        return np.concatenate(blocks)[first - offset : None if stop is None else stop - offset]

    def _open(self) -> Any:
        self._file.seek(0)
        # A file is read as what it is: it may not name further files or addresses to open.
        return self._av.open(self._file, metadata_errors="ignore", options={"protocol_whitelist": "none"})

    def _block(self, index: int) -> tuple[np.ndarray, bool]:
        """Block `index` of the grid, and whether the recording ends in it."""
        size = self.block_s * self.rate
        block = np.zeros(size, np.float32)
        filled = 0
        with self._open() as container:
            if index > 0:
                seconds = index * self.block_s - self.warm_up_s
                # FFmpeg refuses what lies past the end, and some streams altogether: they are read from the beginning.
                with contextlib.suppress(self._av.error.FFmpegError):
                    container.seek(round(seconds * self._av.time_base) + (container.start_time or 0))
            for position, frame in self._decode(container):
                start = position - index * size
                if start >= size:
                    if filled == 0 and start > self.longest_pause_s * self.rate:
                        raise ValueError(f"its time stamps lie: they jump by {start / self.rate / 3600:.0f} hours")
                    return block, False
                if start + frame.shape[1] > 0:
                    heard = frame[self._selected]
                    if len(heard) == 0:
                        raise ValueError("the number of its channels changes")
                    mono = heard.mean(axis=0)[max(0, -start) : size - start]
                    filled = max(0, start) + mono.size
                    block[filled - mono.size : filled] = mono
        return block[:filled], True

    def _decode(self, container: Any) -> Iterator[tuple[int, np.ndarray]]:
        """Yields `(position, samples)`: the first sample's index, and float32 of shape `(channels, samples)`."""
        to_floats = _ToFloats(self._av)
        origin = (container.start_time or 0) / self._av.time_base
        position = None
        for packet in container.demux(container.streams.audio[0]):
            try:
                decoded = packet.decode()
            except self._av.error.FFmpegError:  # of many kinds; AAC's are even called permission errors
                if not self._damaged:
                    logger.warning("%s: what is damaged in it is read as silence.", self._name)
                self._damaged = True
                continue
            for frame in decoded:
                # Inside a run of packets frames are counted; time stamps place the first one, and those after a gap.
                stamp = position if frame.pts is None else (frame.pts * float(frame.time_base) - origin) * self.rate
                if position is None or abs(stamp - position) > self._tolerance:
                    position = self._snap(stamp or 0.0, frame.samples)
                for samples in to_floats(frame):
                    yield position, samples
                    position += samples.shape[1]

    def _learn_frame_grid(self, container: Any) -> None:
        """Learns where frames may end: matroska rounds time stamps to milliseconds, only the frame size tells more."""
        self._tolerance = max(1.0, 1.5 * float(container.streams.audio[0].time_base) * self.rate)
        self._grid: tuple[int, int] | None = None
        ends = []
        for position, samples in self._decode(container):
            ends.append(position + samples.shape[1])
            if len(ends) == 3:
                break
        if not ends:
            raise ValueError("the recording holds no samples")
        if len(ends) == 3 and ends[2] - ends[1] == ends[1] - ends[0] > 0:
            self._grid = (ends[0], ends[1] - ends[0])

    def _snap(self, stamp: float, samples: int) -> int:
        """Index of the first of `samples` that start about at `stamp`, on the grid where that explains the stamp."""
        if self._grid is not None:
            end, size = self._grid
            snapped = end + round((stamp + samples - end) / size) * size - samples
            if abs(snapped - stamp) <= self._tolerance:
                return snapped
        return round(stamp)


class _ToFloats:
    """Decoded frames as float32 of shape `(channels, samples)`.

    Of eight channels or more each in a plane of its own, PyAV 18 reads planes that are not there, and crashes: theirs
    come in one plane.
    """

    def __init__(self, av: ModuleType):
        self._in_planes = av.AudioResampler(format="fltp")
        self._in_one_plane = av.AudioResampler(format="flt")

    def __call__(self, frame: Any) -> Iterator[np.ndarray]:
        channels = frame.layout.nb_channels
        if channels < 8:
            yield from (converted.to_ndarray() for converted in self._in_planes.resample(frame))
        else:
            for converted in self._in_one_plane.resample(frame):
                yield converted.to_ndarray().reshape(-1, channels).T
