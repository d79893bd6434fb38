"""The sound of files that libsndfile reads (wav, flac, ogg, mp3, …)."""

from __future__ import annotations

import contextlib
import os
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

_AT_ONCE = 2**22  # samples of all channels: a header may promise more than the file holds, and more than memory does
_UNKNOWN = 2**63 - 1  # what libsndfile says of a length


def select(channel: int | None) -> slice:
    """The index of the channels whose average is read: one of them, or all."""
    return slice(None) if channel is None else slice(channel, channel + 1)


class SoundFileFrames:
    """Mono frames of a file that libsndfile reads, by index; it seeks to the sample in almost every format.

    Args:
        soundfile: the package, which this file does not import, because a model loads without it.
        file: seekable binary file.
        channel: the one to read, from 0; by default the average of all.

    Attributes:
        channels (`int`): how many there are.
        rate (`int`): frames per second.
        total (`int`): frames that the header promises.

    Raises:
        ValueError: libsndfile does not read the file, or cannot seek in it, as in GSM, or in FLAC whose header does
            not say how long it is.
    """

    def __init__(self, soundfile: ModuleType, file: BinaryIO, channel: int | None = None):
        self._calls = _Calls(file)
        self._error = soundfile.LibsndfileError
        try:
            self._file = soundfile.SoundFile(self._calls)
        except self._error as error:
            raise ValueError(str(error).strip(" :.")) from error
        if not self._file.seekable() or self._file.frames == _UNKNOWN:
            raise ValueError("libsndfile cannot seek in it")
        self._selected = select(channel)
        self.channels: int = self._file.channels
        self.rate: int = self._file.samplerate
        self.total: int = self._file.frames

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
                mono.append(frames[:, self._selected].mean(axis=1))
                first += count
                if len(frames) < count:
                    break
        except self._error as error:
            raise ValueError(str(error).strip(" :.")) from error
        if self._calls.failure is not None:
            raise ValueError(f"it cannot be read: {self._calls.failure}") from self._calls.failure
        return np.concatenate(mono)


class _Calls:
    """A file as libsndfile calls it: an exception would be printed and forgotten, and the file taken to end there."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.failure: Exception | None = None
        self.tell = file.tell

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> None:
        with contextlib.suppress(OSError, ValueError):  # a damaged header may send it to before the beginning
            self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._file.read(len(buffer))
        except Exception as failure:  # of as many kinds as there are files
            self.failure = failure
            return 0
        buffer[: len(data)] = data
        return len(data)
