"""Prepared folders to audit: a clean one, and one whose splits share a speaker."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from preprocessing.corpora.scan import Source, scan
from preprocessing.prepared.build import prepare
from tests.conftest import voice

RATE = 44100
SPLITS = ("train", "validation", "test")


def speak(seed: int, f0: float) -> np.ndarray:
    """Syllables, float32 at 44.1 kHz; no two seeds alike."""
    random = np.random.default_rng(seed)
    time = np.arange(round(0.6 * RATE)) / RATE
    pace, phase = random.uniform(2, 8, 3), random.uniform(0, 6, 3)
    loudness = np.clip(np.sin(2 * np.pi * pace[:, None] * time + phase[:, None]), 0, 1).mean(axis=0)
    return (voice(0.6, f0 + random.uniform(-15, 15), seed, RATE) * loudness).astype(np.float32)


def write_clean(folder: Path) -> pd.DataFrame:
    """A woman and a man per split, each with four sentences of their own in two emotions."""
    folder.mkdir()
    rows = []
    for index in range(24):
        speaker = index // 4
        gender = ("female", "male")[speaker % 2]
        soundfile.write(folder / f"{index:02}.wav", speak(index, {"female": 240, "male": 115}[gender]), RATE)
        rows.append(
            {
                "path": f"{index:02}.wav",
                "speaker": f"s{speaker}",
                "sentence": f"sentence {index}",
                "gender": gender,
                "emotion": ("angry", "sad")[index % 2],
                "split": SPLITS[speaker // 2],
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def clean(tmp_path_factory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("clean") / "mine"
    return folder, write_clean(folder)


@pytest.fixture
def mine(clean, tmp_path) -> tuple[Path, pd.DataFrame]:
    """A copy to spoil."""
    folder, table = clean
    shutil.copytree(folder, tmp_path / "mine")
    return tmp_path / "mine", table.copy()


def prepare_table(folder: Path, table: pd.DataFrame) -> Path:
    table.to_csv(folder / "table.csv", index=False)
    prepare(scan([Source("table", folder / "table.csv")]), folder.parent / "prepared", num_proc=1)
    return folder.parent / "prepared"


@pytest.fixture(scope="session")
def clean_prepared(clean) -> Path:
    return prepare_table(*clean)


@pytest.fixture(scope="session")
def leaking(clean, clean_prepared, tmp_path_factory) -> Path:
    """A prepared folder whose speaker s0 is in two splits, by the speaker-disjoint protocol too."""
    table = clean[1]
    output = tmp_path_factory.mktemp("leaking") / "prepared"
    shutil.copytree(clean_prepared, output)
    path = output / "splits/speaker.json"
    protocol = json.loads(path.read_text(encoding="utf-8"))
    protocol["clips"] = dict(zip((f"mine/{name}" for name in table["path"]), table["split"], strict=True))
    protocol["clips"]["mine/00.wav"] = "test"
    path.write_text(json.dumps(protocol), encoding="utf-8")
    shutil.copy(path, output / "splits/paper.json")
    return output
