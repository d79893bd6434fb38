import pytest
import yaml
from transformers import TrainingArguments

from modeling import ARCHITECTURES
from training.arguments.parse import parse_args
from training.arguments.settings import BEST_ROW, SERTrainingArguments, SweepArguments

BASE = ["--data", "prepared", "--output_dir", "runs/x", "--model_name_or_path", "backbone"]


def write(path, **settings):
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return str(path)


def test_the_recipe_is_the_default():
    data, model, args, sweep, _ = parse_args(BASE)
    assert data.protocol == "paper"
    assert model.tasks is None  # the checkpoint's own, or the paper's best row
    assert BEST_ROW == ("emotion", "gender", "language", "f0_mean")
    assert model.freeze_feature_encoder
    assert args.per_device_train_batch_size * args.gradient_accumulation_steps == args.effective_batch_size == 32
    assert (args.learning_rate, args.warmup_steps, args.num_train_epochs) == (1e-4, 0.1, 10)
    assert args.lr_scheduler_type == "linear"
    assert args.load_best_model_at_end
    assert args.early_stopping_patience is None
    assert not args.bf16  # there is no GPU
    assert not sweep.sweep
    assert (sweep.sweep_learning_rate, sweep.sweep_weight_decay) == ([1e-4, 1e-3], [0, 1e-5, 1e-4])


def test_every_default_that_differs_from_transformers_is_named_in_the_docstring():
    ours = {name: entry.default for name, entry in SERTrainingArguments.__dataclass_fields__.items()}
    theirs = {name: entry.default for name, entry in TrainingArguments.__dataclass_fields__.items()}
    differing = {name for name in ours if name not in theirs or ours[name] != theirs[name]}
    unnamed = {name for name in differing if f"`{name}`" not in SERTrainingArguments.__doc__}
    assert unnamed - {"bf16", "per_device_train_batch_size"} == set()
    assert "`bf16`" in SERTrainingArguments.__doc__


def test_flags_win_over_files_and_later_files_over_earlier_ones(tmp_path):
    first = write(
        tmp_path / "a.yaml", data="prepared", output_dir="a", model_name_or_path="m", seed=1, tasks=["emotion"]
    )
    second = write(tmp_path / "b.yaml", output_dir="b", learning_rate=1e-3, weight_decay=1.0e-5)
    data, model, args, _, _ = parse_args(["--config", first, second, "--seed", "7"])
    assert data.data == "prepared"
    assert model.tasks == ["emotion"]
    assert (args.output_dir, args.seed, args.learning_rate, args.weight_decay) == ("b", 7, 1e-3, 1e-5)


def test_the_settings_that_are_written_down_run_the_same_training_again(tmp_path):
    off = ["--load_best_model_at_end", "false"]  # as transformers has it, and not as we have it
    flags = [*BASE, "--tasks", "emotion", "f0_mean", "--task_weights", "f0_mean=0.5", "--learning_rate", "3e-4"]
    *groups, settings = parse_args([*flags, "--freeze_feature_encoder", "false", "--eval_strategy", "no", *off])
    *again, settings_again = parse_args(["--config", write(tmp_path / "c.yaml", **settings)])
    assert groups[:2] == again[:2]
    assert settings == settings_again
    assert groups[2].to_dict() == again[2].to_dict()


def test_a_sweep_is_not_among_the_settings_of_a_training(tmp_path):
    grid = write(tmp_path / "c.yaml", sweep=True, sweep_learning_rate=[3e-4], sweep_weight_decay=[0])
    *_, sweep, settings = parse_args([*BASE, "--config", grid])
    assert (sweep.sweep, sweep.sweep_learning_rate, sweep.sweep_weight_decay) == (True, [3e-4], [0])
    assert not [name for name in settings if name.startswith("sweep")]


def test_a_token_is_not_written_down():
    with pytest.raises(ValueError, match=r"hf auth login.*HF_TOKEN") as error:
        parse_args([*BASE, "--hub_token", "hf_secret"])
    assert "hf_secret" not in str(error.value)


def test_task_weights():
    _, model, *_ = parse_args([*BASE, "--tasks", "emotion", "gender:classification", "--task_weights", "gender=0.5"])
    assert model.weights() == {"gender": 0.5}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--config_name", "x.json"], "one of the two"),
        (["--fp16", "true"], "overflows"),
        (["--label_smoothing_factor", "0.1"], "one head"),
        (["--average_tokens_across_devices", "false"], "over all processes"),
        (["--push_to_hub", "true"], "needs to know where to: --hub_model_id"),
        (["--remove_unused_columns", "true"], "remove_unused_columns"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--sweep_learning_rate", "1e-3", "0.001"], "sweep_learning_rate takes one or more"),
        (["--sweep_weight_decay", "-1"], "numbers from 0 up"),
        (["--sweep_weight_decay", "nan"], "numbers from 0 up"),
    ],
)
def test_wrong_settings_are_refused(flags, message):
    with pytest.raises(ValueError, match=message):
        parse_args([*BASE, *flags])


def test_a_misspelt_setting_in_a_file_is_an_error_that_names_the_right_one(tmp_path):
    with pytest.raises(ValueError, match="did you mean learning_rate"):
        parse_args([*BASE, "--config", write(tmp_path / "a.yaml", learning_rte=1e-3)])


def test_a_file_that_is_no_mapping_is_an_error(tmp_path):
    (tmp_path / "a.yaml").write_text("- a\n- b\n", encoding="utf-8")
    with pytest.raises(ValueError, match="not a YAML mapping"):
        parse_args([*BASE, "--config", str(tmp_path / "a.yaml")])


@pytest.mark.parametrize("value", ["2", "-0.1", "nan"])
@pytest.mark.parametrize("flag", ["--layerdrop", "--mask_time_prob"])
def test_what_is_no_probability_is_refused(flag, value):
    with pytest.raises(ValueError, match=f"{flag} {value}"):
        parse_args([*BASE, flag, value])


def test_abbreviated_and_unknown_flags_are_refused(capsys):
    for flag in (["--learning_rat", "1"], ["--no_such_flag", "1"]):
        with pytest.raises(SystemExit):
            parse_args([*BASE, *flag])
        assert flag[0] in capsys.readouterr().err


def test_a_setting_without_a_value_is_an_error_and_not_ignored(tmp_path):
    (tmp_path / "a.yaml").write_text("save_total_limit:\n", encoding="utf-8")
    with pytest.raises(ValueError, match="save_total_limit has no value"):
        parse_args([*BASE, "--config", str(tmp_path / "a.yaml")])


def test_an_empty_grid_is_an_error_and_not_the_default(tmp_path):
    with pytest.raises(ValueError, match="sweep_learning_rate is empty"):
        parse_args([*BASE, "--config", write(tmp_path / "a.yaml", sweep_learning_rate=[])])
    with pytest.raises(ValueError, match="one or more"):
        SweepArguments(sweep_learning_rate=[])


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
def test_of_two_ways_to_start_the_later_one_wins(tmp_path, files, flags, start):
    paths = [write(tmp_path / f"{number}.yaml", **settings) for number, settings in enumerate(files)]
    _, model, *_, settings = parse_args(["--data", "x", "--output_dir", "y", "--config", *paths, *flags])
    assert (model.model_name_or_path, model.config_name) == start
    assert {*settings} & {"model_name_or_path", "config_name"} == {
        name for name, value in zip(("model_name_or_path", "config_name"), start, strict=True) if value
    }


def test_two_ways_to_start_in_one_file_are_an_error(tmp_path):
    both = write(tmp_path / "a.yaml", model_name_or_path="a", config_name="b.json")
    with pytest.raises(ValueError, match="one of the two"):
        parse_args(["--data", "x", "--output_dir", "y", "--config", both])


def test_the_architecture_is_a_setting_whose_help_names_all(capsys):
    _, model, *_ = parse_args(BASE)
    assert model.architecture is None
    _, model, *_, settings = parse_args([*BASE, "--architecture", "panns"])
    assert model.architecture == settings["architecture"] == "panns"
    with pytest.raises(SystemExit):
        parse_args(["--help"])
    said = capsys.readouterr().out.rpartition("--architecture ")[2].partition("--")[0]
    assert {word.strip(";:") for word in said.split()} >= ARCHITECTURES.keys()
