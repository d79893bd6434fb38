import pytest

from training.arguments.parse import parse_args
from training.plan import plan_training

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--protocol", "folds:2", "--sweep"], "--sweep"),
        (["--seeds", "1", "--push_to_hub", "--hub_model_id", "org/name"], "--push_to_hub"),
        (["--protocol", "folds:9"], "folds:9"),
        (["--seeds", "1", "--resume_from_checkpoint", "latest"], "--resume_from_checkpoint"),
        (["--seeds", "1", "--save_only_model", "true"], "--save_only_model"),
    ],
)
def test_what_cannot_be_trained_several_times_is_refused(arguments, flags, named, tmp_path):
    with pytest.raises(ValueError, match=named):
        plan_training(*parse_args([*arguments, *flags]))
    assert not list(tmp_path.glob("run/seed-*"))


@pytest.mark.parametrize("flags", [(), ("--seeds", "1", "2"), ("--sweep", "--sweep_learning_rate", "1e-3", "1e-4")])
def test_a_command_proposes_bfloat16_once_and_not_again_when_it_resumes(arguments, flags, monkeypatch, capsys):
    monkeypatch.setattr("training.run.bfloat16_instructions", lambda: ("amx_bf16",))
    monkeypatch.setattr("common.processor.MIN_PARAMETERS_FOR_BFLOAT16", 0)
    given = [*arguments, *flags, "--save_strategy", "epoch", "--use_cpu"]
    plan_training(*parse_args(given))()
    assert capsys.readouterr().out.count("--bf16") == 1
    resume = () if flags else ("--resume_from_checkpoint", "latest")
    plan_training(*parse_args([*given, *resume]))
    assert "--bf16" not in capsys.readouterr().out
