import hashlib

import numpy as np
import pytest
import soxr

from preprocessing.audit.signal_quality import clipping, measure, measure_signal_quality
from preprocessing.duplicates.audio_fingerprint import fingerprint
from preprocessing.prepared.load import load_prepared
from preprocessing.signal_level import level_dbfs
from preprocessing.stored_audio import stored_waveform
from tests.conftest import voice


def tone(level: float, seconds: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * 200 * np.arange(round(16000 * seconds)) / 16000)).astype(np.float32)


def test_a_row_is_measured(splits):
    row = splits["test"][0]
    measured = measure(row)
    waveform = stored_waveform(row)
    assert measured["digest"] == hashlib.blake2b(row["audio"]["bytes"], digest_size=16).hexdigest()
    assert measured["level_dbfs"] == level_dbfs(waveform)
    assert (measured["plateaus"], measured["loud_runs"]) == clipping(waveform) == (0, 0)
    np.testing.assert_array_equal(measured["fingerprint"], fingerprint(waveform))


@pytest.mark.slow
def test_all_rows_are_measured_in_their_order_whatever_the_processes(prepared):
    table = load_prepared(prepared, "paper")["test"]
    before = {path: path.stat().st_mtime_ns for path in prepared.rglob("*")}
    one, two = (measure_signal_quality(table, num_proc) for num_proc in (1, 2))
    assert one[:] == two[:]
    assert one[2]["digest"] == measure(table[2])["digest"]
    assert {path: path.stat().st_mtime_ns for path in prepared.rglob("*")} == before


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
