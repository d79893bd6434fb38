"""What an array is, apart from its values; that these are what a file's are stands in `test_audio_ser.py`."""

import numpy as np
import pytest

from modeling.audio_array_ser import ArrayFrames


def test_an_array_has_a_length_and_returns_copies():
    array = np.linspace(-1, 1, 100, dtype=np.float32)
    frames = ArrayFrames(array, 8_000, None)
    assert (frames.rate, frames.channels, frames.total, frames.count(1)) == (8_000, 1, 100, 100)
    frames.read(0, 50)[:] = 5
    np.testing.assert_array_equal(frames.read(90, 200), array[90:])


def test_opposite_channels_cancel():
    left = np.random.default_rng(0).normal(size=1000)
    assert ArrayFrames(np.stack([left, -left]), 16_000, None).cancels
    assert not ArrayFrames(np.stack([left, -left]), 16_000, 1).cancels
    with pytest.raises(ValueError, match="channel 2"):
        ArrayFrames(np.stack([left, -left]), 16_000, 2)
