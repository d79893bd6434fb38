"""Short clips on disk, as a corpus adapter yields them."""

from pathlib import Path

import soundfile

from modeling import SAMPLING_RATE
from preprocessing.clip import Clip
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
