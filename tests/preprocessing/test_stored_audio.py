import io

import numpy as np
import pytest
import soundfile

from modeling import SAMPLING_RATE
from preprocessing.stored_audio import encode_waveform, stored_waveform
from tests.conftest import voice


def store(waveform: np.ndarray) -> dict:
    audio, scale = encode_waveform(waveform)
    return {"audio": {"bytes": audio, "path": None}, "scale": scale}


def test_audio_is_stored_as_mono_flac_of_16_bits():
    info = soundfile.info(io.BytesIO(store(voice(0.5, 150))["audio"]["bytes"]))
    assert (info.format, info.subtype, info.channels, info.samplerate) == ("FLAC", "PCM_16", 1, SAMPLING_RATE)


@pytest.mark.parametrize("peak", [0.1, 1.0, -1.0, 1.7, -1.7])
def test_a_waveform_is_restored_at_its_level(peak):
    waveform = voice(0.5, 150)
    waveform *= np.float32(abs(peak) / waveform.max()) * np.sign(np.float32(peak))
    row = store(waveform)
    assert row["scale"] == pytest.approx(max(1, waveform.max() * 32768 / 32767, -waveform.min()))
    assert np.abs(stored_waveform(row) - waveform).max() <= row["scale"] / 65536 + 1e-6


def test_a_part_is_the_beginning_of_the_whole():
    row = store(voice(1.2, 150) * np.float32(4))
    whole = stored_waveform(row)
    assert whole.dtype == np.float32
    assert row["scale"] > 1
    for seconds, samples in ((0.25, 4000), (1.0, 16000), (1.2, 19200), (6.0, 19200)):
        np.testing.assert_array_equal(stored_waveform(row, seconds), whole[:samples])
