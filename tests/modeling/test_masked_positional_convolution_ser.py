import torch
from transformers import Data2VecAudioConfig

from modeling.masked_positional_convolution_ser import MaskedPositionalConvEmbedding

CONFIG = Data2VecAudioConfig(hidden_size=16, conv_pos_kernel_size=19, num_conv_pos_embedding_groups=2)


@torch.no_grad()
def test_padding_does_not_leak_from_one_convolution_into_the_next():
    torch.manual_seed(0)
    embed = MaskedPositionalConvEmbedding(CONFIG)
    reference = super(MaskedPositionalConvEmbedding, embed).forward
    frames = torch.randn(1, 40, 16)
    padded = torch.nn.functional.pad(frames, (0, 0, 0, 60))
    torch.testing.assert_close(embed(frames), reference(frames))
    torch.testing.assert_close(embed(padded)[:, :40], reference(frames), rtol=0, atol=1e-5)
    assert (reference(padded)[:, :40] - reference(frames)).abs().max() > 0.1
