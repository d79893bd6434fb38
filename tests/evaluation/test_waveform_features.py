import numpy as np
import pytest

from evaluation import waveform_features as module
from evaluation.waveform_features import waveform_features
from preprocessing.stored_audio import stored_waveform


def length_and_peak(waveform):
    return np.array([waveform.size, waveform.max()])


@pytest.fixture
def clips(splits):
    return splits["test"].select(range(4))


@pytest.fixture
def expected(clips):
    return [length_and_peak(stored_waveform(row, 0.25)) for row in clips]


def test_features_are_those_of_each_clips_beginning_in_order(clips, expected):
    np.testing.assert_array_equal(waveform_features(length_and_peak, clips, 0.25, "Features"), expected)


@pytest.mark.slow
def test_several_processes_compute_the_same(clips, expected, monkeypatch):
    monkeypatch.setattr(module, "_AT_LEAST", 2)  # clips
    monkeypatch.setattr(module.joblib, "cpu_count", lambda: 2)
    np.testing.assert_array_equal(waveform_features(length_and_peak, clips, 0.25, "Features"), expected)
