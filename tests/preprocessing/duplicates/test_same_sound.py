import numpy as np
from datasets import Dataset

from preprocessing.duplicates.same_sound import DuplicateThresholds, same_sounds
from preprocessing.stored_audio import encode_waveform
from tests.conftest import voice


def table(*waveforms: np.ndarray) -> Dataset:
    stored = [encode_waveform(waveform) for waveform in waveforms]
    return Dataset.from_dict(
        {"audio": [{"bytes": audio, "path": None} for audio, _ in stored], "scale": [scale for _, scale in stored]}
    )


SOUND = voice(0.6, 120, 0)
CLIPS = table(SOUND, 0.5 * SOUND, voice(0.6, 240, 1), np.pad(SOUND, (3000, 0)))
PAIRS = np.array([[0, 1], [0, 2], [0, 3], [1, 2]])


def test_the_pairs_of_the_same_sound_are_kept():
    assert same_sounds(CLIPS, PAIRS).tolist() == [[0, 1], [0, 3]]


def test_the_threshold_can_be_moved():
    assert same_sounds(CLIPS, PAIRS, DuplicateThresholds(similarity=0.0)).tolist() == PAIRS.tolist()


def test_no_pairs():
    assert same_sounds(CLIPS, PAIRS[:0]).shape == (0, 2)
