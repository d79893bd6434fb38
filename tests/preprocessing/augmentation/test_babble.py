import numpy as np
import pytest

from preprocessing.augmentation.babble import NUM_VOICES, Voices


def test_babble_depends_on_the_generator_alone(splits):
    voices = Voices(splits["train"])
    first, again, other = (voices.babble(20_000, np.random.default_rng(seed), "") for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (first.shape, first.dtype) == ((20_000,), np.float32)
    assert 0.5 * NUM_VOICES < np.square(first).mean() < 2 * NUM_VOICES  # voices of the same level


def test_a_clip_is_not_in_its_own_babble(splits):
    clips = splits["train"].select([0, 1])
    mine, other = clips["id"][:]
    babble = Voices(clips).babble(5_000, np.random.default_rng(0), mine)
    alone = Voices(clips.select([1, 1])).babble(5_000, np.random.default_rng(0), "")
    assert babble.shape == alone.shape
    assert np.isfinite(babble).all()
    both = Voices(clips).babble(5_000, np.random.default_rng(0), other)
    assert not np.array_equal(babble, both)


def test_babble_of_one_clip_is_refused(splits):
    with pytest.raises(ValueError, match="got 1"):
        Voices(splits["train"].select([0]))
