import math

import pytest
import torch

from tests.conftest import ROOT, TASKS
from tests.support.small_models import FAMILIES
from tests.training.conftest import job, start_from
from training.learning_rates import learning_rates, split_by_rate
from training.run import build_trainer

PANNS = ("--config_name", str(ROOT / "configs" / "small_panns.json"))
RATES = ["--learning_rate", "1e-3", "--head_learning_rate", "1e-2", "--layer_decay", "0.5"]


def groups_of(trainer) -> dict[str, dict]:
    """Parameter name -> the group of the optimizer that it is in."""
    groups = {parameter: group for group in trainer.create_optimizer().param_groups for parameter in group["params"]}
    return {name: groups[parameter] for name, parameter in trainer.model.named_parameters() if parameter in groups}


def test_the_rate_decays_from_layer_to_layer_and_heads_have_their_own(arguments):
    groups = groups_of(build_trainer(job([*arguments, *RATES, "--weight_decay", "0.1"])))
    expected = {
        "heads.emotion.weight": 1e-2,
        "wav2vec2.encoder.layer_norm.weight": 1e-3,  # after the last layer
        "wav2vec2.encoder.layers.1.attention.q_proj.weight": 1e-3,
        "wav2vec2.encoder.layers.0.attention.q_proj.weight": 5e-4,
        "wav2vec2.feature_projection.projection.weight": 2.5e-4,
        "wav2vec2.feature_extractor.conv_layers.0.conv.weight": 2.5e-4,
    }
    assert {name: groups[name]["lr"] for name in expected} == expected
    assert groups.keys() == {name for name, _ in build_trainer(job([*arguments, *RATES])).model.named_parameters()}


def test_biases_and_norms_stay_without_weight_decay(arguments):
    plain = groups_of(build_trainer(job([*arguments, "--weight_decay", "0.1"])))
    groups = groups_of(build_trainer(job([*arguments, *RATES, "--weight_decay", "0.1"])))
    assert {name: group["weight_decay"] for name, group in groups.items()} == {
        name: group["weight_decay"] for name, group in plain.items()
    }
    assert {group["weight_decay"] for group in groups.values()} == {0.0, 0.1}


def test_by_default_there_is_one_rate_and_the_groups_are_the_trainers(arguments):
    optimizer = build_trainer(job([*arguments, "--weight_decay", "0.1"])).create_optimizer()
    assert [(group["lr"], group["weight_decay"]) for group in optimizer.param_groups] == [(1e-4, 0.1), (1e-4, 0.0)]


def test_the_first_group_which_is_logged_has_the_rate_of_the_highest_layer(arguments):
    optimizer = build_trainer(job([*arguments, *RATES])).create_optimizer()
    assert [group["lr"] for group in optimizer.param_groups][:2] == [1e-3, 1e-3]
    assert optimizer.param_groups[-1]["lr"] == 1e-2


def test_frozen_layers_are_in_no_group_and_the_others_keep_their_rates(arguments, backbone):
    start = start_from(arguments, "--model_name_or_path", str(backbone))
    groups = groups_of(build_trainer(job([*start, *RATES, "--freeze", "1", "--layers", "weighted"])))
    places = {".".join(name.split(".")[:4]) if "layers." in name else name.split(".")[0] for name in groups}
    assert places == {"wav2vec2.encoder.layers.1", "wav2vec2", "layer_sum", "heads"}  # its last norm
    rates = {name: groups[name]["lr"] for name in ("layer_sum.weights", "wav2vec2.encoder.layer_norm.weight")}
    assert rates == {"layer_sum.weights": 1e-2, "wav2vec2.encoder.layer_norm.weight": 1e-3}


def test_the_schedule_scales_every_rate(arguments):
    trainer = build_trainer(job([*arguments, *RATES, "--warmup_steps", "0", "--lr_scheduler_type", "linear"]))
    trainer.create_optimizer_and_scheduler(num_training_steps=4)
    before = [group["lr"] for group in trainer.optimizer.param_groups]
    trainer.optimizer.step()
    trainer.lr_scheduler.step()
    after = [group["lr"] for group in trainer.optimizer.param_groups]
    assert all(math.isclose(later, rate * 3 / 4) for later, rate in zip(after, before, strict=True))


@pytest.mark.slow
def test_a_decay_without_trained_layers_is_refused(arguments, backbone):
    frozen = [*start_from(arguments, "--model_name_or_path", str(backbone)), "--freeze", "encoder"]
    for flags in (start_from(arguments, *PANNS), frozen):
        job([*flags, "--head_learning_rate", "1e-2"])
        with pytest.raises(ValueError, match=r"--layer_decay 0\.5"):
            job([*flags, "--layer_decay", "0.5"])


def test_what_is_not_the_head_of_cnn14_has_the_rate_of_the_encoder(arguments):
    ready = job([*start_from(arguments, *PANNS), "--head_learning_rate", "1e-2", "--learning_rate", "1e-3"])
    rates = learning_rates(ready.model, ready.args)
    assert (rates["conv_block1.conv1.weight"], rates["heads.emotion.weight"]) == (1e-3, 1e-2)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_numbers_its_layers(family):
    kind, config = FAMILIES[family].model, FAMILIES[family].config
    model = kind(kind.config_from_backbone(config, TASKS, layer_weights=True, pooling="attentive_statistics"))
    numbers = model.layer_numbers()
    assert numbers.keys() == {name for name, _ in model.named_parameters()}
    assert {*numbers.values()} == {None, *range(len(model.layers) + 1)}
    new = {name.partition(".")[0] for name, number in numbers.items() if number is None}
    assert new == {"heads", "layer_sum", "attention_pooling"}
    for number, layer in enumerate(model.layers, 1):
        own = {*layer.parameters()}
        assert {numbers[name] for name, parameter in model.named_parameters() if parameter in own} == {number}


def test_groups_keep_their_other_settings():
    first, second = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
    groups = split_by_rate(
        [{"params": [first, second], "lr": 9.0, "fused": True}], {first: "a", second: "b"}, {"b": 2.0, "a": 1.0}
    )
    assert groups == [
        {"params": [second], "lr": 2.0, "fused": True},
        {"params": [first], "lr": 1.0, "fused": True},
    ]
