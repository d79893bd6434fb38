import numpy as np
import pytest
import soundfile

from inference.curation.duplicates import same_sounds
from preprocessing.duplicates.audio_fingerprint import FINGERPRINT_SIZE, fingerprint
from tests.conftest import voice


def numbered(folder, waveforms, rates=None):
    files, marks = [], []
    for index, waveform in enumerate(waveforms):
        files.append(str(folder / f"{index}.wav"))
        soundfile.write(files[-1], waveform, (rates or {}).get(index, 16_000))
        marks.append(fingerprint(waveform))
    return files, np.array(marks)


def test_copies_have_one_number_and_others_their_own(tmp_path):
    first, second = voice(1.0, 120, 0), voice(1.0, 240, 1)
    files, marks = numbered(tmp_path, [first, second, 0.5 * first, np.pad(second, (800, 0)), first])
    sounds = same_sounds(files, marks)
    assert sounds[0] == sounds[2] == sounds[4] != sounds[1] == sounds[3]


def test_many_copies_are_one_sound(tmp_path):
    files, marks = numbered(tmp_path, [voice(0.5, 120, 0)] * 20)
    assert len(set(same_sounds(files, marks))) == 1


def test_near_fingerprints_alone_are_not_a_copy(tmp_path):
    random = np.random.default_rng(0)
    files, _ = numbered(tmp_path, [random.normal(scale=0.1, size=16_000) for _ in range(3)])
    assert len(set(same_sounds(files, np.full((3, FINGERPRINT_SIZE), 0.5, np.float32)))) == 3


@pytest.mark.parametrize("count", [0, 1, 3])
def test_silence_is_like_nothing(count):
    silent = np.full((count, FINGERPRINT_SIZE), np.nan, np.float32)
    assert len(set(same_sounds(["none.wav"] * count, silent))) == count
