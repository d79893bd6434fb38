import hashlib

import numpy as np
import pytest
import soxr

from preprocessing.audit.audio_fingerprint import fingerprint
from preprocessing.audit.signal_quality import clipping, level_dbfs, listen, measure_signal_quality
from preprocessing.prepared.load import load_prepared
from preprocessing.prepared.rows import stored_waveform
from tests.conftest import voice


def tone(level: float, seconds: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * 200 * np.arange(round(16000 * seconds)) / 16000)).astype(np.float32)


def test_a_row_is_measured(splits):
    row = splits["test"][0]
    heard = listen(row)
    waveform = stored_waveform(row)
    assert heard["digest"] == hashlib.blake2b(row["audio"]["bytes"], digest_size=16).hexdigest()
    assert heard["level_dbfs"] == level_dbfs(waveform)
    assert (heard["plateaus"], heard["loud_runs"]) == clipping(waveform) == (0, 0)
    np.testing.assert_array_equal(heard["fingerprint"], fingerprint(waveform))


def test_all_rows_are_measured_in_their_order_whatever_the_processes(prepared):
    table = load_prepared(prepared, "paper")["test"]
    before = {path: path.stat().st_mtime_ns for path in prepared.rglob("*")}
    one, two = (measure_signal_quality(table, num_proc) for num_proc in (1, 2))
    assert one[:] == two[:]
    assert one[2]["digest"] == listen(table[2])["digest"]
    assert {path: path.stat().st_mtime_ns for path in prepared.rglob("*")} == before


@pytest.mark.parametrize(("level", "dbfs"), [(1.0, -3.01), (0.1, -23.01), (0.0, -120.0)])
def test_the_level_is_that_of_full_scale(level, dbfs):
    assert level_dbfs(tone(level)) == pytest.approx(dbfs, abs=0.01)


def test_the_level_knows_neither_pauses_nor_an_offset():
    assert level_dbfs(np.pad(tone(0.1), 80000) + np.float32(0.3)) == pytest.approx(-23, abs=0.1)


def test_a_clip_shorter_than_a_syllable_has_a_level():
    assert level_dbfs(tone(0.1, 0.05)) == pytest.approx(-23.01, abs=0.01)


def test_clipping_leaves_plateaus():
    loud = voice(0.5, 120)
    loud /= np.abs(loud).max()
    assert clipping(loud) == (0, pytest.approx(1, abs=2))
    plateaus, loud_runs = clipping(np.clip(2 * loud, -1, 32767 / 32768))
    assert plateaus > 20
    assert loud_runs > 20


def test_plateaus_are_seen_through_a_resampler():
    loud = voice(0.5, 120, rate=44100)
    clipped = np.clip(2 * loud / np.abs(loud).max(), -1, 1)
    assert clipping(soxr.resample(clipped, 44100, 16000))[1] > 20


def test_a_quiet_square_wave_is_not_clipped():
    assert clipping(np.sign(tone(1.0)) * np.float32(0.5)) == (0, 0)
