import numpy as np
import pytest
from scipy.stats import spearmanr

from modeling import SAMPLING_RATE
from preprocessing.targets.acoustics import ACOUSTIC_TARGETS, UNITS, acoustic_targets
from tests.conftest import voice


def melody(f0: np.ndarray) -> np.ndarray:
    """A buzzing vowel with this pitch at each sample."""
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLING_RATE
    return (0.2 * sum(np.sin(k * phase) / k for k in range(1, 8))).astype(np.float32)


@pytest.mark.parametrize("f0", [70, 110, 163, 220, 330, 520])
def test_the_pitch_of_a_voice_is_found(f0):
    targets = acoustic_targets(voice(1.0, f0))
    assert targets["f0_mean"] == pytest.approx(f0, abs=1, rel=0.003)  # the larger of the two
    assert targets["f0_std"] < 1.5
    assert targets["voiced_ratio"] > 0.95


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x * np.float32(0.01),
        lambda x: x * np.float32(0.5),
        lambda x: -x,
        lambda x: x + np.float32(0.3),
        lambda x: x * np.float32(0.1) - np.float32(0.05),
    ],
    ids=["level x 0.01", "level x 0.5", "upside down", "offset", "level and offset"],
)
def test_level_and_offset_change_nothing_but_energy_as_recorded(change):
    waveform = np.concatenate([voice(0.5, 140), voice(0.4, 190) * np.float32(0.3)])
    found, expected = acoustic_targets(change(waveform)), acoustic_targets(waveform)
    for name in ACOUSTIC_TARGETS:
        if UNITS[name] != "FS":
            assert found[name] == pytest.approx(expected[name], rel=1e-4), name


@pytest.mark.parametrize("gain", [0.1, 0.5, -1, 4])
def test_energy_goes_with_the_level(gain):
    waveform = np.concatenate([voice(0.5, 140), voice(0.4, 190) * np.float32(0.3)])
    found, expected = acoustic_targets(waveform * np.float32(gain)), acoustic_targets(waveform)
    for name in ("energy_mean", "energy_std"):
        assert found[name] == pytest.approx(abs(gain) * expected[name], rel=1e-4)


def test_mean_and_deviation_of_energy_are_two_numbers_and_normalized_they_are_one():
    random = np.random.default_rng(0)
    clips = []
    for _ in range(40):  # loud and soft clips, each with a louder and a softer part
        level, evenness, share = 10 ** random.uniform(-2, 0), random.uniform(0, 1), random.uniform(0.2, 0.8)
        parts = [voice(share, 140), voice(1 - share, 140) * np.float32(evenness)]
        clips.append(np.concatenate(parts) * np.float32(level))
    found = [acoustic_targets(clip) for clip in clips]
    columns = {name: np.array([targets[name] for targets in found]) for name in UNITS}
    assert abs(spearmanr(columns["energy_mean"], columns["energy_std"]).statistic) < 0.9
    normalized = spearmanr(columns["energy_mean_normalized"], columns["energy_std_normalized"]).statistic
    assert normalized < -0.97


@pytest.mark.parametrize("value", [0.0, 0.5, -0.25, 0.1, 1e-3])
def test_a_clip_in_which_nothing_moves_is_silent(value):
    targets = acoustic_targets(np.full(SAMPLING_RATE, value, np.float32))
    energy = {name: targets.pop(name) for name in ("energy_mean", "energy_std")}
    assert targets == {**dict.fromkeys(UNITS.keys() - energy.keys()), "voiced_ratio": 0.0}
    assert (energy["energy_mean"] > 0) == (value != 0)  # of an offset, which is as recorded too


def test_noise_has_energy_and_little_voice():
    targets = acoustic_targets(np.random.default_rng(0).normal(scale=0.1, size=6 * SAMPLING_RATE).astype(np.float32))
    assert targets["voiced_ratio"] < 0.01
    assert targets["energy_mean"] > 0


def test_a_clip_without_a_voiced_frame_has_energy_and_no_pitch():
    click = np.zeros(SAMPLING_RATE // 2, np.float32)
    click[4000] = 1.0
    targets = acoustic_targets(click)
    assert (targets["f0_mean"], targets["f0_std"], targets["voiced_ratio"]) == (None, None, 0.0)
    assert targets["energy_std"] > targets["energy_mean"] > 0
    assert targets["energy_std_normalized"] > targets["energy_mean_normalized"] > 0


def test_the_voiced_ratio_is_the_share_of_voiced_time():
    half = np.concatenate([voice(1.0, 150), np.zeros(SAMPLING_RATE, np.float32)])
    assert acoustic_targets(half)["voiced_ratio"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("suffix", ["", "_normalized"])
def test_energy_is_the_norm_of_the_spectrum(suffix):
    waveform = np.concatenate([voice(0.5, 140), voice(0.5, 190) * np.float32(0.2)])
    samples = waveform.astype(float)
    if suffix:
        samples = (samples - samples.mean()) / samples.std()
    padded = np.pad(samples, 512)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    starts = range(0, padded.size - 1023, 256)
    energy = np.array([np.sqrt((np.abs(np.fft.rfft(padded[s : s + 1024] * window)) ** 2).sum()) for s in starts])
    targets = acoustic_targets(waveform)
    assert targets[f"energy_mean{suffix}"] == pytest.approx(energy.mean(), rel=1e-4)
    assert targets[f"energy_std{suffix}"] == pytest.approx(energy.std(), rel=1e-4)


def test_a_moving_pitch_has_a_larger_deviation_and_the_same_mean():
    time = np.arange(SAMPLING_RATE) / SAMPLING_RATE
    deviations = []
    for depth in (0, 5, 20, 40):
        targets = acoustic_targets(melody(200 + depth * np.sin(2 * np.pi * 2 * time)))
        assert targets["f0_mean"] == pytest.approx(200, abs=2)
        deviations.append(targets["f0_std"])
    np.testing.assert_allclose(deviations, np.array([0, 5, 20, 40]) / np.sqrt(2), atol=1.5)


def test_the_same_clip_is_measured_the_same_twice():
    assert acoustic_targets(voice(0.6, 130)) == acoustic_targets(voice(0.6, 130))


def test_the_waveform_stays_as_it_is():
    waveform = voice(0.5, 130)
    acoustic_targets(waveform)
    np.testing.assert_array_equal(waveform, voice(0.5, 130))
