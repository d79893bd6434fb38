import numpy as np
import pytest
import torch

from inference.engine.backend import pad
from inference.engine.torch_backend import PRECISIONS, torch_network
from modeling import SAMPLING_RATE
from tests.conftest import TASKS, voice


@pytest.mark.parametrize("precision", PRECISIONS)
def test_logits_of_every_head_are_float32_arrays(tiny_model, precision):
    logits = torch_network(tiny_model, PRECISIONS[precision])(*pad([voice(0.5, 120), voice(1.0, 200)]))
    assert {name: values.shape for name, values in logits.items()} == {
        task.name: (2, task.num_outputs) for task in TASKS
    }
    assert {values.dtype for values in logits.values()} == {np.dtype(np.float32)}


def test_the_heads_stay_in_float32(tiny_model):
    expected = {name: value.clone() for name, value in tiny_model.heads.state_dict().items()}
    torch_network(tiny_model, torch.bfloat16)
    others = {value.dtype for name, value in tiny_model.named_parameters() if not name.startswith("heads.")}
    assert others == {torch.bfloat16}
    torch.testing.assert_close(dict(tiny_model.heads.state_dict()), expected, rtol=0, atol=0)


def test_the_network_cuts_to_the_models_window(tiny_model):
    network, clip = torch_network(tiny_model), voice(8.0, 150)
    window = round(tiny_model.config.max_duration_s * SAMPLING_RATE)
    whole, cut = network(*pad([clip])), network(*pad([clip[:window]]))
    for name in whole:
        np.testing.assert_allclose(whole[name], cut[name], atol=1e-5)
