"""Synthetic speech that passes voice activity detection, other sounds, an exported checkpoint, and threads."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from filelock import FileLock

from inference.onnx.export import export_folder
from modeling import SAMPLING_RATE, load_audio
from tests.conftest import ROOT, voice

# In a process of its own: eSpeak's state is global.
SPEAK = """
import sys
from pathlib import Path
from preprocessing.demo import corpus as demo_corpus
demo_corpus.SENTENCES = {"en-US": demo_corpus.SENTENCES["en-US"]}
demo_corpus.VOICES = {"train": {"male": ("m3",), "female": ("f2",)}}
demo_corpus.write_demo_corpus(Path(sys.argv[1]))
"""


@pytest.fixture(params=[1, 2])
def threads(request):
    """So many threads of PyTorch's, whatever the machine has."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def speak(script: str, folder: Path) -> None:
    """Runs a script that writes speech to the folder, once for all processes that test."""
    pytest.importorskip("espeakng_loader")
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            subprocess.run([sys.executable, "-c", script, str(folder)], cwd=ROOT, check=True)


@pytest.fixture(scope="session")
def spoken(shared_folder) -> list[np.ndarray]:
    """Fourteen sentences of two voices at the same level, without the silence around them."""
    folder = shared_folder / "spoken"
    speak(SPEAK, folder)
    clips = []
    for path in sorted(folder.glob("wav/*/*.wav")):
        waveform = load_audio(path)
        loud = np.flatnonzero(np.abs(waveform) > 0.01)
        waveform = waveform[loud[0] : loud[-1]]
        clips.append((waveform * 0.1 / np.sqrt(np.mean(waveform**2))).astype(np.float32))
    return clips


TAKES = """
import sys
from pathlib import Path
from preprocessing.demo import corpus as demo_corpus
demo_corpus.SENTENCES = {locale: demo_corpus.SENTENCES[locale] for locale in ("en-US", "de-DE")}
demo_corpus.VOICES = {"test": {"male": ("m3",), "female": ("f2",)}}
demo_corpus.PROSODY = {"neutral": demo_corpus.PROSODY["neutral"]}
for seed in range(6):
    demo_corpus.write_demo_corpus(Path(sys.argv[1], str(seed)), seed)
"""


@pytest.fixture(scope="session")
def takes(shared_folder) -> dict[str, list[np.ndarray]]:
    """Neutral sentences of an English man, `source`, and of a German woman, `dub`."""
    folder = shared_folder / "takes"
    speak(TAKES, folder)
    voices = {"source": "en-US/m3_*.wav", "dub": "de-DE/f2_*.wav"}
    return {
        track: [load_audio(path) for path in sorted(folder.glob(f"*/wav/{clips}"))] for track, clips in voices.items()
    }


def noise(seconds: float, level: float, seed: int = 0) -> np.ndarray:
    """Room noise of that root mean square."""
    size = round(seconds * SAMPLING_RATE)
    return np.random.default_rng(seed).normal(scale=level, size=size).astype(np.float32)


def music(kind: str, seconds: float, level: float = 0.1) -> np.ndarray:
    """Chords, an arpeggio or drums, of that root mean square."""
    beat = {"chords": 0.5, "arpeggio": 0.125, "drums": 0.25}[kind]
    time = np.arange(round(beat * SAMPLING_RATE)) / SAMPLING_RATE
    random = np.random.default_rng(0)
    beats = []
    for _ in range(round(seconds / beat)):
        if kind == "drums":
            drum = np.sin(2 * np.pi * 60 * time) * np.exp(-10 * time)
            beats.append(drum + random.normal(size=time.size) * np.exp(-30 * time))
        else:
            root = 220 * 2 ** (random.integers(-5, 7) / 12)
            tones = root * np.array([1, 2 ** (4 / 12), 2 ** (7 / 12)] if kind == "chords" else [1])
            beats.append(np.sin(2 * np.pi * tones[:, None] * time).sum(axis=0) * np.exp(-4 * time))
    waveform = np.concatenate(beats)
    return (waveform * level / np.sqrt(np.mean(waveform**2))).astype(np.float32)


@pytest.fixture(scope="session")
def recordings(tmp_path_factory) -> Path:
    """A folder with two recordings, a broken one, and other files."""
    folder = tmp_path_factory.mktemp("recordings")
    for index, seconds in enumerate((0.7, 7.0)):
        soundfile.write(folder / f"{index}.wav", voice(seconds, 110 + 60 * index, index), SAMPLING_RATE)
    (folder / "broken.wav").write_bytes(b"RIFF")
    (folder / "notes.txt").write_text("no audio")
    return folder


@pytest.fixture(scope="session")
def exported(checkpoint, recordings, shared_folder) -> Path:
    """The tiny checkpoint as ONNX in all precisions, traced once for all processes that test."""
    folder = shared_folder / "onnx" / "tiny"
    with FileLock(shared_folder / "onnx.lock"):
        if not folder.exists():
            export_folder(str(checkpoint), folder, precisions=("int8", "float16"), check=recordings)
    return folder


@pytest.fixture
def parity(exported) -> dict:
    return json.loads((exported / "parity.json").read_text(encoding="utf-8"))
