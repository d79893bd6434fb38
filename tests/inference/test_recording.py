import io

import numpy as np
import pytest
import soundfile

from inference.examples import write_examples
from inference.recogniser import load_recogniser
from inference.recording import PEAKS, recognise_recording
from inference.timeline import TimelineOptions
from modeling import AnswerOptions, SpeechEmotionPipeline, load_checkpoint


@pytest.fixture(scope="module")
def recogniser(checkpoint):
    return load_recogniser(str(checkpoint))


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    pytest.importorskip("espeakng_loader")
    return next(iter(write_examples(tmp_path_factory.mktemp("speech")).values()))


@pytest.fixture
def recognise(recogniser):
    def call(path, **options):
        return recognise_recording(recogniser, path, TimelineOptions(), AnswerOptions(**options))

    return call


def test_a_clip_gets_the_answer_of_the_pipeline(recognise, speech, checkpoint, tmp_path):
    sound, rate = soundfile.read(speech)
    soundfile.write(tmp_path / "clip.wav", sound[: 3 * rate], rate)
    heard = recognise(tmp_path / "clip.wav")
    model, feature_extractor = load_checkpoint(checkpoint)
    expected = SpeechEmotionPipeline(model, feature_extractor=feature_extractor, vad=False)(str(tmp_path / "clip.wav"))
    assert not heard.averaged
    for name in ("emotion", "gender"):
        scores = [{entry["label"]: entry["score"] for entry in one[name]} for one in (heard.answer, expected)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-5)
    assert heard.answer["f0_mean"]["value"] == pytest.approx(expected["f0_mean"]["value"], abs=1e-3)


def test_a_long_recording_gets_the_mean_over_its_speech(recognise, speech):
    heard = recognise(speech)
    assert heard.averaged
    assert heard.duration_s == pytest.approx(soundfile.info(speech).duration, abs=1e-3)
    seconds = np.array([row["end_s"] - row["start_s"] for row in heard.segments])
    assert seconds.sum() == pytest.approx(heard.speech_s)
    values = np.array([row["f0_mean"]["value"] for row in heard.segments])
    assert heard.answer["f0_mean"]["value"] == pytest.approx((values * seconds).sum() / seconds.sum(), rel=1e-5)
    assert sum(entry["score"] for entry in heard.answer["emotion"]) == pytest.approx(1)
    (only,) = recognise(speech, labels=("sad",)).answer["emotion"]
    assert only == {"label": "sad", "score": pytest.approx(1)}


def test_outline_and_copy_are_the_sound(recognise, tmp_path):
    rate, seconds = 16_000, 130  # more than two blocks
    sound = np.zeros(seconds * rate, np.float32)
    sound[65 * rate : 78 * rate] = 0.25 * np.sin(np.arange(13 * rate) * 0.2)
    soundfile.write(tmp_path / "tone.wav", sound, rate)
    heard = recognise(tmp_path / "tone.wav")
    assert heard.peaks.shape == (PEAKS,)
    assert heard.peaks.max() == pytest.approx(1)
    assert (heard.peaks[:120] == 0).all()
    assert (heard.peaks[121:143] > 0.99).all()
    assert (heard.peaks[145:] == 0).all()
    copy, copied_rate = soundfile.read(io.BytesIO(heard.sound))
    assert copied_rate == rate
    assert len(copy) / rate == pytest.approx(seconds, abs=0.2)
    assert np.corrcoef(np.abs(copy[: len(sound)]), np.abs(sound[: len(copy)]))[0, 1] > 0.9
    assert len(heard.sound) < seconds * 8000  # 40 kbit/s, and a bit


def test_where_nobody_speaks_there_is_no_answer(recognise, tmp_path):
    soundfile.write(tmp_path / "room.wav", np.random.default_rng(0).normal(scale=1e-3, size=32_000), 16_000)
    heard = recognise(tmp_path / "room.wav")
    assert (heard.answer, heard.segments, heard.speech_s) == ({}, [], 0.0)
    assert heard.peaks.max() == pytest.approx(1)
