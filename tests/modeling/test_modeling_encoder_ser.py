import pytest
import torch

from modeling.modeling_encoder_ser import LayerSum
from tests.support.batches import clips, padded, predictions
from tests.support.small_models import FAMILIES, build

PEPINO = {"layer_weights": True, "dense_layers": [128, 128]}


@pytest.fixture
def model():
    return build(FAMILIES["wav2vec2"], **PEPINO, initializer_range=0.15)


@torch.no_grad()
def test_it_is_the_network_of_pepino(model):
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


def test_new_heads_have_the_width_of_the_dense_layers(model):
    model.replace_heads(list(model.config.get_tasks()), new=["gender"])
    assert model.heads["gender"].weight.shape == (2, 128)
    assert predictions(model, *padded(clips())).isfinite().all()


@torch.no_grad()
def test_the_lowest_layers_go_through_the_final_norm():
    whole = build(FAMILIES["whisper"])
    cut = build(FAMILIES["whisper"], num_layers=1)
    cut.load_state_dict(whole.state_dict(), strict=False)
    states = whole(clips()[3][None], output_hidden_states=True).hidden_states
    expected = whole.speech_encoder.layer_norm(states[1]).mean(dim=1)
    torch.testing.assert_close(cut(clips()[3][None]).embeddings, expected)


def test_layerdrop_does_not_fit_a_sum_of_layers():
    with pytest.raises(ValueError, match="layerdrop"):
        build(FAMILIES["wav2vec2"], **PEPINO, layerdrop=0.1)


@pytest.mark.parametrize("field", [{"padding": "zeros"}, {"pooling": "max"}, {"dense_layers": [0]}])
def test_a_field_that_is_not_valid_is_refused(field):
    with pytest.raises(ValueError, match=next(iter(field))):
        build(FAMILIES["whisper"], **field)
