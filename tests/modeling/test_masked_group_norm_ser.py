import pytest
import torch
from torch import nn
from transformers import HubertConfig, HubertModel, Wav2Vec2Config, Wav2Vec2Model, WavLMConfig, WavLMModel

from modeling.masked_group_norm_ser import MaskedGroupNorm, mask_group_norm, with_mask
from tests.conftest import TINY

GROUP_NORM = {**TINY, "feat_extract_norm": "group", "conv_bias": False, "do_stable_layer_norm": False}
SAMPLES = 30_000


def norms() -> tuple[nn.GroupNorm, MaskedGroupNorm]:
    reference = nn.GroupNorm(4, 4)
    nn.init.normal_(reference.weight)
    nn.init.normal_(reference.bias)
    masked = MaskedGroupNorm(4, 4)
    masked.load_state_dict(reference.state_dict())
    return reference, masked


def test_statistics_are_those_of_the_frames_inside():
    reference, masked = norms()
    values = 3 * torch.randn(2, 4, 500) + 5
    mask = torch.arange(500) < torch.tensor([[120], [500]])
    output = masked(values, mask)
    torch.testing.assert_close(output[0, :, :120], reference(values[:1, :, :120])[0])
    torch.testing.assert_close(output[1], reference(values[1:])[0])


def test_gradients_are_those_without_padding():
    reference, masked = norms()
    values = torch.randn(1, 4, 300, requires_grad=True)
    alone = values.detach()[:, :, :100].requires_grad_()
    weights = torch.randn(1, 4, 100)
    (masked(values, torch.arange(300)[None] < 100)[:, :, :100] * weights).sum().backward()
    (reference(alone) * weights).sum().backward()
    torch.testing.assert_close(values.grad[:, :, :100], alone.grad)
    assert not values.grad[:, :, 100:].any()
    torch.testing.assert_close(masked.weight.grad, reference.weight.grad)


def test_bfloat16_is_normalized_in_float32():
    reference, masked = norms()
    values = torch.randn(1, 4, 200).bfloat16()
    output = masked.bfloat16()(values, torch.ones(1, 200))
    assert output.dtype == torch.bfloat16
    expected = reference.bfloat16().float()(values.float())
    torch.testing.assert_close(output.float(), expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    ("network", "config"), [(Wav2Vec2Model, Wav2Vec2Config), (HubertModel, HubertConfig), (WavLMModel, WavLMConfig)]
)
@torch.no_grad()
def test_an_encoder_computes_what_transformers_computes_for_the_clip_alone(network, config):
    torch.manual_seed(0)
    encoder = network(config(**GROUP_NORM, mask_time_prob=0.0)).eval()
    values = torch.randn(2, 96_000)
    mask = (torch.arange(96_000) < torch.tensor([[SAMPLES], [96_000]])).long()
    rounded = encoder(values[:1, :SAMPLES]).last_hidden_state
    exact = encoder.double()(values[:1, :SAMPLES].double()).last_hidden_state
    rounding_error = (rounded - exact).abs().max()  # which depends on the processor
    weights = encoder.float().state_dict()
    mask_group_norm(encoder)
    assert encoder.state_dict().keys() == weights.keys()
    encoder.load_state_dict(weights)
    batch = encoder(with_mask(values * mask, mask), attention_mask=mask).last_hidden_state
    alone = encoder(with_mask(values[:1, :SAMPLES], mask[:1, :SAMPLES])).last_hidden_state
    assert 0 < rounding_error < 1e-4
    own = batch[:1, : exact.shape[1]]
    for output, other in ((own, exact), (alone, exact), (own, alone)):
        assert (output - other).abs().max() < 3 * rounding_error
