import numpy as np
import onnx
import pytest
import torch

from common.checkpoint import load_checkpoint
from inference.engine.backend import pad
from inference.engine.onnx_backend import onnx_network
from inference.engine.torch_backend import torch_network
from inference.onnx.graph import write_float32
from inference.onnx.int8 import check_int8, write_int8
from inference.onnx.sensitivity import eight_bits, product_groups, relative_change
from modeling import PannsForMultiTaskSER, Wav2Vec2ForMultiTaskSER
from tests.conftest import tiny_config, voice
from tests.support.small_models import FAMILIES, build, panns_config

pytestmark = pytest.mark.slow

CLIPS = [
    voice(seconds, 90 + 20 * index, index) for index, seconds in enumerate((0.3, 0.5, 0.7, 1.0, 1.3, 2.0, 3.0, 6.0))
]
# Convolutions of all strides and lengths that published encoders have, and a sum of layers.
OPTIONS = {
    "conv_dim": (32,) * 5,
    "conv_stride": (10, 4, 2, 2, 2),
    "conv_kernel": (20, 4, 3, 3, 2),
    "layer_weights": True,
    "dense_layers": [32, 32],
    "initializer_range": 0.15,
}


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A model whose convolutions have 32 channels, and its graph."""
    torch.manual_seed(0)
    model = Wav2Vec2ForMultiTaskSER(tiny_config(**OPTIONS)).eval()
    file = tmp_path_factory.mktemp("wide") / "model.onnx"
    write_float32(model, file)
    return model, file


def compare_with_simulation(model, file, tmp_path) -> None:
    exact = torch_network(model)(*pad(CLIPS))
    changes = {}
    for group in product_groups(model):
        write_int8(file, tmp_path / "int8.onnx", [group])
        found = onnx_network(tmp_path / "int8.onnx")(*pad(CLIPS))
        with eight_bits(model, [group]):
            simulated = torch_network(model)(*pad(CLIPS))
        changes[group] = relative_change(exact, found), relative_change(exact, simulated)
        assert 1e-4 < changes[group][0] == pytest.approx(changes[group][1], rel=0.5)
    computed, predicted = (sorted(changes, key=lambda group: changes[group][way]) for way in (0, 1))
    assert computed[-1] == predicted[-1]
    assert sum(abs(computed.index(group) - predicted.index(group)) for group in changes) <= len(changes)


def test_each_group_changes_the_outputs_as_much_as_its_simulation(wide, tmp_path):
    compare_with_simulation(*wide, tmp_path)


@pytest.mark.stress
@pytest.mark.parametrize("family", ["wavlm", "wav2vec2-bert", "whisper"])
def test_so_it_is_with_every_kind_of_layer(family, tmp_path):
    model = build(FAMILIES[family])
    write_float32(model, tmp_path / "model.onnx")
    compare_with_simulation(model, tmp_path / "model.onnx", tmp_path)


def test_convolutions_and_projections_are_quantized_where_they_are_asked_for(wide, tmp_path):
    model, file = wide
    write_int8(file, tmp_path / "all.onnx", product_groups(model))
    graph = onnx.load(tmp_path / "all.onnx").graph
    stored = [value for value in graph.initializer if value.name.endswith("_quantized")]
    assert {value.data_type for value in stored} == {onnx.TensorProto.INT8}
    assert len(stored) == 4 + 1 + 2 * 6 + 2  # convolutions after the first, projection, two layers, dense layers
    assert sum(node.op_type == "Conv" for node in graph.node) == 2  # the first, and that of positions
    write_int8(file, tmp_path / "one.onnx", ["wav2vec2.encoder.layers.1"])
    graph = onnx.load(tmp_path / "one.onnx").graph
    assert len([value for value in graph.initializer if value.name.endswith("_quantized")]) == 6
    assert sum(node.op_type == "Conv" for node in graph.node) == 6


def test_it_computes_clips_of_every_length(wide, tmp_path):
    model, file = wide
    write_int8(file, tmp_path / "int8.onnx", product_groups(model))
    network = onnx_network(tmp_path / "int8.onnx")
    for clip in (voice(1 / 16_000, 100), voice(0.03, 100), *CLIPS):
        exact, found = torch_network(model)(*pad([clip])), network(*pad([clip]))
        assert all(np.abs(found[head] - exact[head]).max() < 0.5 for head in exact)


def test_the_weights_are_the_rounded_ones(checkpoint, exported):
    rounded = {
        value.name: onnx.numpy_helper.to_array(value)
        for value in onnx.load(exported / "model_int8.onnx").graph.initializer
    }
    names = [name.removesuffix("_quantized") for name in rounded if name.endswith("_quantized")]
    found = [rounded[f"{name}_scale"] * rounded[f"{name}_quantized"] for name in names]
    assert found
    weights = [weight.detach().numpy().T for weight in load_checkpoint(checkpoint)[0].parameters() if weight.ndim == 2]
    for value in found:
        same = [weight for weight in weights if weight.shape == value.shape]
        assert min(np.abs(weight - value).max() / np.abs(weight).max() for weight in same) < 0.02


def test_cnn14_is_refused():
    with pytest.raises(ValueError, match="CNN14"):
        check_int8(PannsForMultiTaskSER(panns_config()))
