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
from tests.modeling.test_vad_ser import NO_SPEECH, SAID


@pytest.fixture(scope="module")
def recognize(checkpoint):
    return pipeline("speech-emotion-recognition", model=str(checkpoint), pipeline_class=SpeechEmotionPipeline)


def test_a_shriek_is_speech(spoken):
    """A voice at 2.2 times its pitch, which silero-vad alone takes for noise, or nearly so."""
    for clip in spoken[:4]:
        shrieked = np.interp(np.arange(0, clip.size, 2.2), np.arange(clip.size), clip).astype(np.float32)
        assert 0 < measure_speech(shrieked) <= shrieked.size / 16_000


@pytest.mark.parametrize("kind", ["silence", "noise", "chords", "next to nothing"])
def test_no_emotion_is_named_where_nobody_speaks(recognize, checkpoint, tmp_path, kind):
    file = str(tmp_path / "clip.wav")
    soundfile.write(file, NO_SPEECH[kind], 16_000, subtype="FLOAT")
    answer = recognize(file)
    assert answer["emotion"] == answer["gender"] == [{"label": None, "score": None}]
    assert answer["f0_mean"] == {"value": None, "unit": "Hz"}
    assert answer["speech_s"] == 0.0
    assert answer["reason"]
    predictor = load_predictor(str(checkpoint))
    assert list(predict_files(predictor, [file], PredictionRequest())) == [(file, [{"file": file, **answer}])]
    told_otherwise = recognize(file, vad=False)
    assert sum(entry["score"] for entry in told_otherwise["emotion"]) == pytest.approx(1)
    assert told_otherwise["speech_s"] is None
    assert "reason" not in told_otherwise


def test_how_much_speech_there_is_does_not_depend_on_how_one_asks(recognize, checkpoint, exported, tmp_path):
    clips = [SAID, np.concatenate([np.zeros(40_000, np.float32), SAID, SAID]), NO_SPEECH["noise"], SAID[:20_000]]
    files = [str(tmp_path / f"{number}.wav") for number in range(len(clips))]
    for file, clip in zip(files, clips, strict=True):
        soundfile.write(file, clip, 16_000, subtype="FLOAT")
    alone = [recognize(file)["speech_s"] for file in files]
    assert [seconds > 0 for seconds in alone] == [True, True, False, True]
    assert [answer["speech_s"] for answer in recognize(files, batch_size=3)] == pytest.approx(alone, abs=1e-5)
    assert [answer["speech_s"] for answer in recognize(files, batch_size=2, num_workers=2)] == pytest.approx(alone)
    for predictor in (load_predictor(str(checkpoint)), load_predictor(str(exported), backend="onnx")):
        rows = dict(predict_files(predictor, files, PredictionRequest(), batch_size=2))
        assert [rows[file][0]["speech_s"] for file in files] == pytest.approx(alone, abs=1e-5)
    # The beginning alone is processed, and alone looked at: of the second clip there is more.
    timeline = [build_timeline(load_predictor(str(checkpoint)), file).speech_s for file in files]
    assert [timeline[index] for index in (0, 2, 3)] == pytest.approx([alone[index] for index in (0, 2, 3)])
    assert timeline[1] > alone[1] + 2
