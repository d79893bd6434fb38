import numpy as np

from evaluation import waveform_features as module
from evaluation.waveform_features import waveform_features
from preprocessing.stored_audio import stored_waveform


def length_and_peak(waveform):
    return np.array([waveform.size, waveform.max()])


def test_features_are_those_of_each_clips_beginning_in_order_also_of_several_processes(splits, monkeypatch):
    clips = splits["test"].select(range(4))
    expected = [length_and_peak(stored_waveform(row, 0.25)) for row in clips]
    np.testing.assert_array_equal(waveform_features(length_and_peak, clips, 0.25, "Features"), expected)
    monkeypatch.setattr(module, "_AT_LEAST", 2)  # clips
    monkeypatch.setattr(module.joblib, "cpu_count", lambda: 2)
    np.testing.assert_array_equal(waveform_features(length_and_peak, clips, 0.25, "Features"), expected)
