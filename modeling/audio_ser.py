"""Any audio or video file, bytes, file object or array -> mono float32 at 16 kHz. The only decoder of the project.

    from modeling.audio_ser import load_audio
    waveform = load_audio("film.mkv", start_s=3600, end_s=3606)  # (96000,)

`soundfile` reads wav, flac, ogg, mp3 and their like; whatever it refuses goes to PyAV, whose wheel brings FFmpeg's
libraries along (m4a, and the sound of mp4, avi, mkv). Both are imported at the first file, so that arrays need neither.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from .containers_ser import ContainerFrames
from .remote_ser import RemoteFile, hide_secrets
from .soundfile_ser import SoundFileFrames, select

SAMPLING_RATE = 16_000

# soxr's filters at its default quality reach less far than this; beyond it a slice equals the whole to 3e-7.
_RESAMPLER_MARGIN_S = 0.1
_MAX_CHANNELS = 64
_RATES = range(1_000, 1_000_001)  # in Hz; a header that says 1 makes 16,000 samples out of each that there is
_PIECE = 60 * SAMPLING_RATE  # what is resampled at once of a long stretch: at its own rate it may not fit into memory
_LOUDEST = 2.0**31  # the highest of 32-bit integers; the square of what lies far beyond has no number
# Two packages decode and resample; who lacks one mostly lacks both.
_INSTALL = {"soundfile": "soundfile soxr", "soxr": "soundfile soxr", "av": "av", "fsspec": "fsspec"}


class AudioError(ValueError):
    """A source that holds no usable audio; the message names it and says why."""


def load_audio(
    source: str | os.PathLike | bytes | BinaryIO | np.ndarray | torch.Tensor,
    *,
    sampling_rate: int | None = None,
    channel: int | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
) -> np.ndarray:
    """Reads a stretch of a recording as mono float32 at 16 kHz.

    Args:
        source: path, URL of any scheme that fsspec knows, encoded bytes, binary file object, or an array of shape
            `(samples,)`, `(channels, samples)` or `(samples, channels)`; integers are scaled to [-1, 1].
        sampling_rate: rate of an array in Hz; files carry their own.
        channel: the one to read, from 0; by default the average of all.
        start_s: first second to read.
        end_s: second to stop at; `None` or a time after the end reads to the end.

    Returns:
        Waveform of shape `(samples,)`: the same samples that reading everything and slicing would give.

    Raises:
        FileNotFoundError: there is no such file.
        AudioError: the source is not audio, cannot be fetched, lacks the channel, has no samples in the stretch, or
            holds NaN, infinity, or what comes near it.
    """
    with AudioReader(source, sampling_rate=sampling_rate, channel=channel) as audio:
        return audio.read(start_s, end_s)


class AudioReader:
    """Random access to one recording, as mono float32 at 16 kHz.

    Args:
        source, sampling_rate, channel: as for [`load_audio`].

    Attributes:
        duration_s (`float`): length of the recording as its header states it, in seconds.
        channels (`int`): how many the recording has.
    """

    def __init__(self, source: Any, sampling_rate: int | None = None, channel: int | None = None):
        self._close = lambda: None
        self._remote: RemoteFile | None = None
        if isinstance(source, np.ndarray | torch.Tensor):
            self.name = "array"
            self._frames: Any = _ArrayFrames(source, sampling_rate, channel)
        else:
            self.name, file = _open(source)
            self._remote = file if isinstance(file, RemoteFile) else None
            if file is not source:
                self._close = file.close
            try:
                self._check_remote()
                self._frames = _open_frames(file, self.name, channel)
            except BaseException:
                self.close()
                self._check_remote()
                raise
        self.channels = self._frames.channels
        if self._frames.rate not in _RATES:
            self.close()
            raise AudioError(f"{self.name}: a rate of {self._frames.rate} Hz is none that speech is recorded at.")
        if channel is not None and not 0 <= channel < self.channels:
            self.close()
            raise AudioError(f"{self.name}: it has {self.channels} channels, of which none is number {channel}.")
        self.duration_s = self._frames.total / self._frames.rate

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
            raise AudioError(f"{self.name}: a stretch needs 0 <= start < end, got {start_s} s to {end_s} s.")
        first = round(start_s * SAMPLING_RATE)
        stop = None if end_s in (None, math.inf) else round(end_s * SAMPLING_RATE)
        return np.concatenate(list(self._pieces(first, stop, _PIECE)))

    def blocks(self, block_s: float = 60.0) -> Iterator[np.ndarray]:
        """Yields the whole recording in successive blocks of `block_s` seconds, the last one shorter.

        Together they are the samples of `read()`, however long the header says that they last.
        """
        return self._pieces(0, None, round(block_s * SAMPLING_RATE))

    def _pieces(self, first: int, stop: int | None, size: int) -> Iterator[np.ndarray]:
        """Yields samples `first` to `stop` at 16 kHz by `size`."""
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
        """Samples `first` to `stop` at 16 kHz, fewer or none where the recording ends before."""
        try:
            waveform = self._resampled(first, stop)
        except ValueError as error:
            self._check_remote()
            raise AudioError(f"{self.name}: {error}.") from error
        self._check_remote()
        bad = waveform.size - np.count_nonzero(np.abs(waveform) <= _LOUDEST)
        if bad:
            raise AudioError(f"{self.name}: {bad} of {waveform.size} samples are NaN or infinite.")
        return waveform

    def _check_remote(self) -> None:
        if self._remote is not None and self._remote.failure:
            raise AudioError(f"{self.name}: cannot be fetched: {self._remote.failure}.") from None

    def _resampled(self, first: int, stop: int) -> np.ndarray:
        """Samples `first` to `stop` at 16 kHz.

        Reading starts on a multiple of the ratio of the two rates, so that the resampler's phase, and with it every
        sample, is the one that it has when it reads from the beginning.
        """
        rate = self._frames.rate
        if rate == SAMPLING_RATE:
            return self._frames.read(first, stop)
        step_out = SAMPLING_RATE // math.gcd(SAMPLING_RATE, rate)
        step_in = rate // math.gcd(SAMPLING_RATE, rate)
        margin = round(_RESAMPLER_MARGIN_S * SAMPLING_RATE)
        block = max(0, (first - margin) // step_out)
        native = self._frames.read(block * step_in, math.ceil((stop + margin) / step_out) * step_in)
        resampled = _require("soxr", "resampling").resample(native, rate, SAMPLING_RATE)
        offset = block * step_out
        return resampled[first - offset : stop - offset]


def _open(source: Any) -> tuple[str, BinaryIO]:
    """A name for messages and a binary file, whatever the source is."""
    if isinstance(source, str) and "://" in source:
        return hide_secrets(source), _fetch(source)
    if isinstance(source, str | os.PathLike):
        if Path(source).exists() and not Path(source).is_file():  # to open a pipe is to wait for who writes to it
            raise AudioError(f"{source}: not a file, but a folder, a pipe, a socket or a device.")
        return str(source), Path(source).open("rb")
    if isinstance(source, bytes | bytearray | memoryview):
        return f"{len(source)} bytes", io.BytesIO(source)
    if hasattr(source, "read"):
        return "file object", _seekable(source)
    raise TypeError(
        "Audio is a path, a URL, bytes, a binary file object, or a numpy or torch array with its `sampling_rate`; "
        f"got {type(source).__name__}."
    )


def _seekable(file: BinaryIO) -> BinaryIO:
    return file if file.seekable() else io.BytesIO(file.read())


def _fetch(url: str) -> RemoteFile:
    name = hide_secrets(url)
    _require("fsspec", f"reading {name}")
    try:
        return RemoteFile(url)
    except ImportError as error:
        raise ImportError(f"reading {name}: {error}") from error


def _open_frames(file: BinaryIO, name: str, channel: int | None) -> SoundFileFrames | ContainerFrames:
    soundfile = _require("soundfile", "reading audio files")
    if file.seek(0, os.SEEK_END) == 0:
        raise AudioError(f"{name}: not an audio or video file: it is empty.")
    file.seek(0)
    with contextlib.suppress(ValueError):
        return SoundFileFrames(soundfile, file, channel)
    try:
        return ContainerFrames(_require("av", f"reading {name}"), file, name, channel)
    except ValueError as error:
        raise AudioError(f"{name}: {error}.") from error


def _require(package: str, purpose: str) -> Any:
    # Not an import statement: the Hub's loader would demand the package of everyone, even where arrays are passed.
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ImportError(f"{purpose} needs `{package}`: pip install {_INSTALL[package]}") from error


class _ArrayFrames:
    """Mono frames of an array at its own rate."""

    def __init__(self, array: np.ndarray | torch.Tensor, rate: int | None, channel: int | None):
        if rate is None or rate <= 0:
            raise AudioError(f"An array needs its `sampling_rate` in Hz, got {rate}.")
        if isinstance(array, torch.Tensor):
            array = array.detach().cpu().numpy()
        self.rate = int(rate)
        channels = _channels_first(_to_float(array))
        self.channels = len(channels)
        self._mono = channels[0] if self.channels == 1 else channels[select(channel)].mean(axis=0)
        self.total = self._mono.size

    def read(self, first: int, stop: int) -> np.ndarray:
        return self._mono[first:stop].copy()


def _to_float(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:  # 8-bit PCM is unsigned, silence at 128
        return (array.astype(np.float32) - 128) / 128
    if np.issubdtype(array.dtype, np.signedinteger):
        return (array / -float(np.iinfo(array.dtype).min)).astype(np.float32)
    if np.issubdtype(array.dtype, np.floating):
        return array.astype(np.float32)
    raise AudioError(f"An array of samples is float, signed integer or uint8, got {array.dtype}.")


def _channels_first(array: np.ndarray) -> np.ndarray:
    """`(channels, samples)`; channels are the shorter axis."""
    if array.ndim == 1:
        return array[None]
    if array.ndim != 2 or min(array.shape) > _MAX_CHANNELS or array.shape[0] == array.shape[1]:
        raise AudioError(
            "An array of samples has the shape (samples,), (channels, samples) or (samples, channels), with up to "
            f"{_MAX_CHANNELS} channels and fewer channels than samples; got {array.shape}."
        )
    return array if array.shape[0] < array.shape[1] else array.T
