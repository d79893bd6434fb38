import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from inference.engine.predictor import load_predictor
from inference.timeline.build import TimelineOptions
from inference.web.examples import write_examples
from inference.web.recording import PEAKS, average_segments, predict_recording
from modeling import OutputOptions
from tests.conftest import TASKS


@pytest.fixture(scope="module")
def predictor(checkpoint):
    return load_predictor(str(checkpoint))


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    pytest.importorskip("espeakng_loader")
    return next(iter(write_examples(tmp_path_factory.mktemp("speech")).values()))


@pytest.fixture
def recognize(predictor):
    def call(path, **options):
        return predict_recording(predictor, path, TimelineOptions(), OutputOptions(**options))

    return call


@pytest.mark.parametrize("seconds", [3, 14])
def test_a_recording_gets_the_mean_over_its_speech(recognize, speech, seconds, tmp_path):
    sound, rate = soundfile.read(speech)
    soundfile.write(tmp_path / "clip.wav", sound[: seconds * rate], rate)
    speech = tmp_path / "clip.wav"
    recording = recognize(speech)
    assert recording.duration_s == pytest.approx(soundfile.info(speech).duration, abs=1e-3)
    seconds = np.array([row["end_s"] - row["start_s"] for row in recording.segments])
    assert seconds.sum() == pytest.approx(recording.speech_s)
    values = np.array([row["f0_mean"]["value"] for row in recording.segments])
    assert recording.outputs["f0_mean"]["value"] == pytest.approx((values * seconds).sum() / seconds.sum(), rel=1e-5)
    for entry in recording.outputs["emotion"]:
        scores = [
            {each["label"]: each["score"] for each in row["emotion"]}[entry["label"]] for row in recording.segments
        ]
        assert entry["score"] == pytest.approx((np.array(scores) * seconds).sum() / seconds.sum(), rel=1e-5)
    assert sum(entry["score"] for entry in recording.outputs["emotion"]) == pytest.approx(1)
    assert recording.outputs["emotion"][0]["label"] in {row["emotion"][0]["label"] for row in recording.segments}
    (only,) = recognize(speech, labels=("sad",)).outputs["emotion"]
    assert only == {"label": "sad", "score": pytest.approx(1)}


@pytest.mark.slow
def test_outline_and_copy_are_the_sound(recognize, tmp_path):
    rate, seconds = 16_000, 130  # more than two blocks
    sound = np.zeros(seconds * rate, np.float32)
    sound[65 * rate : 78 * rate] = 0.25 * np.sin(np.arange(13 * rate) * 0.2)
    soundfile.write(tmp_path / "tone.wav", sound, rate)
    recording = recognize(tmp_path / "tone.wav")
    assert recording.peaks.shape == (4 * seconds,)
    assert recording.peaks.max() == pytest.approx(1)
    assert (recording.peaks[: 4 * 65] == 0).all()
    assert (recording.peaks[4 * 65 + 1 : 4 * 78 - 1] > 0.99).all()
    assert (recording.peaks[4 * 78 + 1 :] == 0).all()
    copy, copied_rate = soundfile.read(io.BytesIO(recording.sound))
    assert copied_rate == rate
    assert len(copy) / rate == pytest.approx(seconds, abs=0.2)
    assert np.corrcoef(np.abs(copy[: len(sound)]), np.abs(sound[: len(copy)]))[0, 1] > 0.9
    assert len(recording.sound) < seconds * 8000  # 40 kbit/s, and a bit


def test_a_recording_without_speech_has_no_outputs(recognize, tmp_path):
    soundfile.write(tmp_path / "room.wav", np.random.default_rng(0).normal(scale=1e-3, size=32_000), 16_000)
    recording = recognize(tmp_path / "room.wav")
    assert (recording.outputs, recording.segments, recording.speech_s) == ({}, [], 0.0)
    assert recording.peaks.shape == (PEAKS,)
    assert recording.peaks.max() == pytest.approx(1)


@pytest.mark.parametrize(
    "pattern", ["SER_REAL_AUDIO ravdess/Actor_0*/03-01-*-01-01-01-*.wav", "SER_REAL_SPEECH */wav/*a*W*.wav"]
)
@pytest.mark.slow
def test_the_headline_of_a_real_recording_occurs_among_its_segments(recognize, pattern):
    variable, pattern = pattern.split()
    if variable not in os.environ:
        pytest.skip(f"{variable} names no folder with real recordings")
    paths = sorted(Path(os.environ[variable]).glob(pattern))[:20]
    assert len(paths) == 20
    for path in paths:
        for labels in ((), ("angry", "sad")):
            recording = recognize(path, labels=labels)
            segment_labels = {row["emotion"][0]["label"] for row in recording.segments}
            assert (
                segment_labels == set()
                if not recording.outputs
                else recording.outputs["emotion"][0]["label"] in segment_labels
            )


def segment(start_s, end_s, **scores):
    ranked = sorted(scores.items(), key=lambda entry: -entry[1])
    heads = {"gender": [{"label": "female", "score": 1.0}], "f0_mean": {"value": end_s, "unit": "Hz"}}
    return {
        "start_s": start_s,
        "end_s": end_s,
        "emotion": [{"label": label, "score": score} for label, score in ranked],
        **heads,
    }


def test_no_mean_puts_a_class_at_the_head_that_occurs_nowhere():
    segments = [segment(0, 1, angry=0.5, happy=0.4, sad=0.1), segment(2, 3, angry=0.1, happy=0.4, sad=0.5)]
    segments += [segment(4, 4.5, angry=0.5, happy=0.4, sad=0.1)]
    outputs = average_segments(segments, TASKS, TASKS[0], OutputOptions(uncertain_below=0.35))
    assert [entry["label"] for entry in outputs["emotion"]] == ["angry", "happy", "sad"]
    assert [entry["score"] for entry in outputs["emotion"]] == pytest.approx([0.34, 0.4, 0.26])
    assert outputs["f0_mean"]["value"] == pytest.approx((1 + 3 + 4.5 / 2) / 2.5)
    assert outputs["uncertain"]
