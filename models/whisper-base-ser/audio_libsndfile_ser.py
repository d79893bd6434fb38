"""The sound of files that libsndfile reads (wav, flac, ogg, mp3, …)."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from .audio_channels_ser import UNNAMED, Mix

_AT_ONCE = 2**22  # samples of all channels to read: a header may promise more than file and memory hold
_UNKNOWN = 2**63 - 1  # libsndfile's value of an unknown length
_TAGS = 2_048  # bytes after the frames of an MP3, such as ID3v1's, or of a frame that its header does not count


class SoundFileFrames:
    """Mono frames of a file that libsndfile reads, by index. It seeks to the exact sample in almost every format.

    Args:
        soundfile: the package, which is not imported here, because a model loads without it.
        file: seekable binary file.
        channel: the channel to read, from 0; by default the mix of all.
        names_of: returns the names of a file's channels; called if there are more than two.

    Attributes:
        channels (`int`): number of channels.
        rate (`int`): frames per second.
        total (`int`): frames that the header promises.
        is_reliable (`bool`): whether `total` is exact. libsndfile estimates the frames of an MP3 that does not count
            them, and reads none after its estimate; of a truncated FLAC it does not read the end.

    Raises:
        ValueError: libsndfile cannot read the file, or cannot seek in it, as in GSM and in FLAC without a length in
            its header, or does not give the order of its channels, as in Ogg.
    """

    def __init__(
        self,
        soundfile: ModuleType,
        file: BinaryIO,
        channel: int | None = None,
        names_of: Callable[[BinaryIO], Sequence[str]] | None = None,
    ):
        self._calls = _Calls(file)
        self._error = soundfile.LibsndfileError
        try:
            self._file = soundfile.SoundFile(self._calls)
        except self._error as error:
            raise ValueError(str(error).strip(" :.")) from error
        if not self._file.seekable() or self._file.frames == _UNKNOWN:
            raise ValueError("libsndfile cannot seek in it")
        self.channels: int = self._file.channels
        self.rate: int = self._file.samplerate
        self.total: int = self._file.frames
        names: Sequence[str] = [UNNAMED] * self.channels
        if self.channels > 2 and names_of is not None:
            if self._file.format == "OGG":
                raise ValueError("libsndfile does not give the order of its channels")
            with _kept_position(file):
                names = names_of(file)
        self._mix = Mix(names, channel)
        self.is_reliable = self._file.format != "FLAC" or self._has(self.total - 1)
        if self._file.format == "MP3":
            with _kept_position(file):
                self.is_reliable = _counts_its_frames(file)

    def read(self, first: int, stop: int) -> np.ndarray:
        """Returns frames `first` to `stop`, fewer where the recording ends before.

        Raises:
            ValueError: the file is damaged there, or cannot be read.
        """
        stop = min(stop, self.total)
        mono = [np.zeros(0, np.float32)]
        try:
            self._file.seek(min(first, self.total))
            while first < stop:
                count = min(stop - first, _AT_ONCE // self.channels)
                frames = self._file.read(count, dtype="float32", always_2d=True)
                mono.append(self._mix(frames))
                first += count
                if len(frames) < count:
                    break
        except self._error as error:
            raise ValueError(str(error).strip(" :.")) from error
        if self._calls.failure is not None:
            raise ValueError(f"it cannot be read: {self._calls.failure}") from self._calls.failure
        return np.concatenate(mono)

    @property
    def cancels(self) -> bool:
        """Whether the channels mixed so far cancel each other."""
        return self._mix.cancels

    def count(self, most: int) -> int:
        """The number of frames that can be read, found by bisection, whatever the header promises.

        Args:
            most: not needed here, because only a few frames are decoded.
        """
        there, beyond = 0, self.total + 1
        probed = self.total
        while beyond - there > 1:
            there, beyond = (probed, beyond) if self._has(probed - 1) else (there, probed)
            probed = (there + beyond) // 2
        return there

    def _has(self, index: int) -> bool:
        try:
            self._file.seek(index)
            return len(self._file.read(1, dtype="float32", always_2d=True)) == 1
        except self._error:
            return False


def _counts_its_frames(file: BinaryIO) -> bool:
    """Whether an MP3 gives the size of its frames (in a Xing or Info header), and holds no others.

    Files that were written into a pipe, truncated, or concatenated do not.
    """
    start, head = 0, b""
    file.seek(0)
    while (head := file.read(10)).startswith(b"ID3") and len(head) == 10:
        start += 10 + sum((byte & 127) << 7 * place for place, byte in enumerate(reversed(head[6:])))
        file.seek(start)
    head += file.read(54)
    tag = max(head.find(b"Xing"), head.find(b"Info"))
    if not 4 < tag <= len(head) - 16:
        return False
    flags, _, size = struct.unpack_from(">III", head, tag + 4)
    return bool(flags & 3 == 3 and abs(file.seek(0, os.SEEK_END) - start - size) <= _TAGS)


@contextlib.contextmanager
def _kept_position(file: BinaryIO) -> Iterator[None]:
    """Restores the position of the file, from which libsndfile continues to read."""
    position = file.tell()
    yield
    file.seek(position)


class _Calls:
    """A file for libsndfile to call back, which would print an exception, ignore it, and treat the file as ended."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.failure: Exception | None = None
        self.tell = file.tell

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> None:
        with contextlib.suppress(OSError, ValueError):  # a damaged header may point to before the beginning
            self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._file.read(len(buffer))
        except Exception as failure:  # any kind of file object may be behind it
            self.failure = failure
            return 0
        buffer[: len(data)] = data
        return len(data)
