"""Recordings in the codecs and containers of FFmpeg."""

import av
import numpy as np


def encode(path, waveform: np.ndarray, rate: int, codec: str, bit_rate: int | None, video: bool = False) -> None:
    """Writes `(samples,)` in the container of the path's suffix; with `video`, next to a picture stream."""
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "mono"
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        if video:
            picture = container.add_stream("mpeg4", rate=5)
            picture.width = picture.height = 16
            for _ in range(5):
                container.mux(picture.encode(av.VideoFrame(16, 16, "yuv420p")))
            container.mux(picture.encode(None))
        for start in range(0, waveform.size, rate):
            samples = np.ascontiguousarray(waveform[None, start : start + rate])
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))  # PyAV converts to what the codec takes
        container.mux(stream.encode(None))
