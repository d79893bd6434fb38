import numpy as np
import pytest
import soxr

from modeling.audio_array_ser import ArrayFrames
from modeling.audio_resampling_ser import SAMPLING_RATE, count_at_16_khz, require, resample


@pytest.mark.parametrize("rate", [1_000, 8_000, 11_025, 16_000, 16_001, 22_050, 44_100, 48_000, 96_000])
def test_as_many_samples_come_out_as_are_counted(rate):
    for count in np.random.default_rng(0).integers(1, 3 * rate, size=20).tolist():
        frames = ArrayFrames(np.zeros(count, np.float32), rate, None)
        assert resample(frames, 0, 10 * SAMPLING_RATE).size == count_at_16_khz(count, rate)
        assert soxr.resample(np.zeros(count, np.float32), rate, SAMPLING_RATE).size == count_at_16_khz(count, rate)


def test_a_package_that_is_not_there_is_named_with_its_purpose(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(ImportError, match=r"films .*pip install av"):
        require("av", "films")
