import numpy as np
import pytest
import soundfile

from inference.dubbing.speech_activity import FRAME_S, decibels, measure_activity
from modeling import SAMPLING_RATE, AudioError
from tests.inference.conftest import noise


@pytest.fixture
def recording(spoken, tmp_path):
    """Three sentences, the first two with hardly a pause between them, before and behind silence of a minute."""
    pauses = [60.5, 0.2, 2.0, 60.0]
    parts, starts = [], []
    for pause, clip in zip(pauses, [*spoken[:3], np.zeros(0, np.float32)], strict=True):
        parts.append(noise(pause, 1e-4))
        starts.append(sum(part.size for part in parts) / SAMPLING_RATE)
        parts.append(clip)
    path = tmp_path / "recording.wav"
    soundfile.write(path, np.concatenate(parts), SAMPLING_RATE)
    return path, starts, [clip.size / SAMPLING_RATE for clip in spoken[:3]]


def test_a_line_is_speech_without_a_pause(recording):
    path, starts, lengths = recording
    lines = measure_activity(path).lines
    assert lines.shape == (2, 2)
    assert lines[0] == pytest.approx((starts[0], starts[1] + lengths[1]), abs=0.15)
    assert lines[1] == pytest.approx((starts[2], starts[2] + lengths[2]), abs=0.15)


def test_the_frames_are_those_of_the_whole_recording(recording):
    path, starts, _ = recording
    activity = measure_activity(path)
    waveform, _ = soundfile.read(path)
    assert activity.level_db.size == activity.speech.size == waveform.size // 512
    frames = waveform[: activity.level_db.size * 512].reshape(-1, 512)
    assert activity.level_db == pytest.approx(decibels((frames**2).mean(axis=1)), abs=0.01)
    assert activity.speech.sum() * FRAME_S == pytest.approx(np.diff(activity.lines).sum(), abs=0.1)
    assert activity.speech[round((starts[0] + 0.5) / FRAME_S)] == 1
    assert activity.speech[round(30 / FRAME_S)] == 0


def test_digital_silence_has_a_level():
    assert decibels(np.array([0.0, 1.0, 0.01])).tolist() == [-80, 0, -20]


def test_a_recording_without_speech_has_no_lines_to_compare(tmp_path):
    soundfile.write(tmp_path / "sea.wav", noise(5, 0.01), SAMPLING_RATE)
    with pytest.raises(ValueError, match=r"sea\.wav"):
        measure_activity(tmp_path / "sea.wav")


def test_a_file_without_audio_is_refused(tmp_path):
    (tmp_path / "notes.wav").write_text("no sound")
    with pytest.raises(AudioError, match=r"notes\.wav"):
        measure_activity(tmp_path / "notes.wav")
