import io

import av
import numpy as np
import pytest

from inference.web.api.stream_decoding import ContainerDecoder
from modeling import load_audio
from tests.conftest import voice


def encode(waveform: np.ndarray, encoding: str) -> bytes:
    """Opus as browsers record it: WebM with a cluster per packet or so, or Ogg."""
    file = io.BytesIO()
    with av.open(file, "w", format=encoding, options={"cluster_time_limit": "100"} if encoding == "webm" else {}) as to:
        stream = to.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray((waveform[None] * 32767).astype(np.int16), format="s16", layout="mono")
        frame.sample_rate = 16_000
        for resampled in av.AudioResampler("flt", "mono", 48_000).resample(frame):
            to.mux(stream.encode(resampled))
        to.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["webm", "ogg"])
def test_chunks_are_decoded_as_they_come(encoding):
    waveform = voice(6, 150)
    content = encode(waveform, encoding)
    decoder, parts, early = ContainerDecoder(encoding), [], []
    for start in range(0, len(content), 6000):
        parts.append(decoder.decode(content[start : start + 6000]))
        early.append(sum(part.size for part in parts))
    parts.append(decoder.decode(b"", last=True))
    decoder.close()
    decoded, whole = np.concatenate(parts), load_audio(content)
    assert decoded.size == pytest.approx(whole.size, abs=1600)
    assert np.corrcoef(decoded[2000:80_000], whole[2000:80_000])[0, 1] > 0.8
    assert early[len(early) // 2] > 0.25 * whole.size  # half of the bytes give samples before the others are there


@pytest.mark.parametrize("last", [False, True])
def test_an_error_that_is_not_of_the_stream_is_raised_and_ends_it(monkeypatch, last):
    def fail(*_, **__):
        raise MemoryError("too little")

    monkeypatch.setattr("inference.web.api.stream_decoding.av.open", fail)
    decoder = ContainerDecoder("webm")
    with pytest.raises(MemoryError):
        decoder.decode(b"a chunk", last=last)
    assert decoder.decode(b"", last=True).size == 0
    decoder.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_without_an_error_to_forward_ends_its_stream(monkeypatch):
    def end(*_, **__):
        raise SystemExit

    monkeypatch.setattr("inference.web.api.stream_decoding.av.AudioResampler", end)
    decoder = ContainerDecoder("ogg")
    decoder._thread.join()
    assert decoder.decode(b"a chunk", last=True).size == 0
    decoder.close()


@pytest.mark.parametrize("encoding", ["webm", "ogg"])
def test_what_is_no_container_is_an_error(encoding):
    decoder = ContainerDecoder(encoding)
    with pytest.raises(ValueError, match=r"."):
        decoder.decode(b"no container " * 1000, last=True)
    decoder.close()
