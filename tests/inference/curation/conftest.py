"""Recordings that manifests name."""

import shutil

import pytest
import soundfile

from inference.engine.predictor import load_predictor
from tests.conftest import voice

VOICES = {"low": 100, "mid": 105, "high": 220, "copy": 100, "other": 110, "fast": 104}


@pytest.fixture(scope="session")
def voices(checkpoint, tmp_path_factory):
    """A folder of recordings, one of them broken, and the predicted gender of the first."""
    folder = tmp_path_factory.mktemp("tts")
    for index, (name, f0) in enumerate(VOICES.items()):
        waveform = voice(0.6, f0, 0 if name == "copy" else index)
        soundfile.write(folder / f"{name}.wav", waveform * (0.5 if name == "copy" else 1), 16_000)
    (folder / "bad.wav").write_bytes(b"no sound")
    decoded = load_predictor(str(checkpoint))([soundfile.read(folder / "low.wav", dtype="float32")[0]])
    return folder, ("female", "male")[int(decoded["gender"][0].argmax())]


@pytest.fixture
def folder(voices, tmp_path):
    return shutil.copytree(voices[0], tmp_path / "tts")
