import numpy as np
import pytest
from scipy.signal import welch

from modeling import SAMPLING_RATE
from preprocessing.augmentation.signal import (
    change_level,
    change_speed,
    clip_peaks,
    colored_noise,
    mix,
    mp3,
    reverberate,
    room_impulse_response,
    telephone,
)
from tests.conftest import voice


def decibels(signal, reference):
    return 10 * np.log10(np.mean(np.square(signal, dtype=float)) / np.mean(np.square(reference, dtype=float)))


@pytest.fixture
def random():
    return np.random.default_rng(1)


@pytest.fixture
def speech():
    return voice(2.0, 150)


def lag(changed, original):
    """By how many samples a waveform comes later than the original."""
    size = 2 * original.size
    correlation = np.fft.irfft(np.fft.rfft(changed, size) * np.conj(np.fft.rfft(original, size)), size)
    place = int(correlation.argmax())
    return place if place < size // 2 else place - size


@pytest.mark.parametrize("snr_db", [-5, 0, 10, 30])
def test_noise_is_added_at_the_snr(speech, random, snr_db):
    noise = colored_noise(speech.size, 1.0, random)
    mixed = mix(speech, noise, snr_db)
    assert decibels(speech, mixed - speech) == pytest.approx(snr_db, abs=0.1)
    assert mixed.dtype == np.float32


def test_a_silent_clip_or_noise_is_left_as_it_is(speech):
    silence = np.zeros_like(speech)
    assert mix(silence, speech, 10) is silence
    assert mix(speech, silence, 10) is speech


@pytest.mark.parametrize(("exponent", "slope_db"), [(0, 0), (1, -3), (2, -6)])
def test_the_color_of_noise_is_its_slope_per_octave(random, exponent, slope_db):
    noise = colored_noise(40 * SAMPLING_RATE, exponent, random)
    frequency, power = welch(noise, SAMPLING_RATE, nperseg=2048)
    band = (frequency > 200) & (frequency < 6000)
    slope = np.polyfit(np.log2(frequency[band]), 10 * np.log10(power[band]), 1)[0]
    assert slope == pytest.approx(slope_db, abs=0.3)
    assert abs(noise.mean()) < 0.05 * noise.std()


def test_a_room_decays_by_60_db_within_its_reverberation_time(random):
    response = room_impulse_response(0.4, 3.0, random)
    assert np.linalg.norm(response) == pytest.approx(1, abs=1e-5)
    assert decibels_of_energy(response[:1], response[32:]) == pytest.approx(3, abs=0.1)
    tail = response[32:].astype(float)
    level = 20 * np.log10(np.array([np.linalg.norm(tail[i : i + 640]) for i in range(0, 6400 - 640, 640)]))
    assert np.polyfit(np.arange(len(level)) * 640 / SAMPLING_RATE, level, 1)[0] == pytest.approx(-60 / 0.4, rel=0.1)


def decibels_of_energy(signal, reference):
    return 10 * np.log10(np.sum(np.square(signal, dtype=float)) / np.sum(np.square(reference, dtype=float)))


def test_reverberation_leaves_length_and_place_of_a_clip(speech, random):
    changed = reverberate(speech, room_impulse_response(0.3, 6.0, random))
    assert (changed.size, changed.dtype, lag(changed, speech)) == (speech.size, np.float32, 0)
    assert decibels(changed, speech) == pytest.approx(0, abs=2)


@pytest.mark.parametrize("hertz", [100, 3950, 6000])
def test_a_telephone_suppresses_what_is_outside_of_its_band(hertz):
    time = np.arange(2 * SAMPLING_RATE) / SAMPLING_RATE
    inside, outside = (0.5 * np.sin(2 * np.pi * f * time).astype(np.float32) for f in (1000, hertz))
    assert decibels(telephone(inside), inside) == pytest.approx(0, abs=0.5)
    assert decibels(telephone(outside), outside) < -20


def test_mu_law_has_the_signal_to_noise_ratio_of_8_bits():
    time = np.arange(2 * SAMPLING_RATE) / SAMPLING_RATE
    for level in (0.5, 0.05):  # the same at any level, which is what it is for
        tone = (level * np.sin(2 * np.pi * 1013 * time)).astype(np.float32)
        sent = telephone(tone)[1000:-1000].astype(float)
        basis = np.stack([f(2 * np.pi * 1013 * time[1000:-1000]) for f in (np.sin, np.cos)])
        fitted = np.linalg.lstsq(basis.T, sent, rcond=None)[0] @ basis
        assert 30 < decibels(fitted, sent - fitted) < 45


@pytest.mark.parametrize("seconds", [0.5, 1.237, 2.0])
def test_a_telephone_leaves_the_length(seconds):
    waveform = voice(seconds, 120)
    assert telephone(waveform).shape == waveform.shape
    assert telephone(waveform).dtype == np.float32


@pytest.mark.parametrize("kbps", [8, 32, 160])
@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.237])
def test_mp3_leaves_length_and_place_of_a_clip(kbps, seconds):
    waveform = voice(seconds, 150)
    changed = mp3(waveform, kbps)
    assert (changed.shape, changed.dtype) == (waveform.shape, np.float32)
    assert abs(lag(changed, waveform)) <= 1
    assert not np.allclose(changed, waveform, atol=1e-4)


def test_mp3_of_a_waveform_beyond_full_scale_is_not_clipped(speech):
    loud = speech * np.float32(4 / np.abs(speech).max())
    assert np.abs(mp3(loud, 64)).max() > 3


def test_a_higher_bit_rate_is_closer_to_the_original(speech):
    errors = [np.linalg.norm(mp3(speech, kbps) - speech) for kbps in (8, 24, 160)]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("percent", [0, 1, 20])
def test_clipping_cuts_off_a_share_of_the_samples(random, percent):
    waveform = random.normal(size=20_000).astype(np.float32)
    changed = clip_peaks(waveform, percent)
    assert 100 * (changed != waveform).mean() == pytest.approx(percent, abs=0.01)
    assert np.abs(waveform).max() >= np.abs(changed).max()
    assert (clip_peaks(np.zeros(100, np.float32), 5) == 0).all()


def test_a_gain_is_in_decibels(speech):
    assert decibels(change_level(speech, -20), speech) == pytest.approx(-20, abs=1e-3)
    assert change_level(speech, -20).dtype == np.float32


@pytest.mark.parametrize("factor", [0.9, 1.0837, 2.0])
def test_speed_changes_duration_and_pitch_by_its_factor(factor):
    waveform = np.sin(2 * np.pi * 440 * np.arange(2 * SAMPLING_RATE) / SAMPLING_RATE).astype(np.float32)
    changed = change_speed(waveform, factor)
    assert changed.size == pytest.approx(waveform.size / factor, abs=1)
    spectrum = np.abs(np.fft.rfft(changed * np.hanning(changed.size)))
    assert spectrum.argmax() * SAMPLING_RATE / changed.size == pytest.approx(440 * factor, abs=1)
    assert changed.dtype == np.float32
