import pytest
import torch
from transformers import HubertConfig, HubertModel

from modeling import HubertForMultiTaskSER, HubertMultiTaskSERConfig
from tests.conftest import TASKS, TINY


@torch.no_grad()
def test_batch_norm_before_the_positional_convolution_is_refused_because_padding_leaks(tmp_path):
    torch.manual_seed(0)
    encoder = HubertModel(HubertConfig(**TINY, conv_pos_batch_norm=True, mask_time_prob=0.0)).eval()
    encoder.encoder.pos_conv_embed.batch_norm.running_mean.normal_()
    values, mask = torch.randn(1, 96_000), torch.arange(96_000)[None] < 30_000
    alone = encoder(values[:, :30_000]).last_hidden_state
    batch = encoder(values * mask, attention_mask=mask.long()).last_hidden_state[:, : alone.shape[1]]
    assert (batch - alone).abs().max() > 0.1
    encoder.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="conv_pos_batch_norm"):
        HubertForMultiTaskSER.from_backbone(tmp_path, TASKS)


def test_the_published_sizes_are_supported():
    large = {"hidden_size": 1024, "num_hidden_layers": 24, "do_stable_layer_norm": True, "feat_extract_norm": "layer"}
    for fields in ({"feat_extract_norm": "group"}, large):
        assert HubertMultiTaskSERConfig(**fields).pooled_size == fields.get("hidden_size", 768)
