import pytest
import torch

from benchmarks.encoders import CHECKPOINTS, Checkpoint, row, seconds_per_second
from modeling import ARCHITECTURES


def test_every_family_and_every_listed_size_is_in_the_table():
    assert {checkpoint.architecture for checkpoint in CHECKPOINTS} == {*ARCHITECTURES} - {"panns"}
    assert len({checkpoint.name for checkpoint in CHECKPOINTS}) == len(CHECKPOINTS)


@pytest.mark.slow
def test_parameters_are_those_of_the_published_encoders():
    millions = {name.strip("`"): int(found) for name, _, _, _, _, found, *_ in (row(c, 0) for c in CHECKPOINTS)}
    assert millions["facebook/wav2vec2-base"] == millions["microsoft/wavlm-base-plus"] == 94
    assert millions["facebook/wav2vec2-large-xlsr-53"] == millions["microsoft/wavlm-large"] == 315
    assert (millions["facebook/hubert-xlarge-ll60k"], millions["facebook/w2v-bert-2.0"]) == (962, 580)


def test_a_cost_is_measured():
    small = {"d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16}
    assert seconds_per_second(Checkpoint("org/small", "whisper", small).build(), rounds=1) > 0
    assert torch.is_grad_enabled()
