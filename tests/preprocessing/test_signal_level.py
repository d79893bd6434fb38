import numpy as np
import pytest

from preprocessing.signal_level import level_dbfs


def tone(level: float, seconds: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * 200 * np.arange(round(16000 * seconds)) / 16000)).astype(np.float32)


@pytest.mark.parametrize(("level", "dbfs"), [(1.0, -3.01), (0.1, -23.01), (0.0, -120.0)])
def test_the_level_is_that_of_full_scale(level, dbfs):
    assert level_dbfs(tone(level)) == pytest.approx(dbfs, abs=0.01)


def test_the_level_depends_neither_on_pauses_nor_on_an_offset():
    assert level_dbfs(np.pad(tone(0.1), 80000) + np.float32(0.3)) == pytest.approx(-23, abs=0.1)


def test_a_clip_shorter_than_a_syllable_has_a_level():
    assert level_dbfs(tone(0.1, 0.05)) == pytest.approx(-23.01, abs=0.01)
