import librosa
import numpy as np
import pytest

from modeling import SAMPLING_RATE, load_audio
from preprocessing.targets.acoustics import FMAX_HZ, FMIN_HZ, FRAME_LENGTH, HOP_LENGTH
from preprocessing.targets.pyin import pyin
from tests.conftest import voice

PARAMETERS = {
    "acoustics": {"fmin": FMIN_HZ, "fmax": FMAX_HZ, "frame_length": FRAME_LENGTH, "hop_length": HOP_LENGTH},
    "another set": {"fmin": 65.0, "fmax": 400.0, "frame_length": 2048, "hop_length": 512},
}


def glide(first: float, last: float, seconds: float = 0.7) -> np.ndarray:
    """A buzzing vowel whose pitch moves."""
    f0 = np.geomspace(first, last, round(seconds * SAMPLING_RATE))
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLING_RATE
    noise = np.random.default_rng(0).normal(scale=0.01, size=f0.size)
    return (0.2 * sum(np.sin(k * phase) / k for k in range(1, 8)) + noise).astype(np.float32)


def noise(seconds: float = 0.5) -> np.ndarray:
    return np.random.default_rng(1).normal(scale=0.1, size=round(seconds * SAMPLING_RATE)).astype(np.float32)


def silence(seconds: float = 0.5) -> np.ndarray:
    return np.zeros(round(seconds * SAMPLING_RATE), np.float32)


VOICED = {
    "steady": voice(0.6, 137),
    "rising": glide(80, 330),
    "falling fast": glide(390, 70, 0.3),
    "an octave up": np.concatenate([voice(0.4, 110), voice(0.4, 220, 1)]),
    "two speakers at once": voice(0.6, 105) + voice(0.6, 201, 1),
    "voice, silence, noise, voice": np.concatenate([voice(0.3, 160), silence(0.2), noise(0.2), voice(0.3, 90)]),
    "at the upper end": voice(0.4, 398),
    "at the lower end": voice(0.5, 66),
    "hoarse": voice(0.5, 180) + noise(),
}
UNVOICED = {"noise": noise(), "silence": silence()}


def compare(waveform: np.ndarray, parameters: dict) -> np.ndarray:
    """The voicing flags, once both are found to agree."""
    expected_f0, expected_voiced, _ = librosa.pyin(waveform, sr=SAMPLING_RATE, **parameters)
    f0, voiced = pyin(waveform, sr=SAMPLING_RATE, **parameters)
    np.testing.assert_array_equal(voiced, expected_voiced)
    np.testing.assert_allclose(f0, expected_f0, atol=1e-6, rtol=0)  # NaN equals NaN
    return voiced


@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("name", VOICED)
def test_a_voice_is_measured_as_librosa_does(name, parameters):
    assert compare(VOICED[name], PARAMETERS[parameters]).any()


@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("name", UNVOICED)
def test_noise_and_silence_are_measured_as_librosa_does(name, parameters):
    voiced = compare(UNVOICED[name], PARAMETERS[parameters])
    assert not voiced.all() if name == "noise" else not voiced.any()


@pytest.mark.parametrize("samples", [10, 255, 256, 1500])
def test_a_sound_of_few_frames_is_measured_as_librosa_does(samples):
    voiced = compare(voice(0.5, 200)[:samples], PARAMETERS["acoustics"])
    assert voiced.shape == (1 + samples // HOP_LENGTH,)


def test_the_outputs_are_frequencies_in_range_and_flags():
    f0, voiced = pyin(VOICED["voice, silence, noise, voice"], sr=SAMPLING_RATE, **PARAMETERS["acoustics"])
    assert voiced.dtype == bool
    np.testing.assert_array_equal(np.isnan(f0), ~voiced)
    assert 50 <= np.nanmin(f0) <= np.nanmax(f0) < 600


def test_another_sampling_rate_is_measured_as_librosa_does():
    waveform = voice(0.5, 150, rate=22_050)
    parameters = {"sr": 22_050, **PARAMETERS["another set"]}
    expected_f0, expected_voiced, _ = librosa.pyin(waveform, **parameters)
    f0, voiced = pyin(waveform, **parameters)
    np.testing.assert_array_equal(voiced, expected_voiced)
    np.testing.assert_allclose(f0, expected_f0, atol=1e-6, rtol=0)


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_real_speech_is_measured_as_librosa_does(real_audio, parameters):
    files = [
        *sorted(real_audio.glob("ravdess/Actor_01/*.wav"))[:60:20],
        *sorted(real_audio.glob("nemo/samples/*"))[:480:160],
    ]
    assert len(files) == 6
    for file in files:
        waveform = load_audio(file, start_s=0.6, end_s=2.0)
        assert compare((waveform / waveform.std()).astype(np.float32), PARAMETERS[parameters]).any()
