import numpy as np
import pytest
import soxr

from modeling import SAMPLING_RATE
from preprocessing.duplicates.audio_fingerprint import (
    FINGERPRINT_SIZE,
    MAX_DURATION_S,
    candidate_pairs,
    fingerprint,
    similarity,
)
from tests.conftest import voice

RADIUS, MIN_SIMILARITY = 0.08, 0.9


def speak(seed: int, seconds: float = 0.8, f0: float = 140.0) -> np.ndarray:
    """Syllables of one voice."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLING_RATE)) / SAMPLING_RATE
    pace, phase = random.uniform(2, 8, 3), random.uniform(0, 6, 3)
    loudness = np.clip(np.sin(2 * np.pi * pace[:, None] * time + phase[:, None]), 0, 1).mean(axis=0)
    return (voice(seconds, f0 + 3 * seed, seed) * loudness).astype(np.float32)


SOUND = speak(0)
COPIES = {
    "itself": SOUND,
    "8 kHz": soxr.resample(soxr.resample(SOUND, 16000, 8000), 8000, 16000),
    "44.1 kHz": soxr.resample(soxr.resample(SOUND, 16000, 44100), 44100, 16000),
    "20 dB below": np.round(SOUND * 3276.8) / 32768,
    "upside down": -SOUND,
    "silence around it": np.pad(SOUND, (3333, 8000)),
    "half a sample later": soxr.resample(soxr.resample(SOUND, 16000, 32000)[1:], 32000, 16000),
    "noise 20 dB below": SOUND + np.random.default_rng(1).normal(scale=SOUND.std() / 10, size=SOUND.size),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_a_copy_is_found(copy):
    assert np.linalg.norm(fingerprint(copy) - fingerprint(SOUND)) < RADIUS
    assert MIN_SIMILARITY < similarity(copy, SOUND) <= 1 + 1e-6


def test_the_same_sound_is_wholly_alike():
    assert similarity(SOUND, SOUND) == pytest.approx(1, abs=1e-6)
    assert similarity(SOUND, 0.01 * SOUND) == pytest.approx(1, abs=1e-6)


def test_similarity_measures_how_much_of_the_energy_differs():
    other = speak(9, f0=300)
    other *= np.linalg.norm(SOUND) / np.linalg.norm(other)
    assert similarity(SOUND, SOUND + other) == pytest.approx(np.sqrt(0.5), abs=0.05)


def test_different_sounds_of_one_voice_are_not_alike():
    sounds = [speak(seed) for seed in range(12)]
    prints = [fingerprint(sound) for sound in sounds]
    for i in range(12):
        for j in range(i):
            assert np.linalg.norm(prints[i] - prints[j]) > RADIUS
            assert similarity(sounds[i], sounds[j]) < MIN_SIMILARITY


def test_a_fingerprint_is_small_and_bounded():
    found = fingerprint(SOUND)
    assert found.shape == (FINGERPRINT_SIZE,)
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1 + 1e-6


def test_silence_has_no_fingerprint_and_is_like_nothing():
    silence = np.zeros(8000, np.float32)
    assert np.isnan(fingerprint(silence)).all()
    assert similarity(silence, SOUND) == 0


def test_a_clip_shorter_than_a_frame_has_a_fingerprint():
    assert np.isfinite(fingerprint(SOUND[3000:3100])).all()


def test_what_is_compared_of_a_clip_has_a_limit():
    long = np.tile(SOUND, 80)
    assert long.size > MAX_DURATION_S * SAMPLING_RATE
    np.testing.assert_array_equal(fingerprint(long), fingerprint(long[: round(MAX_DURATION_S * SAMPLING_RATE)]))


def test_candidates_are_near_and_in_another_group():
    prints = np.zeros((6, FINGERPRINT_SIZE), np.float32)
    prints[:, 0] = (0.0, 0.01, 0.5, 0.52, 0.9, np.nan)
    groups = np.array(["test", "train", "train", "test", "test", "train"])
    np.testing.assert_array_equal(candidate_pairs(prints, groups, RADIUS), [[0, 1], [2, 3]])
    assert candidate_pairs(prints, np.full(6, "train"), RADIUS).shape == (0, 2)


def test_many_alike_clips_do_not_make_all_pairs():
    prints = np.random.default_rng(0).normal(scale=1e-3, size=(2000, FINGERPRINT_SIZE))
    pairs = candidate_pairs(prints, np.arange(2000) % 2, RADIUS)
    assert 1000 < len(pairs) <= 2000 * 5
