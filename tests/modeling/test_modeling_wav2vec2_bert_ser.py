import pytest
import torch

from modeling import Wav2Vec2BertMultiTaskSERConfig
from tests.support.batches import clips, padded, predictions
from tests.support.published_encoders import PUBLISHED


@pytest.mark.parametrize("positions", ["relative_key", "relative", "rotary", None])
def test_every_kind_of_positions_keeps_clips_apart(positions):
    model = PUBLISHED["w2v-bert-2.0"].model(position_embeddings_type=positions)
    alone = torch.cat([predictions(model, clip[None]) for clip in clips()])
    torch.testing.assert_close(predictions(model, *padded(clips()))[:, :5], alone[:, :5], rtol=0, atol=1e-5)


def test_an_adapter_is_refused():
    with pytest.raises(ValueError, match="add_adapter"):
        Wav2Vec2BertMultiTaskSERConfig(add_adapter=True)


def test_filter_banks_add_nothing_to_a_checkpoint():
    assert not any("filter_bank" in name for name in PUBLISHED["w2v-bert-2.0"].model().state_dict())


def test_what_is_longer_than_two_frames_has_a_step():
    model = PUBLISHED["w2v-bert-2.0"].model()
    assert predictions(model, torch.randn(1, 10)).isfinite().all()
    assert [model._count_frames(samples) for samples in (560, 719, 720, 880)] == [1, 1, 1, 2]
