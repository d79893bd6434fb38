import json

import numpy as np
import onnx
import pytest
import torch

from common.checkpoint import load_checkpoint
from inference.engine.backend import pad
from inference.engine.onnx_backend import onnx_network
from inference.engine.torch_backend import torch_network
from inference.onnx.graph import write_float16, write_float32
from modeling import PannsForMultiTaskSER, Wav2Vec2ForMultiTaskSER
from tests.conftest import tiny_config, voice
from tests.support.small_models import FAMILIES, OPTIONS, build, panns_config

pytestmark = pytest.mark.slow

# An export takes seconds. The others are built of what these two, and the group norm in test_published_encoders.py,
# have too, and are exported by `make stress`.
FAMILIES_IN_SUITE = ("wav2vec2-bert", "whisper")
SECONDS = (1 / 16_000, 0.01, 0.02, 0.0207, 0.5, 1.3, 2.0, 6.0, 9.0)


def largest_difference(model, file) -> float:
    """Over clips of all lengths, alone, eight times the same length, and all of them in one batch."""
    clips = [voice(seconds, 90 + 20 * index, index) for index, seconds in enumerate(SECONDS)]
    batches = [[clip] for clip in clips]
    batches += [[voice(seconds, 80 + 20 * index, index) for index in range(8)] for seconds in (0.02, 3.0)]
    batches += [clips[1:], clips[:4]]
    exact, exported = torch_network(model), onnx_network(file)
    differences = [0.0]
    for batch in batches:
        expected, found = exact(*pad(batch)), exported(*pad(batch))
        assert found.keys() == expected.keys()
        assert all(found[name].shape == expected[name].shape for name in expected)
        differences += [np.abs(found[name] - expected[name]).max() for name in expected]
    return max(differences)


def test_wav2vec2_has_the_same_outputs_at_any_length_in_any_batch(checkpoint, exported):
    model, _ = load_checkpoint(checkpoint)
    assert largest_difference(model, exported / "model.onnx") < 1e-4


def test_what_is_masked_changes_nothing(exported):
    network = onnx_network(exported / "model.onnx")
    clip = voice(1.0, 120)
    input_values, attention_mask = pad([clip, voice(2.0, 200)])
    expected = network(*pad([clip]))["emotion"][0]
    input_values[0, clip.size :] = 5.0
    assert network(input_values, attention_mask)["emotion"][0] == pytest.approx(expected, abs=1e-5)


def layer_sum(layers):
    torch.manual_seed(0)
    one_convolution = {"conv_dim": (8,), "conv_stride": (320,), "conv_kernel": (400,)}
    layer_sum = {"layer_weights": True, "dense_layers": [128, 128], "initializer_range": 0.15}
    config = tiny_config(padding="paper", num_hidden_layers=layers, **{**layer_sum, **one_convolution})
    return Wav2Vec2ForMultiTaskSER(config).eval()


@pytest.mark.parametrize(
    "family",
    [name if name in FAMILIES_IN_SUITE else pytest.param(name, marks=pytest.mark.stress) for name in FAMILIES],
)
def test_every_family_is_exported(family, tmp_path):
    model, file = build(FAMILIES[family], **OPTIONS["all"]), tmp_path / "model.onnx"
    write_float32(model, file)
    assert largest_difference(model, file) < 1e-4
    write_float16(model, file, tmp_path / "float16.onnx")
    assert largest_difference(model, tmp_path / "float16.onnx") < 0.1
    half = {value.name for value in onnx.load(tmp_path / "float16.onnx").graph.initializer if value.data_type == 10}
    assert half
    assert not any("log_mel" in name or "filter_bank" in name for name in half)  # whose powers exceed float16


def test_the_sum_of_layers_is_exported(tmp_path):
    model, file = layer_sum(2), tmp_path / "model.onnx"
    write_float32(model, file)
    assert largest_difference(model, file) < 1e-4


@pytest.fixture(scope="module")
def panns(tmp_path_factory):
    """CNN14 at 32 kHz, and its graph."""
    torch.manual_seed(0)
    front_end = {"sampling_rate": 32_000, "window_size": 1024, "hop_size": 320, "fmax": 14_000, "max_duration_s": 1.0}
    model = PannsForMultiTaskSER(panns_config(**front_end)).train()
    with torch.no_grad():
        for seed in range(10):  # statistics of speech for its batch norms
            model(torch.from_numpy(np.stack([voice(2.0, 100 + 40 * i, seed) for i in range(4)])))
    model.eval()
    file = tmp_path_factory.mktemp("panns") / "model.onnx"
    write_float32(model, file)
    return model, file


def test_cnn14_is_exported_with_its_front_end_and_resampling(panns):
    model, file = panns
    assert largest_difference(model, file) < 1e-4


def test_the_front_end_of_cnn14_stays_exact_in_float16(panns, tmp_path):
    model, file = panns
    write_float16(model, file, tmp_path / "half.onnx")
    quiet = [voice(1.0, 150) * 1e-3]  # whose power is below the smallest number of float16
    expected, found = torch_network(model)(*pad(quiet)), onnx_network(tmp_path / "half.onnx")(*pad(quiet))
    for name in expected:
        assert found[name] == pytest.approx(expected[name], abs=0.01)


def test_the_weights_of_products_are_stored_in_the_precision(exported):
    def types(name):
        graph = onnx.load(exported / name).graph
        return {weights.name: weights.data_type for weights in graph.initializer if len(weights.dims) > 1}

    half, whole = types("model_float16.onnx"), types("model.onnx")
    assert {onnx.TensorProto.FLOAT16} == {half[name] for name in half if "conv_layers.1.conv" in name}
    assert half["model.heads.emotion.weight"] == onnx.TensorProto.FLOAT
    assert len(half) == len(whole)  # none is stored twice


def test_nodes_are_named_after_the_modules_whose_weights_they_multiply_by(exported):
    nodes = {node.op_type: node.name for node in reversed(onnx.load(exported / "model.onnx").graph.node)}
    assert nodes["MatMul"].startswith("wav2vec2.feature_projection.projection/")
    assert nodes["Conv"].startswith("wav2vec2.feature_extractor.conv_layers.0.conv/")
    assert nodes["Gemm"].startswith("heads.emotion/")


def test_the_file_explains_itself(exported):
    for name in ("model.onnx", "model_int8.onnx", "model_float16.onnx"):
        model = onnx.load(exported / name)
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        assert metadata["sampling_rate"] == "16000"
        assert metadata["max_duration_s"] == "6.0"
        assert metadata["main_head"] == "emotion"
        heads = json.loads(metadata["heads"])
        assert [head["name"] for head in heads] == [output.name for output in model.graph.output]
        assert heads[0]["labels"] == ["angry", "happy", "sad"]
        assert heads[2] == {"name": "f0_mean", "kind": "regression", "labels": [], "unit": "Hz", "mean": 180, "std": 50}
        shapes = [[d.dim_param for d in value.type.tensor_type.shape.dim] for value in model.graph.input]
        assert shapes == [["batch", "samples"]] * 2


def test_the_file_names_no_folder_of_the_machine_that_wrote_it(exported):
    content = (exported / "model.onnx").read_bytes()
    assert b"site-packages" not in content
    assert b".py" not in content
