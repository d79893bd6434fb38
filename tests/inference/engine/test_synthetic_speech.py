import numpy as np
import pytest

from inference.engine.synthetic_speech import synthetic_vowels


@pytest.mark.parametrize("samples", [1, 400, 48_000])
def test_vowels_are_finite_waveforms_that_a_seed_repeats(samples):
    first, second = (synthetic_vowels(np.random.default_rng(3), samples) for _ in range(2))
    assert (first.dtype, first.shape) == (np.float32, (samples,))
    assert np.isfinite(first).all()
    assert (first == second).all()


def test_each_draws_another_voice():
    random = np.random.default_rng(0)
    assert np.abs(synthetic_vowels(random, 16_000) - synthetic_vowels(random, 16_000)).max() > 0.01
