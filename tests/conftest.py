"""Small models, recordings and prepared folders that the tests share. Nothing is downloaded.

pytest-xdist's first process reads this file too and runs no test, while the others wait for it. What takes seconds to
import is therefore imported where it is used.
"""

from __future__ import annotations

import copy
import gc
import os

os.environ["HF_HUB_OFFLINE"] = "1"  # an unknown name would otherwise cost half a minute of retries
os.environ["CUDA_VISIBLE_DEVICES"] = ""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

# What commands keep between their starts; not in the home of whoever tests.
os.environ["HF_ASSETS_CACHE"] = str(Path(__file__).resolve().parent.parent / ".pytest_cache" / "assets")

import numpy as np
import pytest
import soundfile
from filelock import FileLock
from hypothesis import settings

from modeling import SAMPLING_RATE, Task

if TYPE_CHECKING:
    from datasets import DatasetDict
    from transformers import Wav2Vec2FeatureExtractor

    from modeling import Wav2Vec2ForMultiTaskSER, Wav2Vec2MultiTaskSERConfig

# The same inputs every time, so that no test fails by chance; `make stress` tries others.
settings.register_profile("same", derandomize=True, deadline=None, database=None, max_examples=40)
settings.register_profile("many", deadline=None, max_examples=1_000)
settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)  # before tests are deselected by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Makes every case of a test slow but the first, of those collected, that is not: `make test-fast` runs one."""
    seen = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        if test in seen:
            item.add_marker(pytest.mark.slow)
        elif not (item.get_closest_marker("slow") or item.get_closest_marker("stress")):
            seen.add(test)


def pytest_collection_finish() -> None:
    """Makes the small models use one thread, and garbage collection leave out all objects of the libraries."""
    import torch

    torch.set_num_threads(1)  # tests run side by side
    gc.freeze()


ROOT = Path(__file__).resolve().parent.parent

TASKS = (
    Task("emotion", "classification", "emotion", labels=("angry", "happy", "sad"), class_weights=(0.5, 1.0, 2.0)),
    Task("gender", "classification", "gender", labels=("female", "male"), weight=0.5),
    Task("f0_mean", "regression", "f0_mean", unit="Hz", mean=180.0, std=50.0),
)

TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "conv_dim": (8, 8, 8),
    "conv_stride": (10, 8, 4),
    "conv_kernel": (20, 8, 4),
    "conv_bias": True,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "do_stable_layer_norm": True,
    "feat_extract_norm": "layer",
    "hidden_dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "feat_proj_dropout": 0.0,
    "initializer_range": 0.5,  # outputs that differ visibly between inputs
}


def code_of(*of_the_architecture: str) -> set[str]:
    """The files of code that travel with a checkpoint: those of all architectures, and its own."""
    files = {file.name for file in (ROOT / "modeling").glob("*.py")} - {"__init__.py", "auto_ser.py"}
    shared = {name for name in files if not name.startswith(("modeling_", "feature_extraction_", "masked_"))}
    return shared | {"modeling_base_ser.py", "modeling_heads_ser.py", *of_the_architecture}


def tiny_config(tasks=TASKS, **overrides) -> Wav2Vec2MultiTaskSERConfig:
    from modeling import Wav2Vec2MultiTaskSERConfig

    return Wav2Vec2MultiTaskSERConfig(tasks=[task.to_dict() for task in tasks], **{**TINY, **overrides})


@pytest.fixture(scope="session")
def _tiny_model() -> Wav2Vec2ForMultiTaskSER:
    import torch

    from modeling import Wav2Vec2ForMultiTaskSER

    torch.manual_seed(0)
    return Wav2Vec2ForMultiTaskSER(tiny_config()).eval()


@pytest.fixture
def tiny_model(_tiny_model) -> Wav2Vec2ForMultiTaskSER:
    return copy.deepcopy(_tiny_model)


@pytest.fixture(scope="session")
def feature_extractor() -> Wav2Vec2FeatureExtractor:
    from transformers import Wav2Vec2FeatureExtractor

    return Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True)


@pytest.fixture(scope="session")
def checkpoint(_tiny_model, feature_extractor, tmp_path_factory) -> Path:
    """A fine-tuned checkpoint as training leaves it."""
    folder = tmp_path_factory.mktemp("checkpoint")
    _tiny_model.save_pretrained(folder)
    feature_extractor.save_pretrained(folder)
    return folder


def voice(seconds: float, f0: float, seed: int = 0, rate: int = SAMPLING_RATE) -> np.ndarray:
    """A buzzing vowel with a little noise, float32."""
    return _voice(seconds, f0, seed, rate).copy()


@lru_cache(maxsize=512)  # the same few vowels are asked for some thousand times
def _voice(seconds: float, f0: float, seed: int, rate: int) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    harmonics = sum(np.sin(2 * np.pi * f0 * k * time) / k for k in range(1, 12) if f0 * k < rate / 2)
    noise = np.random.default_rng(seed).normal(scale=0.01, size=time.size)
    return (0.2 * harmonics + noise).astype(np.float32)


def write_user_corpus(folder: Path) -> Path:
    """Two corpora in one table: `alpha` with gender, `beta` without, and with noise that has no pitch."""
    import pandas as pd

    random = np.random.default_rng(0)
    rows = []
    (folder / "wav").mkdir(parents=True)
    for index in range(96):
        alpha = index % 3 > 0
        emotion = ("angry", "happy", "sad")[index % 7 % 3]
        man = bool(index % 2)
        f0 = (110 if man else 220) * {"angry": 1.0, "happy": 1.3, "sad": 0.8}[emotion]
        seconds = float(random.uniform(0.55, 1.1))
        waveform = voice(seconds, f0, index) if alpha else random.normal(scale=0.1, size=round(seconds * SAMPLING_RATE))
        path = f"wav/{index:03}.wav"
        soundfile.write(folder / path, waveform, SAMPLING_RATE)
        rows.append(
            {
                "path": path,
                "corpus": "alpha" if alpha else "beta",
                "locale": "de-DE" if alpha else "pl-PL",
                "speaker": f"s{index % 5}",
                "gender": ("male" if man else "female") if alpha else "",
                "emotion": emotion,
                "valence": f"{random.normal():.3f}" if alpha else "",
                "recorded": ("morning", "evening")[index % 2],
            }
        )
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


EXTRA_COLUMNS = {"valence": "valence", "recorded": "recorded"}


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory) -> Path:
    """A folder of all processes that test, for what one of them makes for all, under a lock."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def user_table(shared_folder) -> Path:
    folder = shared_folder / "audio" / "mine"
    with FileLock(shared_folder / "audio.lock"):
        if not folder.exists():
            write_user_corpus(folder)
    return folder / "table.csv"


@pytest.fixture(scope="session")
def prepared(user_table, shared_folder) -> Path:
    from preprocessing.corpora.scan import Source, UserAudio, scan
    from preprocessing.prepared.build import prepare

    output = shared_folder / "prepared"
    with FileLock(shared_folder / "prepared.lock"):
        if not output.exists():
            entries = scan([Source("table", user_table)], user_audio=UserAudio(columns=EXTRA_COLUMNS))
            prepare(entries, output, num_proc=1)
    return output


@pytest.fixture(scope="session")
def _splits(prepared) -> DatasetDict:
    from preprocessing.prepared.load import load_prepared

    return load_prepared(prepared, "paper")


@pytest.fixture
def splits(_splits) -> DatasetDict:
    return copy.copy(_splits)


@pytest.fixture(scope="session")
def real_audio() -> Path:
    """The folder of real recordings, where there is one."""
    folder = os.environ.get("SER_REAL_AUDIO")
    if not folder:
        pytest.skip("SER_REAL_AUDIO names no folder with real recordings")
    return Path(folder)


@pytest.fixture(scope="session")
def real_speech() -> Path:
    """The folder of more real recordings, where there is one."""
    folder = os.environ.get("SER_REAL_SPEECH")
    if not folder:
        pytest.skip("SER_REAL_SPEECH names no folder with real recordings")
    return Path(folder)


@pytest.fixture(scope="session")
def real_whisper() -> Path:
    """The encoder of openai/whisper-base with its published weights, where there is one."""
    folder = os.environ.get("SER_BACKBONES")
    if not folder:
        pytest.skip("SER_BACKBONES names no folder with pre-trained encoders")
    return Path(folder, "whisper-base")


@pytest.fixture(scope="session")
def backbone_config(tmp_path_factory) -> Path:
    """A wav2vec 2.0 config to train from random weights."""
    from transformers import Wav2Vec2Config

    path = tmp_path_factory.mktemp("backbone") / "config.json"
    Wav2Vec2Config(**TINY).to_json_file(path)
    return path
