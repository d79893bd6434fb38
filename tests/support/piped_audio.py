"""Recordings as programs write them where they cannot go back: their headers promise nothing, or anything."""

from __future__ import annotations

import io

import av
import numpy as np
import soundfile

from tests.conftest import voice

# Muxer -> codec and rate. Of 20 s FLAC and matroska then state nothing, WAV states 4 GB, AVI and ADTS minutes.
PIPED = {
    "wav": ("pcm_s16le", 16_000),
    "flac": ("flac", 16_000),
    "matroska": ("aac", 44_100),
    "webm": ("libopus", 48_000),
    "avi": ("mp3", 44_100),
    "adts": ("aac", 44_100),
    "mpegts": ("aac", 48_000),
    "wv": ("wavpack", 16_000),
    "aiff": ("pcm_s16be", 16_000),
    "au": ("pcm_s16be", 16_000),
    "ogg": ("libopus", 48_000),
}


class Pipe:
    """What can be written to and not sought in."""

    def __init__(self):
        self._content = io.BytesIO()
        self.write = self._content.write
        self.getvalue = self._content.getvalue


def piped(waveform: np.ndarray, rate: int, codec: str, muxer: str, layout: str = "mono") -> bytes:
    """What FFmpeg writes into a pipe of `(samples,)` or `(channels, samples)`."""
    pipe, channels = Pipe(), np.atleast_2d(waveform).astype(np.float32)
    with av.open(pipe, "w", format=muxer) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        for start in range(0, channels.shape[1], rate):
            part = channels[:, start : start + rate].T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="flt", layout=layout)
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return pipe.getvalue()


def recording(seconds: float, rate: int, f0: float = 150) -> np.ndarray:
    """A voice that goes quiet and comes back, of which variable bit rates make what no estimate fits."""
    quiet = 1e-4 * voice(seconds / 4, f0, 1, rate)
    return 0.4 * np.concatenate([voice(seconds / 4, f0, 0, rate), quiet, quiet, voice(seconds / 4, 1.5 * f0, 2, rate)])


def written(waveform: np.ndarray, rate: int, form: str, subtype: str | None = None, **options) -> bytes:
    """What libsndfile writes."""
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, format=form, subtype=subtype, **options)
    return file.getvalue()


def mp3(waveform: np.ndarray, rate: int, *, counted: bool) -> bytes:
    """An MP3 of variable bit rate, with or without the frame (Xing) that states how many there are."""
    content = written(waveform, rate, "MP3", bitrate_mode="VARIABLE", compression_level=0.5)
    assert content[21:25] == b"Xing"  # of one channel
    return content if counted else content[content.index(content[:2], 2) :]
