"""What only libsndfile has; that its formats decode as every other does stands in `test_audio_ser.py`."""

import io
import struct

import numpy as np
import pytest
import soundfile

from modeling import SAMPLING_RATE, AudioError, load_audio
from modeling.audio_libsndfile_ser import SoundFileFrames
from tests.conftest import voice


def encoded(waveform, rate=SAMPLING_RATE, **form) -> io.BytesIO:
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, **form)
    file.seek(0)
    return file


def test_frames_are_read_by_their_number_and_fewer_at_the_end():
    waveform = voice(1.0, 150)
    frames = SoundFileFrames(soundfile, encoded(waveform, format="WAV", subtype="FLOAT"))
    assert (frames.rate, frames.channels, frames.total) == (SAMPLING_RATE, 1, SAMPLING_RATE)
    np.testing.assert_array_equal(frames.read(100, 300), waveform[100:300])
    np.testing.assert_array_equal(frames.read(15_000, 99_000), waveform[15_000:])
    assert frames.read(99_000, 99_100).size == 0


def test_what_is_read_in_many_parts_is_the_whole(monkeypatch):
    monkeypatch.setattr("modeling.audio_libsndfile_ser._AT_ONCE", 999)
    waveform = np.stack([voice(1.0, 150), voice(1.0, 200)], axis=1)
    frames = SoundFileFrames(soundfile, encoded(waveform, format="WAV", subtype="FLOAT"))
    np.testing.assert_allclose(frames.read(7, 16_000), waveform[7:].mean(axis=1), atol=1e-7)


def flac_of_unknown_length() -> bytes:
    """As a program writes it into a pipe: it cannot go back to fill in the length."""
    content = bytearray(encoded(voice(1.2, 150), format="FLAC").getvalue())
    (packed,) = struct.unpack_from(">Q", content, 18)
    struct.pack_into(">Q", content, 18, packed >> 36 << 36)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [flac_of_unknown_length(), encoded(voice(1.2, 150), format="WAV", subtype="GSM610").getvalue()],
    ids=["flac of unknown length", "gsm"],
)
def test_what_it_cannot_seek_in_is_read_all_the_same(content):
    with pytest.raises(ValueError, match="seek"):
        SoundFileFrames(soundfile, io.BytesIO(content))
    found = load_audio(content)
    assert found.size == pytest.approx(1.2 * SAMPLING_RATE, abs=320)  # GSM has frames of 20 ms
    assert np.corrcoef(found[:16_000], voice(1.2, 150)[:16_000])[0, 1] > 0.95


@pytest.mark.parametrize("size", [27, 43])
def test_a_header_that_points_before_the_file_prints_no_traceback(size, capfd):
    content = encoded(voice(1.0, 150), format="AIFF").getvalue()
    with pytest.raises(AudioError):
        load_audio(content[:size])
    assert "Traceback" not in capfd.readouterr().err


class Failing(io.BytesIO):
    """A file whose connection breaks."""

    def read(self, size=-1):
        if self.tell() > 20_000:
            raise ConnectionResetError("the connection is gone")
        return super().read(size)


def test_a_file_that_fails_does_not_end_there():
    content = encoded(voice(2.0, 150), format="WAV").getvalue()
    with pytest.raises(AudioError, match="the connection is gone"):
        load_audio(Failing(content))
