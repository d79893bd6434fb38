import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from evaluation.probe.features import encoder_features, load_encoder
from preprocessing.stored_audio import stored_waveform
from tests.conftest import TINY


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    Wav2Vec2Model(Wav2Vec2Config(**TINY)).eval().save_pretrained(folder)
    return str(folder)


def test_features_are_means_over_time_of_the_encoders_own_hidden_states(backbone, splits):
    clips = splits["test"].select(range(3))
    model = load_encoder(backbone, [0, 2], max_duration_s=6.0)
    found = encoder_features(model, clips, [0, 2])
    assert found.shape == (3, 2 * TINY["hidden_size"])
    reference = Wav2Vec2Model.from_pretrained(backbone).eval()
    for row, features in zip(clips, found, strict=True):
        waveform = torch.from_numpy(stored_waveform(row))
        waveform = (waveform - waveform.mean()) / torch.sqrt(waveform.var(correction=0) + 1e-7)
        with torch.no_grad():
            states = reference(waveform[None], output_hidden_states=True).hidden_states
        expected = np.concatenate([states[layer][0].mean(dim=0).numpy() for layer in (0, 2)])
        assert features == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("layers", [[3], [-1], []])
def test_layers_that_the_encoder_lacks_are_refused(backbone, layers):
    with pytest.raises(ValueError, match="--layers"):
        load_encoder(backbone, layers, 6.0)
