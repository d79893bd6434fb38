import librosa
import numpy as np
import pytest
import scipy.signal
import torch

from modeling import PannsMultiTaskSERConfig
from modeling.feature_extraction_logmel_ser import STFT, LogmelFilterBank, Spectrogram, resample
from tests.conftest import voice

# As published: audioset_tagging_cnn, README and pytorch/main.py.
FRONT_ENDS = {
    16_000: {"window_size": 512, "hop_size": 160, "mel_bins": 64, "fmin": 50, "fmax": 8_000},
    32_000: {"window_size": 1024, "hop_size": 320, "mel_bins": 64, "fmin": 50, "fmax": 14_000},
}


def front_end(rate: int) -> torch.nn.Sequential:
    config = PannsMultiTaskSERConfig(sampling_rate=rate, **FRONT_ENDS[rate])
    spectrogram, bank = Spectrogram(config), LogmelFilterBank(config)
    with torch.no_grad():
        for part in (spectrogram.stft.conv_real, spectrogram.stft.conv_imag):
            part.weight.copy_(part.filters())
        bank.melW.copy_(bank.filters())
    return torch.nn.Sequential(spectrogram, bank).requires_grad_(False)


@pytest.mark.parametrize("rate", [16_000, 32_000])
def test_it_is_the_published_definition_as_librosa_has_it(rate):
    waveform = voice(1.0, 150, rate=rate)
    waveform[rate // 2 : rate * 3 // 4] = 0  # down to the floor of -100 dB
    sizes = FRONT_ENDS[rate]
    power = librosa.feature.melspectrogram(
        y=waveform,
        sr=rate,
        n_fft=sizes["window_size"],
        hop_length=sizes["hop_size"],
        window="hann",
        center=True,
        pad_mode="reflect",
        power=2.0,
        n_mels=sizes["mel_bins"],
        fmin=sizes["fmin"],
        fmax=sizes["fmax"],
    )
    expected = librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=None).T
    found = front_end(rate)(torch.from_numpy(waveform)[None])[0].numpy()
    assert found.shape == expected.shape == (101, 64)
    assert expected.min() == pytest.approx(-100)
    assert np.abs(found - expected).max() < 1e-3


def test_the_filters_are_a_windowed_fourier_transform():
    stft = STFT(32, 8)
    real, imaginary = (part.filters()[:, 0].double().numpy() for part in (stft.conv_real, stft.conv_imag))
    frame = np.random.default_rng(0).normal(size=32)
    expected = np.fft.rfft(frame * scipy.signal.get_window("hann", 32))
    np.testing.assert_allclose(real @ frame + 1j * (imaginary @ frame), expected, atol=1e-6)


def test_weights_stay_in_float32_when_the_model_is_cast_and_move_when_it_moves():
    model = torch.nn.ModuleDict({"front": front_end(16_000), "rest": torch.nn.Linear(2, 2)})
    before = model["front"][1].melW.clone()
    model.to(torch.bfloat16).double()
    assert {weight.dtype for weight in model["front"].parameters()} == {torch.float32}
    assert torch.equal(model["front"][1].melW, before)
    assert model["rest"].weight.dtype == torch.float64
    assert {weight.device.type for weight in model.to("meta").parameters()} == {"meta"}


@pytest.mark.parametrize("samples", [4000, 4001])
def test_resampling_is_that_of_scipy_and_keeps_the_samples(samples):
    waveform = torch.from_numpy(np.random.default_rng(0).normal(size=(2, samples)))
    raised = resample(waveform, 16_000, 32_000)
    np.testing.assert_allclose(raised, scipy.signal.resample(waveform.numpy(), 2 * samples, axis=1), atol=1e-12)
    torch.testing.assert_close(raised[:, ::2], waveform)


def test_nothing_is_resampled_where_the_rate_is_right():
    waveform = torch.zeros(1, 8)
    assert resample(waveform, 16_000, 16_000) is waveform
