import numpy as np
import soundfile

from benchmarks.clips import MAX_S, MIN_S, durations, folder_sample, real_files, waveforms, write_wavs
from modeling import SAMPLING_RATE


def test_lengths_are_those_of_the_papers_corpora():
    many = durations(20_000)
    assert MIN_S <= many.min() < many.max() == MAX_S
    assert abs(many.mean() - 3.34) < 0.03  # over 102,838 real clips
    of_eight = many.reshape(-1, 8)
    assert 0.56 <= many.sum() / (8 * of_eight.max(axis=1).sum()) <= 0.63


def test_few_lengths_are_as_spread_as_many():
    few, many = durations(32), durations(20_000)
    assert abs(few.mean() - many.mean()) < 0.05
    assert abs(few.std() - many.std()) < 0.1
    np.testing.assert_array_equal(few, durations(32))
    assert not np.all(np.diff(few) >= 0)


def test_wav_files_hold_the_clips(tmp_path):
    paths = write_wavs(tmp_path / "wav", waveforms(3))
    for path, waveform in zip(paths, waveforms(3), strict=True):
        stored, rate = soundfile.read(path, dtype="float32")
        assert rate == SAMPLING_RATE
        np.testing.assert_allclose(stored, waveform, atol=1 / 32768)


def test_without_a_folder_there_are_no_recordings_of_people(monkeypatch):
    monkeypatch.delenv("SER_REAL_AUDIO", raising=False)
    assert real_files(5) == []


def test_recordings_of_people_are_spread_over_the_folder(real_audio):
    files = real_files(10)
    assert len({*files}) == 10
    assert len({file.parent for file in files}) > 3


def test_a_sample_of_a_folder_is_of_batches_of_like_length():
    lengths = np.array([clip.size for clip in folder_sample(3)]).reshape(3, 8)
    assert (lengths.min(axis=1) > 0.97 * lengths.max(axis=1)).all()
    assert abs(lengths.mean() / SAMPLING_RATE - durations(1_000).mean()) < 0.3
