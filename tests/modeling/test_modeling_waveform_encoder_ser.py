import pytest

from modeling.modeling_waveform_encoder_ser import receptive_field
from tests.support.small_models import FAMILIES, build


def test_the_receptive_field_of_the_published_encoders():
    assert receptive_field((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)) == 400
    assert build(FAMILIES["wav2vec2"]).min_samples == receptive_field((20, 8, 4), (10, 8, 4))


def test_an_adapter_is_refused():
    with pytest.raises(ValueError, match="add_adapter"):
        build(FAMILIES["wav2vec2"], add_adapter=True)
