import torch

from tests.support.published_encoders import PUBLISHED


@torch.no_grad()
def test_the_position_bias_of_the_first_layer_reaches_all_of_them():
    model = PUBLISHED["wavlm-large"].model()
    waveform = torch.randn(1, 16_000)
    before = model(waveform, output_hidden_states=True).hidden_states
    model.layers[0].attention.rel_attn_embed.weight.add_(
        torch.randn_like(model.layers[0].attention.rel_attn_embed.weight)
    )
    after = model(waveform, output_hidden_states=True).hidden_states
    assert [torch.equal(old, new) for old, new in zip(before, after, strict=True)] == [True, False, False]
    assert not any("rel_attn_embed" in name for name, _ in model.layers[1].named_parameters())
