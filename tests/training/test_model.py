"""Each architecture from random weights and from pre-trained ones, and from a checkpoint of this project."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from common.checkpoint import load_checkpoint
from modeling import PannsForMultiTaskSER, Task, Wav2Vec2ForMultiTaskSER
from tests.conftest import tiny_config
from tests.support.small_models import FAMILIES
from tests.training.conftest import TASKS, job, start_from
from training.run import train

LAYER_SUM = ("--freeze", "encoder", "--layers", "weighted", "--dense_layers", "128", "128")  # of Pepino et al. 2021


@pytest.fixture
def panns_config(tmp_path) -> Path:
    path = tmp_path / "panns.json"
    path.write_text(json.dumps({"model_type": "panns_multitask_ser", "channels": [4, 4, 4, 4, 4, 8]}))
    return path


@pytest.mark.slow
def test_panns_trains_and_continues(arguments, panns_config, tmp_path):
    fresh = start_from(arguments, "--config_name", str(panns_config))
    ready = job([*fresh, "--freeze", "feature_encoder"])
    before = {name: parameter.detach().clone() for name, parameter in ready.model.named_parameters()}
    report = train(ready)
    assert report["tasks"]["emotion"]["clips"] > 0
    for name, parameter in ready.model.named_parameters():
        assert torch.equal(parameter, before[name]) == ("extractor" in name), name
    extractor = json.loads((tmp_path / "run" / "preprocessor_config.json").read_text())
    assert (extractor["do_normalize"], extractor["sampling_rate"]) == (False, 16_000)

    onward = start_from(arguments, "--model_name_or_path", str(tmp_path / "run"), "--output_dir", str(tmp_path / "on"))
    model = job([*onward, "--reset_heads", "gender"]).model
    assert type(model) is PannsForMultiTaskSER
    differing = {name for name, p in model.named_parameters() if not torch.equal(p, ready.model.get_parameter(name))}
    assert differing == {"heads.gender.weight", "heads.gender.bias"}
    with pytest.raises(ValueError, match=r"panns, not wav2vec2"):
        job([*onward, "--architecture", "wav2vec2"])
    with pytest.raises(ValueError, match="--padding"):
        job([*onward, "--padding", "paper"])


@pytest.mark.slow
def test_the_layer_sum_trains_on_a_backbone(arguments, backbone, tmp_path):
    ready = job([*start_from(arguments, "--model_name_or_path", str(backbone)), *LAYER_SUM])
    before = {name: parameter.detach().clone() for name, parameter in ready.model.named_parameters()}
    train(ready)
    for name, parameter in ready.model.named_parameters():
        assert torch.equal(parameter, before[name]) == name.startswith("wav2vec2."), name
    again, _ = load_checkpoint(tmp_path / "run")
    assert (again.config.layer_weights, again.config.dense_layers) == (True, [128, 128])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--architecture", "cnn"], "--architecture 'cnn'"),
        (["--architecture", "panns"], "wav2vec2, not panns"),
        (["--layerdrop", "0.1", *LAYER_SUM], "layerdrop"),
        (["--mask_time_prob", "0.1", *LAYER_SUM], "mask_time_prob"),
        (["--layers", "3"], "from 1 to 2"),
        (["--pooling", "max"], "pooling.*'max'"),
    ],
)
def test_options_that_contradict_each_other_are_refused(arguments, backbone, flags, message):
    with pytest.raises(ValueError, match=message):
        job([*start_from(arguments, "--model_name_or_path", str(backbone)), *flags])


@pytest.mark.parametrize(
    "flags",
    [
        ["--padding", "masked"],
        ["--layers", "2"],
        ["--freeze", "encoder"],
        ["--layerdrop", "0.1"],
        ["--mask_time_prob", "0.1"],
        ["--layers", "weighted"],
        ["--pooling", "mean"],
        ["--dense_layers", "8"],
    ],
)
def test_options_that_an_architecture_lacks_are_refused(arguments, panns_config, flags):
    with pytest.raises(ValueError, match=flags[0]):
        job([*start_from(arguments, "--config_name", str(panns_config)), *flags])


def test_a_file_of_cnn14_needs_no_architecture(arguments, tmp_path):
    missing = start_from(arguments, "--model_name_or_path", str(tmp_path / "Cnn14_16k_mAP=0.438.pth"))
    with pytest.raises(ValueError, match="zenodo"):
        job(missing)
    with pytest.raises(ValueError, match="panns, not wav2vec2"):
        job([*missing, "--architecture", "wav2vec2"])


@pytest.mark.slow
def test_a_fine_tuned_checkpoint_keeps_its_heads_and_resets_others(arguments, backbone, tmp_path):
    train(job(arguments))
    trained = load_file(tmp_path / "run" / "model.safetensors")
    onward = [*arguments, "--output_dir", str(tmp_path / "onward")]
    start = onward.index("--config_name")
    onward[start : start + 2] = ["--model_name_or_path", str(tmp_path / "run")]

    assert {task.temperature for task in job(onward).tasks} == {1.0}
    kept = job(onward).model.state_dict()
    assert all(torch.equal(kept[name], trained[name]) for name in trained if "weight_" not in name)

    reset = job([*onward, "--reset_heads", "gender"]).model.state_dict()
    differing = {name for name in kept if not torch.equal(reset[name], kept[name])}
    assert differing == {"heads.gender.weight", "heads.gender.bias"}
    assert reset["heads.gender.bias"].abs().sum() == 0

    other = [*onward, "--tasks", "emotion", "recorded"]
    with pytest.raises(ValueError, match="--reset_heads recorded"):
        job(other)
    model = job([*other, "--reset_heads", "recorded"]).model
    assert model.config.get_tasks()[1].labels == ("evening", "morning")
    train(job([*other, "--reset_heads", "recorded"]))


def test_a_checkpoint_with_a_missing_head_is_refused(arguments, checkpoint):
    start = arguments.index("--config_name")
    arguments[start : start + 2] = ["--model_name_or_path", str(checkpoint)]
    with pytest.raises(ValueError, match="--reset_heads"):
        job(arguments)


@pytest.mark.slow
def test_a_checkpoint_keeps_its_own_tasks_and_warns_of_removed_ones(arguments, tmp_path, caplog):
    train(job(arguments))
    start = arguments.index("--config_name")
    arguments[start : start + 2] = ["--model_name_or_path", str(tmp_path / "run")]
    start = arguments.index("--tasks")
    del arguments[start : start + 1 + len(TASKS)]
    onward = [*arguments, "--output_dir", str(tmp_path / "onward")]
    assert [task.name for task in job(onward).tasks] == TASKS
    left_out = job([*onward, "--tasks", "emotion", "gender"])
    assert [task.name for task in left_out.tasks] == ["emotion", "gender"]
    assert "language, f0_mean, energy_mean" in caplog.text
    assert left_out.clips_before == set(left_out.splits["train"]["id"])


def test_a_frozen_feature_encoder_of_random_weights_is_refused(arguments):
    place = arguments.index("--freeze")
    by_default = [*arguments[:place], *arguments[place + 2 :]]
    for flags in ([], *(["--freeze", part] for part in ("feature_encoder", "encoder", "1"))):
        with pytest.raises(ValueError, match=r"--config_name .*--freeze none"):
            job([*by_default, *flags])


def test_a_head_of_another_unit_must_be_reset(arguments, feature_extractor, splits, tmp_path):
    labels = tuple(sorted(set(splits["train"]["emotion"])))
    emotion = Task("emotion", "classification", "emotion", labels=labels)
    energy = Task("energy_mean", "regression", "energy_mean", mean=335.0, std=20.0)  # as it was at unit variance
    Wav2Vec2ForMultiTaskSER(tiny_config((emotion, energy))).save_pretrained(tmp_path / "old")
    feature_extractor.save_pretrained(tmp_path / "old")
    onward = start_from(arguments, "--model_name_or_path", str(tmp_path / "old"))
    onward[onward.index("--tasks") : onward.index("--num_train_epochs")] = ["--tasks", "emotion", "energy_mean"]
    with pytest.raises(ValueError, match=r"energy_mean .*FS.*--reset_heads energy_mean"):
        job(onward)
    ready = job([*onward, "--reset_heads", "energy_mean"])
    assert ready.tasks[1].mean < 335


@pytest.mark.slow
def test_whisper_trains_frozen_in_part_and_continues(arguments, tmp_path):
    family = FAMILIES["whisper"]
    family.backbone(family.config).save_pretrained(tmp_path / "pretrained")
    options = ("--freeze", "1", "--layers", "2", "weighted", "--pooling", "attentive_statistics")
    ready = job([*start_from(arguments, "--model_name_or_path", str(tmp_path / "pretrained")), *options])
    before = {name: parameter.detach().clone() for name, parameter in ready.model.named_parameters()}
    train(ready)
    same = {name for name, parameter in ready.model.named_parameters() if torch.equal(parameter, before[name])}
    below = {name for name in before if name.startswith("model.encoder.") and ".layers.1." not in name}
    assert same - {"attention_pooling.score.bias"} == below - {
        "model.encoder.layer_norm.weight",
        "model.encoder.layer_norm.bias",
    }
    onward = start_from(arguments, "--model_name_or_path", str(tmp_path / "run"), "--output_dir", str(tmp_path / "on"))
    assert job(onward).model.config.layer_weights
    for flag in (["--layers", "last"], ["--layers", "1"], ["--pooling", "mean"], ["--architecture", "wav2vec2"]):
        with pytest.raises(ValueError, match=flag[0].removeprefix("--")):
            job([*onward, *flag])


@pytest.mark.parametrize("layers", ["first", "1 2", "last weighted", "weighted 1.5"])
def test_layers_that_are_not_valid_are_refused(arguments, layers):
    with pytest.raises(ValueError, match=f"--layers {layers}"):
        job([*arguments, "--layers", *layers.split()])


def test_an_encoder_that_is_not_known_is_refused(arguments, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    for start in (["--config_name", str(tmp_path / "config.json")], ["--model_name_or_path", str(tmp_path)]):
        with pytest.raises(ValueError, match="'bert'"):
            job(start_from(arguments, *start))
