import importlib.util

import numpy as np
import pytest

from evaluation.probe.egemaps import check_opensmile, egemaps, egemaps_features
from preprocessing.stored_audio import stored_waveform
from tests.conftest import voice

OPENSMILE = importlib.util.find_spec("opensmile") is not None
needs_opensmile = pytest.mark.skipif(not OPENSMILE, reason="opensmile, of the extra egemaps, is not installed")


def test_without_opensmile_the_package_to_install_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install opensmile") as caught:
        check_opensmile()
    assert caught.value.name == "opensmile"


@needs_opensmile
def test_pitch_is_that_of_the_voice_in_semitones():
    low, high = (egemaps(voice(1, f0)) for f0 in (110, 220))
    assert low.shape == (88,)
    assert 27.5 * 2 ** (low[0] / 12) == pytest.approx(110, rel=0.03)
    assert high[0] - low[0] == pytest.approx(12, abs=0.5)


@needs_opensmile
@pytest.mark.parametrize("samples", [1, 400, 4000])
def test_a_clip_of_any_length_and_silence_have_finite_features(samples):
    for waveform in (np.zeros(samples), np.random.default_rng(0).normal(0, 0.1, samples)):
        assert np.isfinite(egemaps(waveform.astype(np.float32))).all()


@needs_opensmile
def test_each_clip_has_its_own_features_of_the_beginning(splits):
    clips = splits["test"].select(range(3))
    found = egemaps_features(clips, max_duration_s=0.3)
    assert found.shape == (3, 88)
    for row, features in zip(clips, found, strict=True):
        np.testing.assert_array_equal(features, egemaps(stored_waveform(row, 0.3)))
