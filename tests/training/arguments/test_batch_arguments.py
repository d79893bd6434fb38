import pytest

from tests.training.arguments.test_parse import BASE
from training.arguments.parse import parse_args

BATCH = ("effective_batch_size", "per_device_train_batch_size", "gradient_accumulation_steps")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], (32, 8, 4)),
        (["--effective_batch_size", "64"], (64, 8, 8)),
        (["--per_device_train_batch_size", "16"], (32, 16, 2)),
        (["--per_device_train_batch_size", "16", "--gradient_accumulation_steps", "1"], (16, 16, 1)),
    ],
)
def test_what_is_given_of_the_batch_stays_and_the_rest_follows(flags, expected):
    _, _, args, _, settings = parse_args([*BASE, *flags])
    assert tuple(getattr(args, name) for name in BATCH) == expected
    assert args.train_sampling_strategy == "group_by_length"
    assert {f"--{name}" for name in settings if name in BATCH} == {*flags[::2]}  # what follows is not written down


@pytest.mark.parametrize("given", [None, "group_by_length"])
def test_the_network_decides_where_nothing_is_given(given):
    flags = ["--train_sampling_strategy", given] if given else []
    _, _, args, *_ = parse_args([*BASE, *flags])
    args.set_batch_sizes(batch_statistics=True)
    assert tuple(getattr(args, name) for name in BATCH) == (32, 32, 1)
    assert args.train_sampling_strategy == (given or "random")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--auto_find_batch_size", "true"], "--effective_batch_size"),
        (["--accelerator_config", '{"split_batches": true}'], "--effective_batch_size"),
        (["--accelerator_config", '{"gradient_accumulation_kwargs": {"num_steps": 2}}'], "--effective_batch_size"),
        (["--per_device_train_batch_size", "64"], "--effective_batch_size 64"),
        (["--per_device_train_batch_size", "0"], "--per_device_train_batch_size 0"),
    ],
)
def test_what_would_change_the_batch_otherwise_is_refused(flags, message):
    with pytest.raises(ValueError, match=message):
        parse_args([*BASE, *flags])
