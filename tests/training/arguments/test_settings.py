import pytest

from modeling import ARCHITECTURES
from tests.support.trainings import REQUIRED_FLAGS
from training.arguments.parse import parse_args
from training.arguments.settings import BEST_ROW


def test_the_recipe_is_the_default():
    data, model, args, sweep, _ = parse_args(REQUIRED_FLAGS)
    assert data.protocol == "paper"
    assert model.tasks is None  # the checkpoint's own, or the paper's best row
    assert BEST_ROW == ("emotion", "gender", "language", "f0_mean")
    assert model.freeze == "feature_encoder"
    assert args.per_device_train_batch_size * args.gradient_accumulation_steps == args.effective_batch_size == 32
    assert (args.learning_rate, args.warmup_steps, args.num_train_epochs) == (1e-4, 0.1, 10)
    assert args.lr_scheduler_type == "linear"
    assert args.load_best_model_at_end
    assert args.early_stopping_patience is None
    assert not args.bf16  # without a GPU
    assert not sweep.sweep
    assert (sweep.sweep_learning_rate, sweep.sweep_weight_decay) == ([1e-4, 1e-3], [0, 1e-5, 1e-4])


def test_task_weights():
    _, model, *_ = parse_args(
        [*REQUIRED_FLAGS, "--tasks", "emotion", "gender:classification", "--task_weights", "gender=0.5"]
    )
    assert model.weights() == {"gender": 0.5}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--config_name", "x.json"], "--config_name"),
        (["--fp16", "true"], "--fp16"),
        (["--label_smoothing_factor", "0.1"], "--label_smoothing_factor 0.1"),
        (["--average_tokens_across_devices", "false"], "--average_tokens_across_devices"),
        (["--push_to_hub", "true"], "--hub_model_id"),
        (["--remove_unused_columns", "true"], "remove_unused_columns"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--sweep_learning_rate", "1e-3", "0.001"], "--sweep_learning_rate"),
        (["--sweep_weight_decay", "-1"], "--sweep_weight_decay"),
        (["--sweep_weight_decay", "nan"], "--sweep_weight_decay"),
    ],
)
def test_wrong_settings_are_refused(flags, message):
    with pytest.raises(ValueError, match=message):
        parse_args([*REQUIRED_FLAGS, *flags])


@pytest.mark.parametrize("value", ["2", "-0.1", "nan"])
@pytest.mark.parametrize("flag", ["--layerdrop", "--mask_time_prob"])
def test_an_invalid_probability_is_refused(flag, value):
    with pytest.raises(ValueError, match=f"{flag} {value}"):
        parse_args([*REQUIRED_FLAGS, flag, value])


def test_the_architecture_is_a_setting_whose_help_names_all(capsys):
    _, model, *_ = parse_args(REQUIRED_FLAGS)
    assert model.architecture is None
    _, model, *_, settings = parse_args([*REQUIRED_FLAGS, "--architecture", "panns"])
    assert model.architecture == settings["architecture"] == "panns"
    with pytest.raises(SystemExit):
        parse_args(["--help"])
    message = capsys.readouterr().out.rpartition("--architecture ")[2].partition("--")[0]
    unwrapped = "".join(message.split())  # names are broken at their hyphens
    assert [name for name in ARCHITECTURES if name not in unwrapped] == []


def test_augmentation_is_off_by_default_and_checked():
    assert parse_args(REQUIRED_FLAGS)[0].augment == []
    data, *_, settings = parse_args([*REQUIRED_FLAGS, "--augment", "noise", "room", "--augment_probability", "0.5"])
    assert (data.augment, data.augment_probability) == (["noise", "room"], 0.5)
    assert (settings["augment"], settings["augment_probability"]) == (["noise", "room"], 0.5)


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--augment", "hiss"], "--augment: 'hiss'"),
        (["--augment", "room", "room"], "--augment: room"),
        (["--augment_probability", "0"], "--augment_probability 0"),
        (["--augment_probability", "1.5"], "--augment_probability 1.5"),
    ],
)
def test_augmentation_that_is_not_valid_is_refused(flags, named):
    with pytest.raises(ValueError, match=named):
        parse_args([*REQUIRED_FLAGS, *flags])
