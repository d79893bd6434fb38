import pytest

from tests.support.published_encoders import PUBLISHED


@pytest.mark.parametrize("probability", [0.0, 0.3])
def test_the_vector_of_specaugment_is_there_only_where_specaugment_is_on(probability):
    model = PUBLISHED["unispeech-sat-large"].model(mask_time_prob=probability)
    assert ("unispeech_sat.masked_spec_embed" in model.state_dict()) == (probability > 0)
