import pytest
import yaml

from tests.support.trainings import REQUIRED_FLAGS
from training.arguments.parse import SettingsParser, parse_args, read_configs
from training.arguments.settings import QueueArguments


def write(path, **settings):
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return str(path)


def test_flags_override_files_and_later_files_earlier_ones(tmp_path):
    first = write(
        tmp_path / "a.yaml", data="prepared", output_dir="a", model_name_or_path="m", seed=1, tasks=["emotion"]
    )
    second = write(tmp_path / "b.yaml", output_dir="b", learning_rate=1e-3, weight_decay=1.0e-5)
    data, model, args, _, _ = parse_args(["--config", first, second, "--seed", "7"])
    assert data.data == "prepared"
    assert model.tasks == ["emotion"]
    assert (args.output_dir, args.seed, args.learning_rate, args.weight_decay) == ("b", 7, 1e-3, 1e-5)


def test_saved_settings_run_the_same_training_again(tmp_path):
    off = ["--load_best_model_at_end", "false"]  # as transformers has it, and not as we have it
    flags = [
        *REQUIRED_FLAGS,
        "--tasks",
        "emotion",
        "f0_mean",
        "--task_weights",
        "f0_mean=0.5",
        "--learning_rate",
        "3e-4",
    ]
    *groups, settings = parse_args([*flags, "--freeze", "none", "--eval_strategy", "no", *off])
    *again, settings_again = parse_args(["--config", write(tmp_path / "c.yaml", **settings)])
    assert groups[:2] == again[:2]
    assert settings == settings_again
    assert groups[2].to_dict() == again[2].to_dict()


def test_a_sweep_is_not_among_the_settings_of_a_training(tmp_path):
    grid = write(tmp_path / "c.yaml", sweep=True, sweep_learning_rate=[3e-4], sweep_weight_decay=[0])
    *_, sweep, settings = parse_args([*REQUIRED_FLAGS, "--config", grid])
    assert (sweep.sweep, sweep.sweep_learning_rate, sweep.sweep_weight_decay) == (True, [3e-4], [0])
    assert not [name for name in settings if name.startswith("sweep")]


def test_a_misspelled_setting_in_a_file_is_an_error_with_a_suggestion(tmp_path):
    with pytest.raises(ValueError, match="learning_rate"):
        parse_args([*REQUIRED_FLAGS, "--config", write(tmp_path / "a.yaml", learning_rte=1e-3)])


def test_a_file_without_a_mapping_is_an_error(tmp_path):
    (tmp_path / "a.yaml").write_text("- a\n- b\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.yaml"):
        parse_args([*REQUIRED_FLAGS, "--config", str(tmp_path / "a.yaml")])


def test_abbreviated_and_unknown_flags_are_refused(capsys):
    for flag in (["--learning_rat", "1"], ["--no_such_flag", "1"]):
        with pytest.raises(SystemExit):
            parse_args([*REQUIRED_FLAGS, *flag])
        assert flag[0] in capsys.readouterr().err


def test_a_setting_without_a_value_is_an_error_and_not_ignored(tmp_path):
    (tmp_path / "a.yaml").write_text("save_total_limit:\n", encoding="utf-8")
    with pytest.raises(ValueError, match="save_total_limit"):
        parse_args([*REQUIRED_FLAGS, "--config", str(tmp_path / "a.yaml")])


def test_an_empty_grid_is_an_error_and_not_the_default(tmp_path):
    with pytest.raises(ValueError, match="sweep_learning_rate"):
        parse_args([*REQUIRED_FLAGS, "--config", write(tmp_path / "a.yaml", sweep_learning_rate=[])])
    with pytest.raises(ValueError, match="sweep_learning_rate"):
        QueueArguments(sweep_learning_rate=[])


@pytest.mark.parametrize(
    ("files", "flags", "start"),
    [
        ([{"config_name": "a.json"}, {"model_name_or_path": "b"}], [], ("b", None)),
        ([{"model_name_or_path": "a"}, {"config_name": "b.json"}], [], (None, "b.json")),
        ([{"model_name_or_path": "a"}, {"seed": 1}], ["--config_name=b.json"], (None, "b.json")),
        ([{"config_name": "a.json"}], ["--model_name_or_path", "config_name"], ("config_name", None)),
        ([{"config_name": "a.json"}, {"model_name_or_path": "b"}, {"config_name": "c.json"}], [], (None, "c.json")),
    ],
)
def test_the_later_of_two_starts_overrides_the_earlier(tmp_path, files, flags, start):
    paths = [write(tmp_path / f"{number}.yaml", **settings) for number, settings in enumerate(files)]
    _, model, *_, settings = parse_args(["--data", "x", "--output_dir", "y", "--config", *paths, *flags])
    assert (model.model_name_or_path, model.config_name) == start
    assert {*settings} & {"model_name_or_path", "config_name"} == {
        name for name, value in zip(("model_name_or_path", "config_name"), start, strict=True) if value
    }


def test_two_starts_in_one_file_are_an_error(tmp_path):
    both = write(tmp_path / "a.yaml", model_name_or_path="a", config_name="b.json")
    with pytest.raises(ValueError, match="--config_name"):
        parse_args(["--data", "x", "--output_dir", "y", "--config", both])


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
        parse_args([*REQUIRED_FLAGS, "--config", write(tmp_path / "a.yaml", **settings)])


def test_values_are_those_of_the_flags(tmp_path):
    (tmp_path / "a.yaml").write_text("run_name: 2026-01-02\ntasks: emotion\nmax_grad_norm: 0\nbf16: no\nproject: --x\n")
    _, model, args, _, _ = parse_args([*REQUIRED_FLAGS, "--config", str(tmp_path / "a.yaml")])
    assert (args.run_name, model.tasks, args.max_grad_norm, args.bf16) == ("2026-01-02", ["emotion"], 0, False)
    assert args.project == "--x"


def test_a_flag_overrides_a_file_with_hyphens_or_underscores(tmp_path):
    file = write(tmp_path / "a.yaml", learning_rate=1e-3, tasks=["emotion"])
    assert read_configs([file], ["--learning-rate", "1"], SettingsParser()) == ["--tasks=emotion"]
