"""LoRA: what is trained, merged weights, checkpoints without a trace of peft, and a resume as if nothing had been."""

import builtins
import json
import shutil
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from common.checkpoint import load_checkpoint
from tests.conftest import ROOT, TASKS
from tests.support.crash_recovery import kill, run, start
from tests.support.small_models import FAMILIES
from tests.training.conftest import flags, job, start_from
from training.resume import ADAPTERS
from training.run import build_trainer, train

pytest.importorskip("peft", reason="peft is not installed")
from training.lora import add_adapters, merge_adapters

LORA = ["--lora_rank", "2", "--freeze", "feature_encoder"]
STEPS = ["--max_steps", "2", "--eval_strategy", "steps", "--eval_steps", "1", "--save_strategy", "steps"]
STEPS += ["--save_steps", "1", "--calibrate", "false", "--learning_rate", "1e-2", "--warmup_steps", "0"]


@pytest.fixture
def adapted(arguments, backbone) -> list[str]:
    """Flags of a short training of adapters on a pre-trained backbone."""
    return [*start_from(arguments, "--model_name_or_path", str(backbone)), *LORA]


@pytest.fixture(scope="module")
def trained(prepared, backbone_config, backbone, tmp_path_factory) -> Path:
    """A finished training of two steps, with a checkpoint of each."""
    folder = tmp_path_factory.mktemp("lora") / "run"
    start = start_from(flags(prepared, backbone_config, folder), "--model_name_or_path", str(backbone))
    train(job([*start, *LORA, *STEPS]))
    return folder


def outputs_of(model) -> torch.Tensor:
    clips = torch.randn(3, 12_000, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return model.eval()(clips).logits


def test_adapters_and_heads_are_trained_and_nothing_else(adapted):
    model = job(adapted).model
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    adapters = {name for name in trained if ".lora_" in name}
    assert trained - adapters == {name for name, _ in model.named_parameters() if name.startswith("heads.")}
    projections = {name.partition(".lora_")[0].rpartition(".")[2] for name in adapters}
    assert projections == {"q_proj", "k_proj", "v_proj", "out_proj", "intermediate_dense", "output_dense"}
    assert len(adapters) == 2 * 6 * 2  # layers, projections, and two matrices of each


def test_frozen_layers_have_no_adapters(adapted):
    model = job([*adapted, "--freeze", "1"]).model
    assert {name.split(".")[3] for name, _ in model.named_parameters() if ".lora_" in name} == {"1"}


@pytest.mark.parametrize("family", FAMILIES)
def test_adapters_of_every_family_start_without_effect_have_gradients_and_merge(family):
    kind, config = FAMILIES[family].model, FAMILIES[family].config
    torch.manual_seed(0)
    model = kind(kind.config_from_backbone(config, TASKS))
    before = outputs_of(model)
    add_adapters(model, 2, 16)
    torch.testing.assert_close(outputs_of(model), before)
    model.train()(torch.randn(3, 12_000)).logits.square().sum().backward()
    adapters = {name: parameter for name, parameter in model.named_parameters() if ".lora_B." in name}
    assert [name for name, parameter in adapters.items() if parameter.grad is None or not parameter.grad.any()] == []
    assert len(adapters) == len(model.layers) * len(model.lora_targets)
    for parameter in adapters.values():
        torch.nn.init.normal_(parameter, std=0.1)
    unmerged = outputs_of(model)
    assert (unmerged - before).abs().max() > 0.01
    merge_adapters(model)
    assert not any("lora" in name or "base_layer" in name for name in model.state_dict())
    torch.testing.assert_close(outputs_of(model), unmerged, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_checkpoints_are_plain_and_the_best_one_is_the_result(trained):
    state = json.loads((trained / "checkpoint-2" / "trainer_state.json").read_text())
    best = trained / Path(state["best_model_checkpoint"]).name
    result, weights = load_file(trained / "model.safetensors"), load_file(best / "model.safetensors")
    assert result.keys() == weights.keys()
    assert all(torch.equal(result[name], weights[name]) for name in result)
    assert not any("lora" in name for name in result)
    assert (best / ADAPTERS).is_file()
    assert not (trained / ADAPTERS).exists()
    load_checkpoint(best)


@pytest.mark.slow
def test_the_record_counts_the_adapters(trained, adapted):
    parameters = json.loads((trained / "training.json").read_text())["parameters"]
    model, _ = load_checkpoint(trained)
    assert parameters == {"all": model.num_parameters(), "trained": job(adapted).trained_parameters}
    assert parameters["trained"] < parameters["all"] / 2


@pytest.mark.slow
def test_a_checkpoint_of_lora_is_read_without_peft(trained, monkeypatch):
    def without_peft(name, *args, **kwargs):
        if name.partition(".")[0] == "peft":
            raise ModuleNotFoundError(name)
        return imported(name, *args, **kwargs)

    imported = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without_peft)
    load_checkpoint(trained / "checkpoint-1")


@pytest.mark.slow
def test_a_killed_training_resumes_as_if_nothing_had_been(adapted, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    flags = ["train.py", *adapted, *STEPS, "--max_steps", "12", "--logging_steps", "1", "--save_total_limit", "20"]
    flags += ["--layer_decay", "0.5", "--head_learning_rate", "0.03", "--resume_from_checkpoint", "latest"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run(*flags, "--output_dir", whole, log=tmp_path / "log")[0] == 0
    process = start(*flags, "--output_dir", killed, log=tmp_path / "log")
    while not (killed / "checkpoint-4" / "trainer_state.json").exists():
        assert process.is_alive()
        time.sleep(0.01)
    kill(process)
    assert not (killed / "model.safetensors").exists()
    code, printed = run(*flags, "--output_dir", killed, log=tmp_path / "log")
    assert code == 0, printed
    assert losses_of(killed) == losses_of(whole)
    assert len(losses_of(whole)) > 12
    for name in ("model.safetensors", "checkpoint-12/model.safetensors", f"checkpoint-12/{ADAPTERS}"):
        ours, theirs = load_file(killed / name), load_file(whole / name)
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs), name


def losses_of(output: Path) -> list[dict]:
    history = json.loads((output / "checkpoint-12" / "trainer_state.json").read_text())["log_history"]
    names = ("loss", "eval_loss", "grad_norm", "learning_rate")
    return [{name: line[name] for name in names if name in line} for line in history]


@pytest.mark.slow
def test_a_checkpoint_without_adapters_cannot_be_resumed(trained, adapted, tmp_path):
    copy = shutil.copytree(trained, tmp_path / "copy")
    (copy / "checkpoint-2" / ADAPTERS).unlink()
    with pytest.raises(ValueError, match=ADAPTERS):
        job([*adapted, *STEPS, "--output_dir", str(copy), "--resume_from_checkpoint", "latest"])


@pytest.mark.slow
def test_a_resume_with_another_rank_is_refused(trained, adapted):
    resume = ["--output_dir", str(trained), "--resume_from_checkpoint", "latest"]
    with pytest.raises(ValueError, match=r"\blora_rank .*2.* 4"):
        job([*adapted, *STEPS, *resume, "--lora_rank", "4"])


@pytest.mark.parametrize("part", ["encoder", "none"])
def test_an_encoder_that_is_frozen_or_trained_as_a_whole_is_refused(adapted, part):
    with pytest.raises(ValueError, match="--lora_rank 2"):
        job([*adapted, "--freeze", part])


def test_random_weights_are_refused(arguments):
    with pytest.raises(ValueError, match=r"--lora_rank 2.*--config_name"):
        job([*arguments, "--lora_rank", "2"])


@pytest.mark.slow
def test_an_architecture_without_layers_is_refused(arguments, tmp_path):
    checkpoint = tmp_path / "panns"
    start = start_from(arguments, "--config_name", str(ROOT / "configs" / "small_panns.json"))
    build_trainer(job([*start, "--output_dir", str(checkpoint)])).save_model(str(checkpoint))
    with pytest.raises(ValueError, match="--lora_rank 2"):
        job([*start_from(arguments, "--model_name_or_path", str(checkpoint)), *LORA])


def test_without_peft_the_flag_is_refused_with_its_name(adapted, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    monkeypatch.delitem(sys.modules, "training.lora", raising=False)
    with pytest.raises(ValueError, match="peft"):
        job(adapted)


@pytest.mark.slow
def test_a_sweep_of_adapters_has_a_plain_result(adapted, tmp_path):
    from training.sweep import Sweep

    grid = ["--sweep", "--sweep_learning_rate", "1e-2", "1e-3", "--sweep_weight_decay", "0"]
    report = Sweep(job([*adapted, *grid, "--max_steps", "1", "--calibrate", "false"])).run()
    assert report["best"] is not None
    load_checkpoint(tmp_path / "run")
    parameters = json.loads((tmp_path / "run" / "training.json").read_text())["parameters"]
    assert parameters["trained"] < parameters["all"] / 2


@pytest.mark.slow
def test_activation_checkpointing_has_the_same_weights(adapted, tmp_path):
    short = [*adapted, *STEPS]
    train(job([*short, "--output_dir", str(tmp_path / "plain")]))
    train(job([*short, "--output_dir", str(tmp_path / "less"), "--activation_checkpointing"]))
    plain, less = (load_file(tmp_path / name / "model.safetensors") for name in ("plain", "less"))
    for name in plain:
        torch.testing.assert_close(plain[name], less[name], rtol=1e-4, atol=1e-5, msg=name)
