import torch
from transformers import Data2VecAudioConfig

from modeling.masked_positional_convolution_ser import MaskedPositionalConvEmbedding
from tests.support.published_encoders import PUBLISHED


def test_the_encoder_has_masked_positional_convolutions():
    model = PUBLISHED["data2vec-audio-base-960h"].model()
    positions = model.speech_encoder.encoder.pos_conv_embed
    assert isinstance(positions, MaskedPositionalConvEmbedding)
    assert len(positions.layers) == Data2VecAudioConfig().num_conv_pos_embeddings == 5


def test_their_weights_are_initialized_as_those_of_the_encoder():
    positions = PUBLISHED["data2vec-audio-base-960h"].model().speech_encoder.encoder.pos_conv_embed
    for layer in positions.layers:
        assert 0 < layer.conv.weight.std() < 1
        assert torch.equal(layer.conv.weight.isfinite(), torch.ones_like(layer.conv.weight, dtype=torch.bool))
