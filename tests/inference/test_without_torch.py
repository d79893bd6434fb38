"""What computes with ONNX Runtime runs where PyTorch, transformers and what comes with them cannot be imported."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from inference.engine.predictor import load_predictor
from modeling import load_audio
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

BLOCK = """
import sys
class Blocked:
    names = "torch transformers accelerate datasets huggingface_hub pyarrow pandas librosa scipy sklearn gradio"
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names.split():
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocked())
import runpy
sys.argv = sys.argv[1:]
sys.path.insert(0, ".")
runpy.run_path(sys.argv[0], run_name="__main__") if sys.argv[0].endswith(".py") else exec(sys.argv[0])
"""


def run_without_torch(*args: str) -> str:
    command = [sys.executable, "-c", BLOCK, *args]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def speech(spoken, tmp_path_factory):
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    soundfile.write(path, np.concatenate(spoken[:3]), 16_000)
    return path


def test_predict_py_computes_with_onnx(exported, speech):
    command = ["predict.py", str(speech), "--model", str(exported), "--backend", "onnx", "--json"]
    (row,) = json.loads(run_without_torch(*command))
    scores = {entry["label"]: entry["score"] for entry in row["emotion"]}
    predictor = load_predictor(str(exported), backend="onnx")
    expected = predictor([load_audio(speech, end_s=predictor.max_duration_s)])["emotion"][0]
    assert [scores[label] for label in predictor.main_task.labels] == pytest.approx(expected, abs=1e-5)
    assert row["speech_s"] > 0.5


SERVE = """
import pathlib
from fastapi.testclient import TestClient
from inference.engine.predictor import load_predictor
from inference.web.api.admission import ApiLimits
from inference.web.api.app import build_app
from inference.web.api.models import describe_model, warm_up
predictor = load_predictor(sys.argv[1], backend="onnx")
warm_up(predictor)
with TestClient(build_app(predictor, ApiLimits(), describe_model(sys.argv[1], "onnx", predictor)).app) as client:
    content, headers = pathlib.Path(sys.argv[2]).read_bytes(), {"Content-Type": "audio/wav"}
    assert len(client.post("/v1/predictions", content=content, headers=headers).json()["emotion"]) == 3
    assert client.post("/v1/timelines", content=content, headers=headers).json()["segments"]
    with client.websocket_connect("/v1/stream?sample_rate=16000") as stream:
        stream.send_bytes(content[44:])
        stream.send_text("end")
        print(stream.receive_json()["event"])
"""


def test_the_service_computes_with_onnx(exported, speech):
    assert run_without_torch(SERVE, str(exported), str(speech)).split() == ["speech_start"]


@pytest.mark.parametrize("suffix", [".srt", ".jsonl", ".csv"])
def test_predict_py_writes_timelines_and_rows(exported, speech, tmp_path, suffix):
    output = tmp_path / f"rows{suffix}"
    command = ["predict.py", str(speech), "--model", str(exported), "--backend", "onnx", "--output", str(output)]
    run_without_torch(*command, *(["--timeline"] if suffix != ".csv" else []))
    assert output.stat().st_size > 0
