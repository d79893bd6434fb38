"""Silence, noise and music get no emotion, however one asks; how much speech there is does not depend on it either."""

import numpy as np
import pytest
import soundfile
from transformers import pipeline

from inference.batch.predict import PredictionRequest, predict_files
from inference.engine.predictor import load_predictor
from inference.timeline.build import build_timeline
from modeling import SpeechEmotionPipeline
from modeling.vad_ser import measure_speech
from tests.support.speech_sounds import NO_SPEECH, SPEECH


@pytest.fixture(scope="module")
def recognize(checkpoint):
    return pipeline("speech-emotion-recognition", model=str(checkpoint), pipeline_class=SpeechEmotionPipeline)


def test_a_shriek_is_speech(spoken):
    """A voice at 2.2 times its pitch, which silero-vad alone takes for noise, or nearly so."""
    for clip in spoken[:4]:
        shrieked = np.interp(np.arange(0, clip.size, 2.2), np.arange(clip.size), clip).astype(np.float32)
        assert 0 < measure_speech(shrieked) <= shrieked.size / 16_000


@pytest.mark.parametrize("kind", ["silence", "noise", "chords", "next to nothing"])
def test_no_emotion_is_predicted_where_nobody_speaks(recognize, checkpoint, tmp_path, kind):
    file = str(tmp_path / "clip.wav")
    soundfile.write(file, NO_SPEECH[kind], 16_000, subtype="FLOAT")
    outputs = recognize(file)
    assert outputs["emotion"] == outputs["gender"] == [{"label": None, "score": None}]
    assert outputs["f0_mean"] == {"value": None, "unit": "Hz"}
    assert outputs["speech_s"] == 0.0
    assert outputs["reason"]
    predictor = load_predictor(str(checkpoint))
    assert list(predict_files(predictor, [file], PredictionRequest())) == [(file, [{"file": file, **outputs}])]
    without_vad = recognize(file, vad=False)
    assert sum(entry["score"] for entry in without_vad["emotion"]) == pytest.approx(1)
    assert without_vad["speech_s"] is None
    assert "reason" not in without_vad


@pytest.fixture
def files(tmp_path) -> list[str]:
    """Speech, speech beyond the window, noise, and less speech."""
    late = np.concatenate([np.zeros(40_000, np.float32), SPEECH, SPEECH])
    paths = [str(tmp_path / f"{number}.wav") for number in range(4)]
    for path, clip in zip(paths, (SPEECH, late, NO_SPEECH["noise"], SPEECH[:20_000]), strict=True):
        soundfile.write(path, clip, 16_000, subtype="FLOAT")
    return paths


@pytest.mark.slow
def test_seconds_of_speech_are_the_same_in_worker_processes(recognize, files):
    alone = [recognize(file)["speech_s"] for file in files]
    assert [outputs["speech_s"] for outputs in recognize(files, batch_size=2, num_workers=2)] == pytest.approx(alone)


def test_seconds_of_speech_are_the_same_in_the_pipeline_and_the_predictor(recognize, checkpoint, files):
    alone = [recognize(file)["speech_s"] for file in files]
    assert [seconds > 0 for seconds in alone] == [True, True, False, True]
    assert [outputs["speech_s"] for outputs in recognize(files, batch_size=3)] == pytest.approx(alone, abs=1e-5)
    predictor = load_predictor(str(checkpoint))
    rows = dict(predict_files(predictor, files, PredictionRequest()))
    assert [rows[file][0]["speech_s"] for file in files] == pytest.approx(alone, abs=1e-5)
    # Only the beginning is analyzed, and the second clip is longer.
    timeline = [build_timeline(predictor, file).speech_s for file in files]
    assert [timeline[index] for index in (0, 2, 3)] == pytest.approx([alone[index] for index in (0, 2, 3)])
    assert timeline[1] > alone[1] + 2


@pytest.mark.slow
def test_seconds_of_speech_are_the_same_with_onnx(recognize, exported, files):
    rows = dict(predict_files(load_predictor(str(exported), backend="onnx"), files, PredictionRequest()))
    alone = [recognize(file)["speech_s"] for file in files]
    assert [rows[file][0]["speech_s"] for file in files] == pytest.approx(alone, abs=1e-5)
