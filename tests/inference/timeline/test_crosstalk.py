import numpy as np
import pytest

from inference.engine.predictor import load_predictor
from inference.timeline.build import TimelineOptions, build_timeline
from inference.timeline.crosstalk import find_copies
from tests.inference.conftest import noise

EACH = TimelineOptions(channels="each")


def timeline(checkpoint, *channels):
    channels = np.stack(channels).astype(np.float32)
    return build_timeline(load_predictor(str(checkpoint)), channels, EACH, sampling_rate=16_000)


@pytest.fixture(scope="module")
def turns(spoken):
    """Two who speak in turn, a channel each, with the noise of a line."""
    one, other = (np.concatenate(spoken[first : first + 8 : 2]) for first in (0, 1))
    size = one.size + other.size + 16_000
    sides = np.zeros((2, size))
    sides[0, : one.size], sides[1, one.size + 16_000 :] = one, other
    return sides + np.stack([noise(size / 16_000 + 1, 1e-5, seed)[:size] for seed in (0, 1)])


@pytest.mark.parametrize(("level_db", "delay"), [(-34, 400), (-34, 0), (-20, 0), (-10, 0)])
def test_crosstalk_is_not_a_second_speaker(checkpoint, turns, level_db, delay):
    clean = timeline(checkpoint, *turns)
    leak = 10 ** (level_db / 20) * np.roll(turns[::-1], delay, axis=1)
    leaky = timeline(checkpoint, *(turns + leak))
    assert [segment.channel for segment in clean.segments] == [segment.channel for segment in leaky.segments]
    assert leaky.speech_s == pytest.approx(clean.speech_s, abs=0.5)


@pytest.mark.parametrize("gain", [-1.0, 0.01, 0.9, 1.0])
def test_a_channel_that_repeats_another_one_is_that_one(checkpoint, turns, gain):
    mono = turns.sum(axis=0)
    once = timeline(checkpoint, mono, np.zeros_like(mono))
    twice = timeline(checkpoint, mono, gain * mono)
    assert {segment.channel for segment in twice.segments} == {0}
    assert twice.speech_s == once.speech_s > 0


def test_two_who_speak_at_once_both_do(spoken):
    size = min(spoken[0].size, spoken[7].size)
    both = np.stack([spoken[0][:size], 0.5 * spoken[7][:size]])
    whole = [[(0.0, size / 16_000)]] * 2
    assert find_copies(both, 16_000, whole) == [[False], [False]]
