import numpy as np
import pytest
import soundfile

from inference.dubbing.prosody import measure_prosody
from inference.engine.predictor import Predictor, load_predictor
from modeling import SAMPLING_RATE, load_audio
from tests.conftest import tiny_config, voice
from tests.inference.conftest import noise


@pytest.fixture
def recording(tmp_path):
    """100 Hz for 2 s, 200 Hz at half the amplitude for 15 s, and a whisper."""
    parts = [noise(1, 1e-4), voice(2, 100), noise(50, 1e-4), voice(15, 200) / 2, noise(1, 1e-4), noise(2, 0.1)]
    soundfile.write(tmp_path / "film.wav", np.concatenate(parts), SAMPLING_RATE, subtype="FLOAT")
    return tmp_path / "film.wav"


LINES = np.array([(1, 3), (53, 68), (69, 71)], dtype=float)


def test_pitch_and_energy_are_measured(recording, checkpoint):
    prosody = measure_prosody(load_predictor(str(checkpoint)), recording, LINES)
    assert prosody.pitch[:2] == pytest.approx([12 * np.log2(100), 12 * np.log2(200)], abs=0.2)
    assert np.isnan(prosody.pitch[2])
    assert prosody.energy[0] - prosody.energy[1] == pytest.approx(6.02, abs=0.1)
    assert prosody.energy[2] == pytest.approx(-20, abs=0.2)


def test_emotion_is_the_prediction_for_the_line(recording, checkpoint):
    predictor = load_predictor(str(checkpoint))
    prosody = measure_prosody(predictor, recording, LINES)
    expected = predictor([load_audio(recording, start_s=1, end_s=3)])["emotion"]
    assert prosody.emotion[0] == pytest.approx(expected[0], abs=1e-5)
    # Longer than the model's window of 6 s: the mean of three windows of 5 s.
    windows = [load_audio(recording, start_s=start, end_s=start + 5) for start in (53, 58, 63)]
    assert prosody.emotion[1] == pytest.approx(predictor(windows)["emotion"].mean(axis=0), abs=1e-5)


def test_no_more_than_a_pool_of_windows_is_held(recording):
    sizes = []

    def forward(input_values, attention_mask):
        sizes.append(input_values.shape)
        return {name: np.zeros((len(input_values), n)) for name, n in (("emotion", 3), ("gender", 2), ("f0_mean", 1))}

    measure_prosody(Predictor(tiny_config(), forward, batch_size=1000), recording, np.tile((1, 1.1), (150, 1)))
    assert max(count for count, _ in sizes) == 64
    assert sum(count for count, _ in sizes) == 150
