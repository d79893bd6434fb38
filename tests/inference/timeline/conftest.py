"""A network that predicts emotion from the level, and a film that is spoken at such levels."""

import numpy as np
import pytest

from inference.engine.predictor import Predictor
from modeling import SAMPLING_RATE
from tests.conftest import tiny_config
from tests.inference.conftest import music, noise

# How loud somebody speaks who feels so.
LEVELS = {"angry": 0.3, "happy": 0.1, "sad": 0.03}


class ByLevel:
    """A network that predicts emotions from the level, and keeps its inputs."""

    def __init__(self):
        self.lengths = []

    def __call__(self, input_values, attention_mask):
        self.lengths += attention_mask.sum(axis=1).tolist()
        level = np.log(np.sqrt((input_values**2).sum(axis=1) / attention_mask.sum(axis=1)))
        emotion = -4 * (level[:, None] - np.log(list(LEVELS.values()))) ** 2
        return {"emotion": emotion, "gender": np.zeros((len(level), 2)), "f0_mean": level[:, None]}


@pytest.fixture
def predictor():
    return Predictor(tiny_config(), ByLevel())


@pytest.fixture(scope="module")
def lines(spoken):
    """`(emotion, waveform)` of fourteen sentences."""
    emotions = [list(LEVELS)[index % 3] for index in range(len(spoken))]
    return [(emotion, clip * LEVELS[emotion] / 0.1) for emotion, clip in zip(emotions, spoken, strict=True)]


@pytest.fixture(scope="module")
def film(lines):
    """A recording, and `(emotion, start_s, end_s)` of the speech in it, between noise 20 dB below and music."""
    gaps = [noise(1.2, 0.003), music("chords", 2), noise(0.8, 0.003), music("arpeggio", 2), music("drums", 2)]
    parts, script, at = [], [], 0
    for index, (emotion, line) in enumerate(lines):
        gap = gaps[index % len(gaps)]
        script.append((emotion, (at + gap.size) / SAMPLING_RATE, (at + gap.size + line.size) / SAMPLING_RATE))
        parts += [gap, line]
        at += gap.size + line.size
    return np.concatenate([*parts, noise(1.0, 0.003)]), script
