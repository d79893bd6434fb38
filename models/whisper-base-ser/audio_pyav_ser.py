"""The sound of containers that libsndfile cannot read (m4a, mp4, mkv, avi, webm, …), through PyAV."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from .audio_channels_ser import UNNAMED, Mix, guess_names

logger = logging.getLogger(__name__)

_WITHOUT_INDEX = {"flac", "mpeg", "mpegts"}  # formats in which FFmpeg seeks by searching for a time stamp


class ContainerFrames:
    """Mono frames of a container that FFmpeg reads, by index.

    Time zero is the container's, as in a player. Decoding goes block by block on a fixed grid, each block by a fresh
    decoder that starts a little before it: a decoder's state (AAC takes its noise from a running generator) would
    otherwise make a slice differ from the same stretch of the whole.

    Args:
        av: the PyAV package, which is not imported here, because a model loads without it.
        file: seekable binary file.
        name: name of the file in messages.
        channel: the channel to read, from 0; by default the mix of all.

    Attributes:
        channels (`int`): number of channels.
        rate (`int`): frames per second.
        total (`int`): frames that the header promises, 0 if it has no number; of files written into a pipe it may be
            any.

    Raises:
        ValueError: the file cannot be read, has no sound, holds no samples, or the channel does not exist.
    """

    warm_up_s = 0.5
    longest_pause_s = 3600  # between two packets
    restart_s = 1.0  # time stamps that go back to before this begin another recording in the same file
    decoded_to_the_end_s = 120  # a longer recording is counted from near the end that its header promises
    least_bytes_per_s = 10  # of any recording; speech codecs use 80 and more, and about 20 in silence

    def __init__(self, av: ModuleType, file: BinaryIO, name: str, channel: int | None = None):
        self._av = av
        self._file = file
        self._name = name
        self._channel = channel
        self._damaged = False
        # Reading on from where the last slice ended needs its last frames again, for the resampler.
        self._recent_block = lru_cache(maxsize=2)(self._block)
        # Damaged time stamps may span years, and gaps are read as silence.
        self._longest_s = file.seek(0, os.SEEK_END) / self.least_bytes_per_s
        try:
            with self._open() as container:
                if not container.streams.audio:
                    raise ValueError("the file has no sound")
                if container.streams.audio[0].codec_context is None:
                    raise ValueError("its sound is in an unknown codec")
                self.rate = container.streams.audio[0].rate
                names = _names(container)
                self.channels = len(names)
                self._mixes = {self.channels: Mix(names, channel)}
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
                    f"its time stamps are invalid: they exceed {self._longest_s:.0f} s, the most for a file of its size"
                )
            try:
                block, ended = self._recent_block(index)
            except self._av.error.FFmpegError as error:
                raise ValueError(f"it cannot be read to its end ({error.strerror})") from error
            blocks.append(block)
            index += 1
        return np.concatenate(blocks)[first - offset : None if stop is None else stop - offset]

    @cached_property
    def block_s(self) -> int:
        """Seconds of a block. Blocks of a chain are long, because each is decoded from the beginning of the file."""
        return 600 if self._is_chain else 20

    @cached_property
    def _is_chain(self) -> bool:
        """Whether other recordings follow the first, so that seeking may find the same time in another of them."""
        stamps: list[float] = []
        with contextlib.suppress(self._av.error.FFmpegError), self._open() as container:
            if container.format.name not in _WITHOUT_INDEX:
                return False
            stream = container.streams.audio[0]
            tick_s = float(stream.time_base)
            stamps.extend(packet.pts * tick_s for packet in container.demux(stream) if packet.pts is not None)
        ends = stamps[0] + self.restart_s if stamps else 0
        return any(stamp < min(ends, before) for before, stamp in itertools.pairwise(stamps))

    def _open(self) -> Any:
        self._file.seek(0)
        # A file must not make FFmpeg open other files or addresses.
        return self._av.open(self._file, metadata_errors="ignore", options={"protocol_whitelist": "none"})

    def _block(self, index: int) -> tuple[np.ndarray, bool]:
        """Block `index` of the grid, and whether the recording ends in it."""
        size = self.block_s * self.rate
        block = np.zeros(size, np.float32)
        filled, ends = 0, True
        with self._open() as container:
            self._seek(container, index * self.block_s - self.warm_up_s)
            for position, frame in self._decode(container):
                start = position - index * size
                if start >= size:
                    if filled == 0 and start > self.longest_pause_s * self.rate:
                        hours = start / self.rate / 3600
                        raise ValueError(f"its time stamps are invalid: they jump by {hours:.0f} hours")
                    return block, False
                if start + frame.shape[1] > 0:
                    mono = self._mixed(frame)[max(0, -start) : size - start]
                    filled = max(0, start) + mono.size
                    block[filled - mono.size : filled] = mono
                ends = start + frame.shape[1] <= size  # otherwise its last samples are in the next block
        return block[:filled], ends

    def count(self, most: int) -> int | None:
        """The number of frames, found by decoding to the end, whatever the header promises.

        Args:
            most: samples of all channels to decode; `None` is returned if there are more.

        Raises:
            ValueError: the file cannot be read to its end.
        """
        near_end_s = self.total / self.rate - self.warm_up_s
        try:
            for start_s in (near_end_s, 0.0) if near_end_s > self.decoded_to_the_end_s else (0.0,):
                if (end := self._end(start_s, most)) != 0:
                    return end
        except self._av.error.FFmpegError as error:
            raise ValueError(f"it cannot be read to its end ({error.strerror})") from error
        return 0

    def _end(self, start_s: float, most: int) -> int | None:
        """Index after the last frame, decoded from `start_s` on; 0 where nothing is found; `None` as for `count`."""
        end = decoded = 0
        with self._open() as container:
            self._seek(container, start_s)
            for position, frame in self._frames(container):
                decoded += frame.samples * frame.layout.nb_channels
                if decoded > most:
                    return None
                if (
                    end and position - end > self.longest_pause_s * self.rate
                ) or position > self._longest_s * self.rate:
                    raise ValueError("its time stamps are invalid")
                end = position + self._size(frame)
        return end

    @property
    def cancels(self) -> bool:
        """Whether the channels mixed so far cancel each other."""
        return any(mix.cancels for mix in self._mixes.values())

    def _mixed(self, samples: np.ndarray) -> np.ndarray:
        """Mono `(samples,)` of `(channels, samples)`; in television recordings the number of channels changes."""
        channels = len(samples)
        if channels not in self._mixes:
            # Whichever channel was asked for, a single channel stands for it.
            self._mixes[channels] = Mix(guess_names([UNNAMED] * channels), self._channel if channels > 1 else None)
        return self._mixes[channels](samples.T)

    def _seek(self, container: Any, start_s: float) -> None:
        if start_s > 0 and not self._is_chain:
            # FFmpeg cannot seek past the end, nor in some streams at all, which are read from the beginning.
            with contextlib.suppress(self._av.error.FFmpegError):
                container.seek(round(start_s * self._av.time_base) + (container.start_time or 0))

    def _size(self, frame: Any) -> int:
        """The number of samples of a frame at the recording's rate."""
        size: int = round(frame.samples * self.rate / (frame.sample_rate or self.rate))
        return size

    def _decode(self, container: Any) -> Iterator[tuple[int, np.ndarray]]:
        """Yields `(position, samples)`: the first sample's index, and float32 of shape `(channels, samples)`."""
        to_floats = _ToFloats(self._av, self.rate)
        for position, frame in self._frames(container):
            for samples in to_floats(frame):
                yield position, samples

    def _frames(self, container: Any) -> Iterator[tuple[int, Any]]:
        """Yields `(position, frame)`: the index of the first sample of a frame of FFmpeg's."""
        origin = (container.start_time or 0) / self._av.time_base * self.rate
        position: int | None = None
        for frame in self._packets(container):
            # Time stamps place the first frame and those after a gap; in between, frames are counted.
            stamp: Any = position if frame.pts is None else frame.pts * float(frame.time_base) * self.rate - origin
            if position is not None and stamp < min(position - self._tolerance, self.restart_s * self.rate):
                origin += stamp - position
            elif position is None or abs(stamp - position) > self._tolerance:
                position = self._snap(stamp or 0.0, frame.samples)
            yield position, frame
            position += self._size(frame)

    def _packets(self, container: Any) -> Iterator[Any]:
        """Yields the frames that can be decoded."""
        for packet in container.demux(container.streams.audio[0]):
            try:
                yield from packet.decode()
            except self._av.error.FFmpegError:  # many classes; those of AAC are even permission errors
                if not self._damaged:
                    logger.warning("%s: its damaged parts are read as silence.", self._name)
                self._damaged = True

    def _learn_frame_grid(self, container: Any) -> None:
        """Finds where frames may end from their size, because matroska rounds time stamps to milliseconds."""
        self._tolerance = max(1.0, 1.5 * float(container.streams.audio[0].time_base) * self.rate)
        self._grid: tuple[int, int] | None = None
        ends = [position + self._size(frame) for position, frame in itertools.islice(self._frames(container), 3)]
        if not ends:
            raise ValueError("the recording holds no samples")
        if len(ends) == 3 and ends[2] - ends[1] == ends[1] - ends[0] > 0:
            self._grid = (ends[0], ends[1] - ends[0])

    def _snap(self, stamp: float, samples: int) -> int:
        """Index of the first of `samples` that start about at `stamp`, on the grid where it fits the stamp."""
        if self._grid is not None:
            end, size = self._grid
            snapped = end + round((stamp + samples - end) / size) * size - samples
            if abs(snapped - stamp) <= self._tolerance:
                return snapped
        return round(stamp)


class _ToFloats:
    """Decoded frames as float32 of shape `(channels, samples)`, at one rate.

    With eight planar channels or more, PyAV 18 reads planes that do not exist, and crashes, so these are converted to
    interleaved ones. The format of frames may change where several recordings follow each other in a file.
    """

    def __init__(self, av: ModuleType, rate: int):
        self._av = av
        self._rate = rate
        self._form: tuple[str, str, int] | None = None

    def __call__(self, frame: Any) -> Iterator[np.ndarray]:
        channels = frame.layout.nb_channels
        form = frame.format.name, frame.layout.name, frame.sample_rate
        if form != self._form:
            rate = None if frame.sample_rate == self._rate else self._rate
            self._resampler = self._av.AudioResampler("fltp" if channels < 8 else "flt", rate=rate)
            self._form = form
        for converted in self._resampler.resample(frame):
            samples = converted.to_ndarray()
            yield samples if channels < 8 else samples.reshape(-1, channels).T


def channel_names(av: ModuleType, file: BinaryIO) -> Sequence[str]:
    """FFmpeg's names of a file's channels.

    Raises:
        ValueError: FFmpeg cannot read the file.
    """
    file.seek(0)
    try:
        with av.open(file, metadata_errors="ignore", options={"protocol_whitelist": "none"}) as container:
            return _names(container)
    except (av.error.FFmpegError, IndexError) as error:
        raise ValueError(f"the layout of its channels cannot be read ({error})") from error


def _names(container: Any) -> Sequence[str]:
    return guess_names([channel.name for channel in container.streams.audio[0].layout.channels])
