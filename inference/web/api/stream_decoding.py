"""WebM or Ogg in chunks, as browsers record them -> samples at 16 kHz, as soon as they can be decoded."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import Protocol

import av
import numpy as np

from modeling import SAMPLING_RATE

_CHUNKS = 64  # that wait to be decoded
_SETTLED_S = 0.05  # without further samples, after which a chunk counts as decoded
_CLOSED = b""


class StreamDecoder(Protocol):
    """Chunks of a stream -> samples."""

    def decode(self, chunk: bytes, last: bool = False) -> np.ndarray:
        """The samples, mono float32 at 16 kHz of shape `(samples,)`, that can be decoded after a chunk.

        Raises:
            ValueError: the stream cannot be decoded.
        """

    def close(self) -> None:
        """Ends what decodes."""


class ContainerDecoder:
    """Decodes a container while it comes. PyAV pulls from a file, so it reads in a thread, from a queue of chunks.

    Args:
        encoding: `"webm"` or `"ogg"`.
    """

    def __init__(self, encoding: str):
        self._format = {"webm": "matroska", "ogg": "ogg"}[encoding]
        self._pipe = _Pipe()
        self._samples: queue.SimpleQueue[np.ndarray | Exception | None] = queue.SimpleQueue()
        self._ended = False
        self._thread = threading.Thread(target=self._decode_all, daemon=True)
        self._thread.start()

    def decode(self, chunk: bytes, last: bool = False) -> np.ndarray:
        """See [`StreamDecoder`]."""
        if chunk and not self._ended:
            self._pipe.write(chunk)
        if last:
            self._pipe.close()
        parts = [np.zeros(0, np.float32)]
        while not self._ended:
            try:
                item = self._samples.get(timeout=None if last else _SETTLED_S)
            except queue.Empty:
                if self._pipe.is_drained:
                    break
                continue
            if isinstance(item, Exception):
                self._ended = True
                raise item
            if item is None:
                self._ended = True
            else:
                parts.append(item)
        return np.concatenate(parts)

    def close(self) -> None:
        """Ends the thread."""
        self._pipe.close()

    def _decode_all(self) -> None:
        """Puts the samples as they come, then an error if there was one, and always the end, which is waited for."""
        try:
            resampler = av.AudioResampler("flt", "mono", SAMPLING_RATE)
            # Decoding begins with the first bytes, instead of after the seconds that FFmpeg likes to look at.
            options = {"probesize": "2048", "analyzeduration": "0", "fflags": "nobuffer"}
            with av.open(self._pipe, "r", format=self._format, options=options) as container:
                for frame in container.decode(audio=0):
                    for resampled in resampler.resample(frame):
                        self._samples.put(resampled.to_ndarray()[0].copy())
            for resampled in resampler.resample(None):
                self._samples.put(resampled.to_ndarray()[0].copy())
        except (av.FFmpegError, ValueError, IndexError) as error:
            self._samples.put(ValueError(str(error) or type(error).__name__))
        except Exception as error:  # which is not the fault of the stream
            self._samples.put(error)
        finally:
            self._samples.put(None)


class _Pipe:
    """A file that is written in one thread and read in another."""

    def __init__(self) -> None:
        self._chunks: queue.Queue[bytes] = queue.Queue(_CHUNKS)
        self._rest = b""
        self._waits = threading.Event()  # the reader waits for more
        self._closed = False

    @property
    def is_drained(self) -> bool:
        """Whether all that was written has been read, and more is waited for."""
        return self._waits.is_set() and self._chunks.empty()

    def write(self, chunk: bytes) -> None:
        """Adds a chunk."""
        self._waits.clear()
        self._chunks.put(chunk)

    def close(self) -> None:
        """Ends the file."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(queue.Full):  # whoever does not read any more does not wait for the end
                self._chunks.put(_CLOSED, timeout=1)

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; empty at the end. Called by PyAV."""
        if not self._rest:
            if self._chunks.empty():
                self._waits.set()
            chunk = self._chunks.get()
            if chunk == _CLOSED:
                self._chunks.put(_CLOSED)  # for the next call
                return b""
            self._rest = chunk
        part, self._rest = self._rest[:size], self._rest[size:]
        return part
