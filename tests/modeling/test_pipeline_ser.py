import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
from transformers import pipeline

from modeling import SpeechEmotionPipeline, load_audio
from tests.conftest import TASKS, voice

CLIPS = [voice(seconds, 90 + 30 * i, i) for i, seconds in enumerate((0.02, 0.4, 2.5, 6.0, 9.0))]


@pytest.fixture(scope="module")
def recognise(checkpoint):
    return pipeline("speech-emotion-recognition", model=str(checkpoint), pipeline_class=SpeechEmotionPipeline)


def same(left: dict, right: dict) -> None:
    """Asserts the guarantee: probabilities to 1e-5, values to 1e-4 of their target's standard deviation."""
    for task in TASKS:
        if task.is_classification:
            scores = [{entry["label"]: entry["score"] for entry in answer[task.name]} for answer in (left, right)]
            assert scores[0] == pytest.approx(scores[1], abs=1e-5)
        else:
            assert left[task.name]["value"] == pytest.approx(right[task.name]["value"], abs=1e-4 * task.std)


def test_every_head_in_its_unit(recognise):
    answer = recognise(CLIPS[2])
    assert answer.keys() == {"emotion", "gender", "f0_mean", "duration_s", "heard_s"}
    assert sum(entry["score"] for entry in answer["emotion"]) == pytest.approx(1)
    assert [entry["score"] for entry in answer["emotion"]] == sorted(
        (e["score"] for e in answer["emotion"]), reverse=True
    )
    assert answer["f0_mean"]["unit"] == "Hz"
    assert 0 < answer["f0_mean"]["value"] < 400
    assert answer["duration_s"] == answer["heard_s"] == 2.5


def test_says_how_much_of_a_recording_it_heard(recognise):
    answer = recognise(CLIPS[4])
    assert (answer["duration_s"], answer["heard_s"]) == (9.0, 6.0)


def test_the_answer_does_not_depend_on_the_batch(recognise):
    alone = [recognise(clip) for clip in CLIPS]
    for size in (2, 5):
        for one, other in zip(alone, recognise(CLIPS, batch_size=size), strict=True):
            same(one, other)


def test_it_is_the_models_answer(recognise, tiny_model):
    for clip in CLIPS:
        with torch.no_grad():
            logits = tiny_model(torch.from_numpy(clip)[None]).task_logits
        answer = recognise(clip)
        assert answer["f0_mean"]["value"] == pytest.approx(TASKS[2].decode(logits["f0_mean"]).item(), abs=5e-3)
        expected = dict(zip(TASKS[0].labels, TASKS[0].decode(logits["emotion"])[0].tolist(), strict=True))
        assert {e["label"]: e["score"] for e in answer["emotion"]} == pytest.approx(expected, abs=1e-5)


def test_the_stock_pipeline_agrees_on_emotion(recognise, checkpoint):
    stock = pipeline("audio-classification", model=str(checkpoint), top_k=None)
    for clip, other in zip(CLIPS, stock(list(CLIPS), batch_size=3), strict=True):
        expected = {entry["label"]: entry["score"] for entry in recognise(clip)["emotion"]}
        assert {entry["label"]: entry["score"] for entry in other} == pytest.approx(expected, abs=1e-5)


def test_every_kind_of_input_is_the_same_sound(recognise, tmp_path):
    clip = voice(1.5, 140)
    path = tmp_path / "clip.wav"
    soundfile.write(path, clip, 16_000, subtype="FLOAT")
    inputs = [
        clip,
        torch.from_numpy(clip),
        str(path),
        path,
        path.read_bytes(),
        path.open("rb"),
        {"array": np.stack([clip, clip]), "sampling_rate": 16_000},
        {"raw": clip.tolist(), "sampling_rate": 16_000},
        {"bytes": path.read_bytes(), "path": None},
        {"bytes": None, "path": str(path)},
    ]
    expected = recognise(clip)
    for answer in recognise(inputs, batch_size=4):
        same(answer, expected)
    for answer in recognise(item for item in inputs[:3]):
        same(answer, expected)


def test_top_k(recognise):
    answer = recognise(CLIPS[1], top_k=2)
    assert [len(answer[name]) for name in ("emotion", "gender")] == [2, 2]
    assert answer["emotion"] == recognise(CLIPS[1])["emotion"][:2]


def test_unknown_parameters_are_refused(recognise):
    with pytest.raises(TypeError, match="no parameter topk"):
        recognise(CLIPS[1], topk=2)
    with pytest.raises(ValueError, match="at least 1"):
        recognise(CLIPS[1], top_k=0)
    with pytest.raises(ValueError, match="keys 'array' and 'sampling_rate'"):
        recognise({"audio": CLIPS[1]})


STRANGER = """
import sys
sys.modules["modeling"] = sys.modules["preprocessing"] = None  # nothing of the project may be needed
import json
from transformers import AutoFeatureExtractor, AutoModel, AutoModelForAudioClassification, pipeline
folder, clip = sys.argv[1:]
recognise = pipeline(model=folder, trust_remote_code=True)
stock = pipeline("audio-classification", model=folder, trust_remote_code=True, top_k=None)
features = AutoFeatureExtractor.from_pretrained(folder)
waveform = __import__(type(recognise).__module__, fromlist=["x"]).AudioReader(clip).read()
answers = [recognise(clip), stock(waveform)]
for auto in (AutoModel, AutoModelForAudioClassification):
    model = auto.from_pretrained(folder, trust_remote_code=True)
    answers.append(model(**features(waveform, sampling_rate=16000, return_tensors="pt")).logits.softmax(-1)[0].tolist())
print(json.dumps(answers))
"""


def test_a_stranger_loads_it_with_transformers_alone(checkpoint, recognise, tmp_path):
    soundfile.write(tmp_path / "clip.wav", CLIPS[2], 16_000)
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "PYTHONPATH": ""}
    command = [sys.executable, "-c", STRANGER, str(checkpoint), str(tmp_path / "clip.wav")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours, stock, *models = json.loads(done.stdout.splitlines()[-1])
    expected = recognise(load_audio(tmp_path / "clip.wav"))
    same(ours, expected)
    scores = {entry["label"]: entry["score"] for entry in expected["emotion"]}
    assert {entry["label"]: entry["score"] for entry in stock} == pytest.approx(scores, abs=1e-5)
    for model in models:
        assert dict(zip(TASKS[0].labels, model, strict=True)) == pytest.approx(scores, abs=1e-5)
