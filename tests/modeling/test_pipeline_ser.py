import io
import json
import os
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import fsspec
import numpy as np
import pytest
import soundfile
import torch
from datasets import Dataset
from transformers import pipeline
from transformers.pipelines.pt_utils import KeyDataset

from modeling import AudioError, SpeechEmotionPipeline, load_audio
from tests.conftest import ROOT, TASKS, voice
from tests.support.encoded_audio import encode
from tests.support.loopback_hub import serve
from tests.support.piped_audio import PIPED, piped, recording

CLIPS = [voice(seconds, 90 + 30 * i, i) for i, seconds in enumerate((0.02, 0.4, 2.5, 6.0, 9.0))]


@pytest.fixture(scope="module")
def recognize(checkpoint):
    return pipeline(
        "speech-emotion-recognition",
        model=str(checkpoint),
        pipeline_class=SpeechEmotionPipeline,
        vad=False,  # the clips are a buzz
    )


def same(left: dict, right: dict) -> None:
    """Asserts the guarantee: probabilities to 1e-5, values to 1e-4 of their target's standard deviation."""
    for task in TASKS:
        if task.is_classification:
            scores = [
                {entry["label"]: entry["score"] for entry in prediction[task.name]} for prediction in (left, right)
            ]
            assert scores[0] == pytest.approx(scores[1], abs=1e-5)
        else:
            assert left[task.name]["value"] == pytest.approx(right[task.name]["value"], abs=1e-4 * task.std)


def write_audio(path, clip: np.ndarray) -> None:
    if path.suffix == ".m4a":
        encode(path, clip, 16_000, "aac", 32_000)
    else:
        soundfile.write(path, clip, 16_000)


def as_wav(clip: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, clip, 16_000, subtype="FLOAT", format="WAV")
    return file.getvalue()


def test_every_head_in_its_unit(recognize):
    prediction = recognize(CLIPS[2])
    assert prediction.keys() == {"emotion", "gender", "f0_mean", "duration_s", "analyzed_s", "speech_s"}
    assert sum(entry["score"] for entry in prediction["emotion"]) == pytest.approx(1)
    assert [entry["score"] for entry in prediction["emotion"]] == sorted(
        (e["score"] for e in prediction["emotion"]), reverse=True
    )
    assert prediction["f0_mean"]["unit"] == "Hz"
    assert 0 < prediction["f0_mean"]["value"] < 400
    assert prediction["duration_s"] == prediction["analyzed_s"] == 2.5


def test_the_analyzed_duration_is_returned(recognize):
    prediction = recognize(CLIPS[4])
    assert (prediction["duration_s"], prediction["analyzed_s"]) == (9.0, 6.0)


def test_the_output_does_not_depend_on_the_batch(recognize):
    alone = [recognize(clip) for clip in CLIPS]
    for size in (2, 5):
        for one, other in zip(alone, recognize(CLIPS, batch_size=size), strict=True):
            same(one, other)


def test_it_is_the_models_output(recognize, tiny_model):
    for clip in CLIPS:
        with torch.no_grad():
            logits = tiny_model(torch.from_numpy(clip)[None]).task_logits
        prediction = recognize(clip)
        assert prediction["f0_mean"]["value"] == pytest.approx(TASKS[2].decode(logits["f0_mean"]).item(), abs=5e-3)
        expected = dict(zip(TASKS[0].labels, TASKS[0].decode(logits["emotion"])[0].tolist(), strict=True))
        assert {e["label"]: e["score"] for e in prediction["emotion"]} == pytest.approx(expected, abs=1e-5)


def test_the_stock_pipeline_agrees_on_emotion(recognize, checkpoint):
    stock = pipeline("audio-classification", model=str(checkpoint), top_k=None)
    for clip, other in zip(CLIPS, stock(list(CLIPS), batch_size=3), strict=True):
        expected = {entry["label"]: entry["score"] for entry in recognize(clip)["emotion"]}
        assert {entry["label"]: entry["score"] for entry in other} == pytest.approx(expected, abs=1e-5)


def test_every_kind_of_input_is_the_same_sound(recognize, tmp_path):
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
    expected = recognize(clip)
    for prediction in recognize(inputs, batch_size=4):
        same(prediction, expected)
    for prediction in recognize(item for item in inputs[:3]):
        same(prediction, expected)


class Ranges(SimpleHTTPRequestHandler):
    """Serves a folder, quietly."""

    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path):
    """A folder and the address under which it is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranges, directory=str(tmp_path))) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_address_is_as_good_as_a_path(recognize, served):
    folder, address = served
    for name in ("clip.wav", "clip.flac", "clip.m4a"):
        write_audio(folder / name, voice(1.5, 140))
        expected = recognize(str(folder / name))
        same(recognize(f"{address}/{name}"), expected)
        same(recognize((folder / name).as_uri()), expected)
        fsspec.filesystem("memory").pipe(f"/{name}", (folder / name).read_bytes())
        same(recognize(f"memory://{name}"), expected)
    with pytest.raises(AudioError, match=r"http.*/none\.wav: "):
        recognize(f"{address}/none.wav")
    with pytest.raises(AudioError, match=r"nowhere://clip\.wav: .*Protocol"):
        recognize("nowhere://clip.wav")
    with pytest.raises(AudioError, match="/"):
        recognize("http://127.0.0.1:1/clip.wav")


@pytest.mark.slow
def test_a_file_on_the_hub_is_as_good_as_a_path(checkpoint, tmp_path):
    write_audio(tmp_path / "clip.wav", voice(1.5, 140))
    with serve(tmp_path / "hub") as hub:
        environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_writer", "HF_HUB_OFFLINE": "0"}
        environment |= {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
        arguments = [sys.executable, "-c", ON_THE_HUB, str(checkpoint), str(tmp_path / "clip.wav")]
        done = subprocess.run(arguments, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    local, remote = json.loads(done.stdout.splitlines()[-1])
    same(local, remote)


ON_THE_HUB = """
import json, sys
from huggingface_hub import HfApi
from transformers import pipeline
from modeling import SpeechEmotionPipeline
checkpoint, clip = sys.argv[1:]
api = HfApi()
api.create_repo("team/clips", repo_type="dataset")
api.upload_file(path_or_fileobj=clip, path_in_repo="clip.wav", repo_id="team/clips", repo_type="dataset")
recognize = pipeline("speech-emotion-recognition", model=checkpoint, pipeline_class=SpeechEmotionPipeline)
print(json.dumps([recognize(clip), recognize("hf://datasets/team/clips/clip.wav")]))
"""


def test_a_stream_without_a_way_back_is_read_whole(recognize, tmp_path):
    class Stream(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_):
            raise io.UnsupportedOperation

    write_audio(tmp_path / "clip.wav", voice(1.5, 140))
    content = (tmp_path / "clip.wav").read_bytes()
    same(recognize(Stream(content)), recognize(content))


def test_a_column_and_a_generator_in_batches_come_in_order(recognize):
    column = Dataset.from_dict({"audio": [{"bytes": as_wav(clip), "path": None} for clip in CLIPS]})
    expected = [recognize(clip) for clip in CLIPS]
    streams = [KeyDataset(column, "audio"), column["audio"], tuple(CLIPS), (clip for clip in CLIPS)]
    for stream, size in zip(streams, (2, 1, 2, 2), strict=True):
        predictions = list(recognize(stream, batch_size=size))
        assert len(predictions) == len(CLIPS)
        for prediction, alone in zip(predictions, expected, strict=True):
            same(prediction, alone)
    assert len(recognize(KeyDataset(column, "audio"), batch_size=2)) == len(CLIPS)
    workers = recognize(column["audio"], batch_size=2, num_workers=2)
    assert [prediction["duration_s"] for prediction in workers] == [prediction["duration_s"] for prediction in expected]


def test_a_batch_holds_little_padding(recognize, monkeypatch):
    shapes = []
    forward = recognize.model.forward

    def spy(input_values, **inputs):
        shapes.append(tuple(input_values.shape))
        return forward(input_values, **inputs)

    monkeypatch.setattr(recognize.model, "forward", spy)
    seconds = [0.5, 3.0] * 8
    recognize([voice(s, 140) for s in seconds], batch_size=8)
    assert sorted(shapes) == [(8, 8_000), (8, 48_000)]


def test_the_embedding_is_what_the_heads_take(recognize, tiny_model):
    predictions = [
        recognize(CLIPS[1], return_embedding=True),
        *recognize(CLIPS[1:3], batch_size=2, return_embedding=True),
    ]
    pooled = torch.tensor([prediction["embedding"] for prediction in predictions])
    assert pooled.shape == (3, tiny_model.config.pooled_size)
    torch.testing.assert_close(pooled[0], pooled[1], atol=1e-5, rtol=0)
    scores = TASKS[0].decode(tiny_model.heads["emotion"](pooled))
    for prediction, row in zip(predictions, scores, strict=True):
        scores_of_labels = {entry["label"]: entry["score"] for entry in prediction["emotion"]}
        assert scores_of_labels == pytest.approx(dict(zip(TASKS[0].labels, row.tolist(), strict=True)), abs=1e-5)
    assert "embedding" not in recognize(CLIPS[1])


def test_options_reach_the_output(recognize):
    prediction = recognize(CLIPS[2], labels=["happy", "sad"], uncertain_below=1.0)
    assert {entry["label"] for entry in prediction["emotion"]} == {"happy", "sad"}
    assert prediction["uncertain"] is True
    with pytest.raises(ValueError, match="'joy'"):
        recognize(CLIPS[2], labels=["joy"])


def test_top_k(recognize):
    prediction = recognize(CLIPS[1], top_k=2)
    assert [len(prediction[name]) for name in ("emotion", "gender")] == [2, 2]
    assert prediction["emotion"] == recognize(CLIPS[1])["emotion"][:2]


def test_unknown_parameters_are_rejected(recognize):
    with pytest.raises(TypeError, match="topk"):
        recognize(CLIPS[1], topk=2)
    with pytest.raises(ValueError, match="top_k"):
        recognize(CLIPS[1], top_k=0)
    with pytest.raises(ValueError, match="'array' and 'sampling_rate'"):
        recognize({"audio": CLIPS[1]})


LOAD_FROM_THE_HUB = """
import sys
sys.modules["modeling"] = sys.modules["preprocessing"] = None  # nothing of the project may be needed
import json
from transformers import AutoFeatureExtractor, AutoModel, AutoModelForAudioClassification, pipeline
folder, clip = sys.argv[1:]
recognize = pipeline(model=folder, trust_remote_code=True)
stock = pipeline("audio-classification", model=folder, trust_remote_code=True, top_k=None)
features = AutoFeatureExtractor.from_pretrained(folder)
waveform = __import__(type(recognize).__module__, fromlist=["x"]).AudioReader(clip).read()
predictions = [recognize(clip, vad=False), stock(waveform)]
for auto in (AutoModel, AutoModelForAudioClassification):
    model = auto.from_pretrained(folder, trust_remote_code=True)
    inputs = features(waveform, sampling_rate=16000, return_tensors="pt")
    predictions.append(model(**inputs).logits.softmax(-1)[0].tolist())
print(json.dumps(predictions))
"""


@pytest.mark.slow
def test_anyone_loads_it_with_transformers_alone(checkpoint, recognize, tmp_path):
    soundfile.write(tmp_path / "clip.wav", CLIPS[2], 16_000)
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "PYTHONPATH": ""}
    command = [sys.executable, "-c", LOAD_FROM_THE_HUB, str(checkpoint), str(tmp_path / "clip.wav")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours, stock, *models = json.loads(done.stdout.splitlines()[-1])
    expected = recognize(load_audio(tmp_path / "clip.wav"))
    same(ours, expected)
    scores = {entry["label"]: entry["score"] for entry in expected["emotion"]}
    assert {entry["label"]: entry["score"] for entry in stock} == pytest.approx(scores, abs=1e-5)
    for model in models:
        assert dict(zip(TASKS[0].labels, model, strict=True)) == pytest.approx(scores, abs=1e-5)


def test_no_clips_give_no_outputs(recognize):
    for nothing in ([], (), Dataset.from_dict({"audio": []})["audio"]):
        assert recognize(nothing) == recognize(nothing, batch_size=4) == []


@pytest.mark.parametrize("muxer", ["webm", "matroska", "flac", "avi"])
def test_a_recording_from_a_pipe_is_as_long_as_it_is(recognize, muxer):
    codec, rate = PIPED[muxer]
    prediction = recognize(piped(recording(9, rate), rate, codec, muxer))
    assert (prediction["duration_s"], prediction["analyzed_s"]) == (pytest.approx(9, abs=0.1), 6.0)


def test_an_unknown_length_is_null(recognize, monkeypatch):
    monkeypatch.setattr("modeling.audio_ser._COUNTED", 1000)
    codec, rate = PIPED["webm"]
    long, short = (piped(recording(seconds, rate), rate, codec, "webm") for seconds in (9, 2))
    predictions = recognize([long, short], batch_size=2)
    assert [prediction["duration_s"] for prediction in predictions] == [None, pytest.approx(2, abs=0.1)]
