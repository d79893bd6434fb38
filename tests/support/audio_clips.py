"""Short clips on disk, as a corpus adapter yields them, as a table lists them, and of a prepared folder."""

from pathlib import Path

import pandas as pd
import soundfile

from modeling import SAMPLING_RATE
from preprocessing.clip import Clip
from preprocessing.prepared.load import load_prepared
from tests.conftest import voice


def write_clips(folder: Path, counts: dict[str, int]) -> list[Clip]:
    """Writes this many clips of 0.12 s for each corpus."""
    clips = []
    for corpus, count in counts.items():
        for i in range(count):
            path = folder / f"{corpus}{i}.wav"
            soundfile.write(path, voice(0.12, 90 + 3 * i, i), SAMPLING_RATE)
            clips.append(Clip(id=f"{corpus}/{path.name}", path=path, corpus=corpus, emotion="angry"))
    return clips


def write_table(folder: Path, clips_of: dict[str, int]) -> Path:
    """A table of corpora with this many clips of 0.12 s."""
    (folder / "wav").mkdir(parents=True, exist_ok=True)
    rows = []
    for corpus, count in clips_of.items():
        for i in range(count):
            path = folder / f"wav/{corpus}{i:03}.wav"
            if not path.exists():
                soundfile.write(path, voice(0.12, 90 + 3 * i, i), SAMPLING_RATE)
            emotion = ("angry", "sad")[i % 2]
            rows.append({"path": f"wav/{path.name}", "corpus": corpus, "speaker": f"s{i % 4}", "emotion": emotion})
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def prepared_clips(folder: Path) -> dict:
    """Split -> columns of the clips in a prepared folder."""
    return {split: rows[:] for split, rows in load_prepared(folder, "paper").items()}
