import pytest
import yaml

from training.arguments.parse import SettingsParser, parse_args, read_configs

BASE = ["--data", "prepared", "--output_dir", "out", "--model_name_or_path", "x"]


def write(path, **settings) -> str:
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"lr": 1e-3}, "learning_rate"),
        ({"epochs": 3}, "num_train_epochs"),
        ({"seed": [1, 2]}, "seed"),
        ({"seed": "one"}, "seed"),
        ({"seed": True}, "seed"),
        ({"learning_rate": {"a": 1}}, "learning_rate"),
        ({"bf16": "maybe"}, "bf16"),
        ({"optim": "no_such"}, "optim"),
        ({"num_train_epochs": 0}, "num_train_epochs"),
        ({"fp16": True}, "fp16"),
    ],
)
def test_unknown_settings_wrong_types_and_values_are_refused_by_name(tmp_path, settings, named):
    with pytest.raises(ValueError, match=named):
        parse_args([*BASE, "--config", write(tmp_path / "a.yaml", **settings)])


def test_values_are_those_of_the_flags(tmp_path):
    (tmp_path / "a.yaml").write_text("run_name: 2026-01-02\ntasks: emotion\nmax_grad_norm: 0\nbf16: no\nproject: --x\n")
    _, model, args, _, _ = parse_args([*BASE, "--config", str(tmp_path / "a.yaml")])
    assert (args.run_name, model.tasks, args.max_grad_norm, args.bf16) == ("2026-01-02", ["emotion"], 0, False)
    assert args.project == "--x"


def test_a_flag_wins_however_it_is_spelled(tmp_path):
    file = write(tmp_path / "a.yaml", learning_rate=1e-3, tasks=["emotion"])
    assert read_configs([file], ["--learning-rate", "1"], SettingsParser()) == ["--tasks=emotion"]
