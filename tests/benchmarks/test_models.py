from functools import partial

import pytest
import torch

from benchmarks.models import backbone, network, operations_by_module


@torch.no_grad()
@pytest.mark.slow
def test_a_second_of_audio_costs_36_gflop():
    one, two = (operations_by_module(partial(network(layers), torch.zeros(1, 16_000)))["Global"] for layers in (1, 2))
    assert 35e9 < one + 23 * (two - one) < 37e9


def test_the_shape_is_that_of_xlsr_53():
    config = backbone(24)
    assert (config.hidden_size, config.num_hidden_layers, config.intermediate_size) == (1024, 24, 4096)
    assert (config.feat_extract_norm, config.do_stable_layer_norm) == ("layer", True)


def test_every_process_gets_the_same_weights():
    first, second = (network(1, quick=True).state_dict() for _ in range(2))
    assert all((first[name] == second[name]).all() for name in first)
