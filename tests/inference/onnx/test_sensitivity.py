import numpy as np
import pytest
import torch
from torch.nn import functional as F

from common.checkpoint import load_checkpoint
from inference.engine.backend import pad
from inference.engine.torch_backend import torch_network
from inference.onnx.sensitivity import choose_exact, eight_bits, measure_sensitivity, product_groups, relative_change
from tests.conftest import voice

CLIPS = [voice(seconds, 90 + 20 * index, index) for index, seconds in enumerate((0.5, 0.7, 1.0, 1.3, 2.0))]
LAYERS = ["wav2vec2.encoder.layers.0", "wav2vec2.encoder.layers.1"]
PROJECTION = "wav2vec2.feature_projection.projection"


@pytest.fixture
def model(checkpoint):
    return load_checkpoint(checkpoint)[0]


def test_a_group_is_a_layer_or_another_projection_and_heads_are_in_none(model):
    assert product_groups(model) == [PROJECTION, *LAYERS]


def test_the_fewest_groups_stay_exact():
    groups = {"a": 0.03, "b": 0.05, "c": 0.04, "d": 0.2}
    assert choose_exact(groups, 1.0) == []
    assert choose_exact(groups, 0.0708) == ["d"]
    assert choose_exact(groups, 0.0707) == ["b", "d"]  # the root of 0.03² + 0.04² + 0.05² is just above
    assert choose_exact(groups, 0.03) == ["b", "c", "d"]
    with pytest.raises(ValueError, match=r"a .*3\.0%.*2\.0%"):
        choose_exact(groups, 0.02)
    with pytest.raises(ValueError, match="nan"):
        choose_exact({"a": np.nan}, 1.0)


def test_a_change_is_in_standard_deviations_over_clips_and_heads_count_alike():
    expected = {"emotion": np.array([[1.0, 0.0], [3.0, 0.0]]), "f0_mean": np.array([[10.0], [-10.0]])}
    assert relative_change(expected, expected) == 0
    shifted = {"emotion": expected["emotion"] + [1.0, 0.0], "f0_mean": expected["f0_mean"]}
    assert relative_change(expected, shifted) == pytest.approx(np.sqrt(0.5))
    shifted = {"emotion": expected["emotion"], "f0_mean": expected["f0_mean"] + 1}
    assert relative_change(expected, shifted) == pytest.approx(np.sqrt(0.5) / 10)


def test_only_the_products_of_the_groups_are_rounded(model):
    exact = torch_network(model)(*pad(CLIPS))
    with eight_bits(model, []):  # whose convolutions add in another order
        assert relative_change(exact, torch_network(model)(*pad(CLIPS))) < 1e-6
    seen = []
    for name in ("attention.q_proj", "feed_forward.output_dense"):
        module = model.get_submodule(f"{LAYERS[1]}.{name}")
        module.register_forward_hook(lambda _, inputs, output: seen.append(output))
    torch_network(model)(*pad(CLIPS))
    with eight_bits(model, LAYERS[1:]):
        torch_network(model)(*pad(CLIPS))
    with eight_bits(model, LAYERS[:1]):
        module = model.get_submodule(f"{LAYERS[1]}.attention.q_proj")
        values = torch.randn(3, module.in_features)
        assert torch.equal(module(values), values @ module.weight.T + module.bias)
    assert not any(torch.equal(one, other) for one, other in zip(seen[:2], seen[2:4], strict=True))
    assert relative_change(exact, torch_network(model)(*pad(CLIPS))) == 0


def test_an_error_leaves_pytorch_as_it_was(model):
    before = F.linear, F.conv1d
    with pytest.raises(RuntimeError), eight_bits(model, LAYERS):
        raise RuntimeError
    assert (F.linear, F.conv1d) == before


def test_what_was_chosen_is_within_the_bound_and_measured_together(model):
    found = measure_sensitivity(model, CLIPS, bound=1.0)
    assert [*found.groups] == found.quantized == [PROJECTION, *LAYERS]
    assert found.exact == []
    assert found.change == pytest.approx(np.linalg.norm([*found.groups.values()]), rel=0.5)
    worst = max(found.groups, key=lambda group: found.groups[group])
    below = float(np.linalg.norm([change for group, change in found.groups.items() if group != worst]))
    found = measure_sensitivity(model, CLIPS, bound=below * 1.001)
    assert found.exact == [worst]
    assert found.change == pytest.approx(below, rel=0.5)
    with pytest.raises(ValueError, match="wav2vec2"):
        measure_sensitivity(model, CLIPS, bound=1e-6)
