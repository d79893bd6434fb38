"""Any audio or video file, bytes, file object or array -> mono float32 at 16 kHz. The only decoder of the project.

    from .audio_ser import load_audio
    waveform = load_audio("film.mkv", start_s=3600, end_s=3606)  # (96000,)

`soundfile` reads wav, flac, ogg, mp3 and similar files. PyAV, whose wheel brings FFmpeg's libraries, reads those that
soundfile cannot read or may cut short (m4a, and the sound of mp4, avi, mkv). Both are imported at the first file, so
that arrays need neither.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from .audio_array_ser import ArrayFrames, is_array
from .audio_libsndfile_ser import SoundFileFrames
from .audio_ogg_ser import ChainFrames, FilePart, find_links
from .audio_pyav_ser import ContainerFrames, channel_names
from .audio_remote_ser import RemoteFile, redact_credentials
from .audio_resampling_ser import SAMPLING_RATE, Frames, count_at_16_khz, require, resample

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

_RATES = range(1_000, 1_000_001)  # in Hz; a header with a rate of 1 would turn each sample into 16,000
_PIECE = 60 * SAMPLING_RATE  # resampled at once: a long slice at its own rate may not fit into memory
_LOUDEST = 2.0**31  # the highest 32-bit integer; squares of much larger numbers overflow
_COUNTED = 4 * 3600 * 2 * 48_000  # most samples to decode for a recording's length: four hours of stereo at 48 kHz
_COUNTED_BYTES = 10_000_000  # most bytes to fetch from an address for a recording's length


class AudioError(ValueError):
    """A source that holds no usable audio; the message names the source and the reason."""


def load_audio(
    source: str | os.PathLike[str] | bytes | BinaryIO | np.ndarray | torch.Tensor,
    *,
    sampling_rate: int | None = None,
    channel: int | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
) -> np.ndarray:
    """Reads a slice of a recording as mono float32 at 16 kHz.

    Args:
        source: path, URL of any scheme that fsspec supports, encoded bytes, binary file object, or an array of shape
            `(samples,)`, `(channels, samples)` or `(samples, channels)`; integers are scaled to [-1, 1].
        sampling_rate: rate of an array in Hz; files carry their own.
        channel: the channel to read, from 0; by default the mix of all: their average, for film sound FFmpeg's downmix.
        start_s: first second to read.
        end_s: second to stop at; `None` or a time after the end reads to the end.

    Returns:
        Waveform of shape `(samples,)`: the same samples that reading everything and slicing would give.

    Raises:
        FileNotFoundError: the file does not exist.
        AudioError: the source is not audio, cannot be fetched, lacks the channel, has no samples in the slice, or
            holds NaN, infinity, or numbers near it.
    """
    with AudioReader(source, sampling_rate=sampling_rate, channel=channel) as audio:
        return audio.read(start_s, end_s)


class AudioReader:
    """Random access to one recording, as mono float32 at 16 kHz.

    Args:
        source, sampling_rate, channel: as for [`load_audio`].

    Attributes:
        channels (`int`): number of channels.
        promised_s (`float`): seconds that the header promises, which may be wrong, or 0.
    """

    def __init__(self, source: Any, sampling_rate: int | None = None, channel: int | None = None):
        self._close: Callable[[], None] = lambda: None
        self._remote: RemoteFile | None = None
        self._size = 0  # in bytes, of a file
        self._end: int | None = None  # in samples at 16 kHz, as soon as it is known
        self._warned = False
        if is_array(source):
            self.name = "array"
            self._frames: Frames = _call_named(self.name, _open_array, source, sampling_rate, channel)
        else:
            self.name, file = _open(source)
            self._remote = file if isinstance(file, RemoteFile) else None
            if file is not source:
                self._close = file.close
            try:
                self._check_remote()
                self._size = file.seek(0, os.SEEK_END)
                self._frames = _call_named(self.name, _open_frames, file, self.name, channel)
            except BaseException:
                self.close()
                self._check_remote()
                raise
        self.channels = self._frames.channels
        self.promised_s = self._frames.total / self._frames.rate

    @property
    def duration_s(self) -> float | None:
        """Seconds of the recording, whatever the header promises; the part that has not been read is counted.

        `None` where it is unknown: the recording cannot be read to its end, or counting would decode more than four
        hours of stereo at 48 kHz, or would fetch more than 10 MB.
        """
        if self._end is None and (self._remote is None or self._size <= _COUNTED_BYTES):
            with contextlib.suppress(ValueError, OSError):
                count = self._frames.count(_COUNTED)
                if count is not None and not (self._remote and self._remote.failure):
                    self._end = count_at_16_khz(count, self._frames.rate)
        return None if self._end is None else self._end / SAMPLING_RATE

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file, unless the caller opened it."""
        self._close()

    def read(self, start_s: float = 0.0, end_s: float | None = None) -> np.ndarray:
        """The samples from `start_s` to `end_s` (`None`: the end), of shape `(samples,)`; see [`load_audio`]."""
        if not 0 <= start_s < math.inf or (end_s is not None and not end_s > start_s):
            raise AudioError(f"{self.name}: start and end must satisfy 0 <= start < end, got {start_s} s to {end_s} s.")
        first = round(start_s * SAMPLING_RATE)
        stop = None if end_s is None or end_s == math.inf else round(end_s * SAMPLING_RATE)
        return np.concatenate(list(self._pieces(first, stop, _PIECE)))

    def blocks(self, block_s: float = 60.0) -> Iterator[np.ndarray]:
        """Yields the whole recording in successive blocks of `block_s` seconds, the last one shorter.

        Together they are the samples of `read()`, whatever length the header promises.
        """
        return self._pieces(0, None, round(block_s * SAMPLING_RATE))

    def _pieces(self, first: int, stop: int | None, size: int) -> Iterator[np.ndarray]:
        """Yields samples `first` to `stop` at 16 kHz in pieces of `size` samples."""
        for start in itertools.count(first, size):
            piece = self._finite(start, start + size if stop is None else min(start + size, stop))
            if piece.size > 0:
                yield piece
            elif start == first:
                where = "holds no samples" if first == 0 else f"ends before {first / SAMPLING_RATE} s"
                raise AudioError(f"{self.name}: the recording {where}.")
            if piece.size < size:
                return

    def _finite(self, first: int, stop: int) -> np.ndarray:
        """Samples `first` to `stop` at 16 kHz, all finite; fewer or none where the recording ends before."""
        try:
            waveform = resample(self._frames, first, stop)
        except ValueError as error:
            self._check_remote()
            raise AudioError(f"{self.name}: {error}.") from error
        self._check_remote()
        self._note_end(first, stop, waveform.size)
        self._warn_of_cancelation()
        bad = waveform.size - np.count_nonzero(np.abs(waveform) <= _LOUDEST)
        if bad:
            raise AudioError(f"{self.name}: {bad} of {waveform.size} samples are NaN or infinite.")
        return waveform

    def _note_end(self, first: int, stop: int, found: int) -> None:
        if found < stop - first and (found > 0 or first == 0):
            self._end = first + found

    def _warn_of_cancelation(self) -> None:
        if self._frames.cancels and not self._warned:
            logger.warning(
                "%s: its channels cancel each other, so their mix is almost silent. Read one channel alone, with "
                "channel=0, or all with --channels each.",
                self.name,
            )
            self._warned = True

    def _check_remote(self) -> None:
        if self._remote is not None and self._remote.failure:
            raise AudioError(f"{self.name}: cannot be fetched: {self._remote.failure}.") from None


def _open(source: Any) -> tuple[str, BinaryIO]:
    """A name for messages, and a binary file, of any source but an array."""
    if isinstance(source, str) and "://" in source:
        return redact_credentials(source), cast(BinaryIO, _fetch(source))
    if isinstance(source, str | os.PathLike):
        if Path(source).exists() and not Path(source).is_file():  # opening a pipe would wait for a writer
            raise AudioError(f"{source}: expected a file, got a folder, a pipe, a socket or a device.")
        return str(source), Path(source).open("rb")
    if isinstance(source, bytes | bytearray | memoryview):
        return f"{len(source)} bytes", io.BytesIO(source)
    if hasattr(source, "read"):
        return "file object", _seekable(source)
    raise TypeError(
        "Audio must be a path, a URL, bytes, a binary file object, or a numpy or torch array with its `sampling_rate`; "
        f"got {type(source).__name__}."
    )


def _seekable(file: BinaryIO) -> BinaryIO:
    return file if file.seekable() else io.BytesIO(file.read())


def _fetch(url: str) -> RemoteFile:
    name = redact_credentials(url)
    require("fsspec", f"reading {name}")
    try:
        return RemoteFile(url)
    except ImportError as error:
        raise ImportError(f"reading {name}: {error}") from error


def _call_named(name: str, function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function; its `ValueError` becomes an [`AudioError`] with the name of the source."""
    try:
        return function(*args)
    except ValueError as error:
        raise AudioError(f"{name}: {error}.") from error


def _open_array(array: np.ndarray | torch.Tensor, rate: int | None, channel: int | None) -> Frames:
    return _check_rate(ArrayFrames(array, rate, channel))


def _check_rate(frames: Frames) -> Frames:
    if frames.rate not in _RATES:
        raise ValueError(
            f"the sampling rate must be from {_RATES.start:,} to {_RATES.stop - 1:,} Hz, got {frames.rate} Hz"
        )
    return frames


def _open_frames(file: BinaryIO, name: str, channel: int | None) -> Frames:
    if file.seek(0, os.SEEK_END) == 0:
        raise ValueError("not an audio or video file, because it is empty")
    links = find_links(file)
    if len(links) == 1:
        return _open_link(file, name, channel)

    def open_link(number: int, only: int | None) -> Frames:
        return _open_link(cast(BinaryIO, FilePart(file, *links[number])), name, only)

    return ChainFrames(open_link, len(links), name, channel)


def _open_link(file: BinaryIO, name: str, channel: int | None) -> Frames:
    soundfile = require("soundfile", "reading audio files")
    purpose = f"reading {name}"
    frames: SoundFileFrames | None = None
    file.seek(0)
    with contextlib.suppress(ValueError):
        frames = SoundFileFrames(soundfile, file, channel, lambda file: channel_names(require("av", purpose), file))
    if frames is not None and frames.is_reliable:
        return _check_rate(frames)
    try:
        return _check_rate(ContainerFrames(require("av", purpose), file, name, channel))
    except ValueError:
        if frames is None:
            raise
        return _check_rate(frames)
