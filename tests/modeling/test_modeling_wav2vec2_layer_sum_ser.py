import copy

import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2ForPreTraining

from common.checkpoint import load_checkpoint
from modeling import Wav2Vec2LayerSumForMultiTaskSER, Wav2Vec2LayerSumMultiTaskSERConfig
from modeling.modeling_wav2vec2_layer_sum_ser import LayerSum
from tests.conftest import ROOT, TASKS, TINY
from tests.modeling.test_modeling_wav2vec2_ser import clips, labels, padded, predictions


def layer_sum_config(**fields) -> Wav2Vec2LayerSumMultiTaskSERConfig:
    fields = {**TINY, "initializer_range": 0.15, "hidden_dropout": 0.5, **fields}
    return Wav2Vec2LayerSumMultiTaskSERConfig(tasks=[task.to_dict() for task in TASKS], **fields)


@pytest.fixture(scope="module")
def _model() -> Wav2Vec2LayerSumForMultiTaskSER:
    torch.manual_seed(0)
    return Wav2Vec2LayerSumForMultiTaskSER(layer_sum_config()).eval()


@pytest.fixture
def model(_model) -> Wav2Vec2LayerSumForMultiTaskSER:
    return copy.deepcopy(_model)


@pytest.fixture(scope="module")
def saved(_model, feature_extractor, tmp_path_factory):
    folder = tmp_path_factory.mktemp("layer_sum")
    _model.save_pretrained(folder)
    feature_extractor.save_pretrained(folder)
    return folder


@torch.no_grad()
def test_it_is_what_its_docstring_states(model):
    """One clip, its layers taken by hooks, and the rest by hand."""
    states = []
    encoder = model.wav2vec2.encoder
    encoder.layers[0].register_forward_pre_hook(lambda _, inputs: states.append(inputs[0]))
    encoder.layers[0].register_forward_hook(lambda _, inputs, output: states.append(output))
    encoder.layer_norm.register_forward_hook(lambda _, inputs, output: states.append(output))
    model.layer_sum.weights.copy_(torch.tensor([1.0, -2.0, 5.0]))
    found = model(clips()[3][None], output_hidden_states=True)
    assert len(states) == 3
    average = (1 * states[0] + 2 * states[1] + 5 * states[2]) / 8
    first, second = model.dense[0], model.dense[3]
    x = (average @ first.weight.T + first.bias).clamp(min=0)
    x = (x @ second.weight.T + second.bias).clamp(min=0)
    assert x.shape[2] == 128
    expected = x.mean(dim=1) @ model.heads["emotion"].weight.T + model.heads["emotion"].bias
    torch.testing.assert_close(found.logits, expected, rtol=1e-4, atol=1e-5)


def test_layers_start_with_equal_weights(model):
    assert model.layer_sum.weights.tolist() == [1.0, 1.0, 1.0]
    torch.testing.assert_close(LayerSum(2)([torch.zeros(1, 1, 2), torch.ones(1, 1, 2)]), torch.full((1, 1, 2), 0.5))


def test_a_clip_gets_the_same_output_alone_and_in_any_batch(model):
    alone = torch.cat([predictions(model, clip[None]) for clip in clips()])
    assert alone.std(dim=0).min() > 1e-3
    together = predictions(model, *padded(clips()))
    torch.testing.assert_close(together[:, :5], alone[:, :5], rtol=0, atol=1e-5)
    torch.testing.assert_close(together[:, 5] / 50, alone[:, 5] / 50, rtol=0, atol=1e-4)


def test_a_step_moves_all_but_the_backbone(model, saved):
    for trained in (model, Wav2Vec2LayerSumForMultiTaskSER.from_pretrained(saved)):
        before = {name: parameter.detach().clone() for name, parameter in trained.named_parameters()}
        trained.train()
        optimizer = torch.optim.AdamW(trained.parameters(), lr=0.1, weight_decay=0.1)
        trained(*padded(clips()), labels(5)).loss.backward()
        optimizer.step()
        frozen = {name for name, parameter in trained.named_parameters() if not parameter.requires_grad}
        assert frozen == {name for name in before if name.startswith("wav2vec2.")}
        for name, parameter in trained.named_parameters():
            assert torch.equal(parameter, before[name]) == (name in frozen), name


def test_the_backbone_neither_drops_out_nor_keeps_a_graph(model):
    model.train()
    assert model.training
    assert model.dense.training
    assert not any(module.training for module in model.wav2vec2.modules())
    first, second = (model(clips()[2][None], output_hidden_states=True).hidden_states for _ in range(2))
    assert not any(state.requires_grad for state in first)
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
    fresh = Wav2Vec2LayerSumForMultiTaskSER(layer_sum_config())
    assert not any(module.training for module in fresh.wav2vec2.modules())


def test_a_backbone_gets_new_heads_dense_layers_and_weights(tmp_path, caplog):
    backbone = Wav2Vec2ForPreTraining(Wav2Vec2Config(**TINY, mask_time_prob=0.075, layerdrop=0.1))
    backbone.save_pretrained(tmp_path)
    model = Wav2Vec2LayerSumForMultiTaskSER.from_backbone(tmp_path, TASKS)
    assert type(model.config) is Wav2Vec2LayerSumMultiTaskSERConfig
    expected = backbone.wav2vec2.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in model.wav2vec2.state_dict().items())
    assert "new, untrained heads: emotion, gender, f0_mean; new, untrained layers: dense, layer_sum" in caplog.text
    assert model.layer_sum.weights.tolist() == [1.0, 1.0, 1.0]
    assert all(model.dense[i].weight.std() > 0 and model.dense[i].bias.abs().sum() == 0 for i in (0, 3))
    assert not any(parameter.requires_grad for parameter in model.wav2vec2.parameters())


def test_a_checkpoint_loads_bit_for_bit_and_brings_all_code(saved, model):
    loaded, _ = load_checkpoint(saved)
    assert type(loaded) is Wav2Vec2LayerSumForMultiTaskSER
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in loaded.state_dict().items())
    assert torch.equal(predictions(loaded, *padded(clips())), predictions(model, *padded(clips())))
    here = {file.name for file in (ROOT / "modeling").glob("*.py")} - {"__init__.py", "auto_ser.py"}
    assert {file.name for file in saved.glob("*.py")} == here - {
        "modeling_panns_ser.py",
        "feature_extraction_logmel_ser.py",
    }


def test_new_heads_have_the_width_of_the_dense_layers(model):
    model.replace_heads(TASKS, new=["gender"])
    assert model.heads["gender"].weight.shape == (2, 128)
    assert predictions(model, *padded(clips())).isfinite().all()


@pytest.mark.parametrize("option", ["layerdrop", "mask_time_prob"])
def test_regularization_of_the_frozen_backbone_is_rejected(option):
    with pytest.raises(ValueError, match="layerdrop and mask_time_prob"):
        layer_sum_config(**{option: 0.1})
