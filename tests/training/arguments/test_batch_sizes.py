from types import SimpleNamespace

import pytest
import torch

from modeling import ARCHITECTURES, PannsForMultiTaskSER, PannsMultiTaskSERConfig
from tests.conftest import TASKS
from tests.support.small_models import FAMILIES, build
from tests.support.trainings import REQUIRED_FLAGS
from tests.training.conftest import job, start_from
from training.arguments.batch_sizes import BatchSettings, clips_at_once
from training.arguments.parse import parse_args
from training.run import build_trainer

BATCH = ("effective_batch_size", "per_device_train_batch_size", "gradient_accumulation_steps")
WIDTHS = {"channels": [4, 4, 4, 4, 4, 8]}


@pytest.mark.parametrize(("processes", "at_once", "steps"), [(1, 8, 4), (2, 8, 2), (4, 8, 1), (8, 4, 1), (32, 1, 1)])
def test_processes_share_32_clips(processes, at_once, steps):
    assert BatchSettings().divide(processes) == BatchSettings(32, at_once, steps, "group_by_length")


@pytest.mark.parametrize(("processes", "at_once"), [(1, 32), (2, 16), (8, 4)])
def test_a_network_with_batch_statistics_has_full_random_batches(processes, at_once):
    assert BatchSettings().divide(processes, batch_statistics=True) == BatchSettings(32, at_once, 1, "random")


@pytest.mark.parametrize(
    ("device", "gigabytes", "expected"),
    [("cpu", 400, (32, 8, 4)), ("cuda", 37, (32, 8, 4)), ("cuda", 39, (32, 32, 1)), ("cuda", 140, (32, 32, 1))],
)
def test_a_large_gpu_has_the_clips_of_an_update_at_once(device, gigabytes, expected, monkeypatch):
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda _: SimpleNamespace(total_memory=gigabytes * 10**9))
    divided = BatchSettings().divide(1, at_once=clips_at_once(torch.device(device)))
    assert tuple(getattr(divided, name) for name in BATCH) == expected


def test_the_device_of_a_training_determines_its_batch(monkeypatch):
    monkeypatch.setattr("training.arguments.batch_sizes.clips_at_once", lambda device: {"cpu": 16}[device.type])
    args = parse_args(REQUIRED_FLAGS)[2]
    assert tuple(getattr(args, name) for name in BATCH) == (32, 16, 2)


@pytest.mark.parametrize(
    ("requested", "processes", "expected"),
    [
        (BatchSettings(effective_batch_size=256), 8, (256, 8, 4)),
        (BatchSettings(effective_batch_size=36), 1, (36, 6, 6)),
        (BatchSettings(effective_batch_size=30), 3, (30, 5, 2)),
        (BatchSettings(effective_batch_size=64, per_device_train_batch_size=32), 2, (64, 32, 1)),
        (BatchSettings(effective_batch_size=16, gradient_accumulation_steps=1), 2, (16, 8, 1)),
        (BatchSettings(per_device_train_batch_size=16), 1, (32, 16, 2)),
        (BatchSettings(gradient_accumulation_steps=16), 1, (32, 2, 16)),
        (BatchSettings(per_device_train_batch_size=64, gradient_accumulation_steps=2), 1, (128, 64, 2)),
        (BatchSettings(per_device_train_batch_size=16, gradient_accumulation_steps=1), 2, (32, 16, 1)),
    ],
)
def test_given_sizes_are_kept_and_others_follow(requested, processes, expected):
    batches = requested.divide(processes)
    assert (batches.effective_batch_size, batches.per_device_train_batch_size) == expected[:2]
    assert batches.gradient_accumulation_steps == expected[2]


@pytest.mark.parametrize(
    ("requested", "processes", "named"),
    [
        (BatchSettings(), 3, ["3 processes", "32 clips", "33"]),
        (BatchSettings(), 64, ["64 processes", "32 clips"]),
        (BatchSettings(effective_batch_size=8), 16, ["16 processes", "8 clips"]),
        (BatchSettings(per_device_train_batch_size=64), 1, ["32 clips", "64", "--effective_batch_size 64"]),
        (BatchSettings(per_device_train_batch_size=12), 1, ["32 clips", "12"]),
        (BatchSettings(gradient_accumulation_steps=64), 1, ["32 clips", "64"]),
        (
            BatchSettings(per_device_train_batch_size=8, gradient_accumulation_steps=4),
            8,
            ["32 clips", "processes: 8", "--effective_batch_size 256"],
        ),
        (BatchSettings(32, 16, 1), 1, ["32 clips", "16"]),
    ],
)
def test_contradicting_sizes_are_refused_with_their_numbers(requested, processes, named):
    with pytest.raises(ValueError, match="effective") as error:
        requested.divide(processes)
    for part in named:
        assert part in str(error.value)


def test_only_cnn14_has_batch_statistics():
    cnn14 = PannsForMultiTaskSER(PannsMultiTaskSERConfig(tasks=[task.to_dict() for task in TASKS], **WIDTHS))
    models = {"panns": cnn14, **{name: build(family) for name, family in FAMILIES.items()}}
    found = {name: model.has_batch_statistics for name, model in models.items()}
    assert found == {name: name == "panns" for name in ARCHITECTURES}


def test_batches_follow_the_network(arguments, tmp_path):
    grouped = job(arguments).args
    assert grouped.train_sampling_strategy == "group_by_length"
    assert (grouped.per_device_train_batch_size, grouped.gradient_accumulation_steps) == (8, 4)
    cnn14 = start_from(arguments, "--architecture", "panns", "--config_name", "configs/small_panns.json")
    random = job(cnn14).args
    assert random.train_sampling_strategy == "random"
    assert (random.per_device_train_batch_size, random.gradient_accumulation_steps) == (32, 1)
    assert job([*cnn14, "--train_sampling_strategy", "group_by_length"]).args.train_sampling_strategy != "random"


def test_small_batches_with_batch_statistics_are_warned_of(arguments, caplog):
    cnn14 = start_from(arguments, "--architecture", "panns", "--config_name", "configs/small_panns.json")
    job(cnn14)
    assert "statistics" not in caplog.text
    job([*cnn14, "--per_device_train_batch_size", "8"])
    assert "statistics from 8 clips" in caplog.text


def test_random_batches_hold_every_clip_once_and_differ_by_epoch_alone(arguments):
    cnn14 = start_from(arguments, "--architecture", "panns", "--config_name", "configs/small_panns.json")

    def order(epoch: int) -> list[int]:
        loader = build_trainer(job(cnn14)).get_train_dataloader()
        loader.set_epoch(epoch)
        batches = [batch["labels"]["row"].tolist() for batch in loader]
        assert {len(batch) for batch in batches[:-1]} == {32}
        return [row for batch in batches for row in batch]

    first, second = order(0), order(1)
    assert sorted(first) == sorted(second)
    assert len({*first}) == len(first)
    assert first != second
    assert order(1) == second


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], (32, 8, 4)),
        (["--effective_batch_size", "64"], (64, 8, 8)),
        (["--per_device_train_batch_size", "16"], (32, 16, 2)),
        (["--per_device_train_batch_size", "16", "--gradient_accumulation_steps", "1"], (16, 16, 1)),
    ],
)
def test_given_batch_sizes_are_kept_in_the_settings(flags, expected):
    _, _, args, _, settings = parse_args([*REQUIRED_FLAGS, *flags])
    assert tuple(getattr(args, name) for name in BATCH) == expected
    assert args.train_sampling_strategy == "group_by_length"
    assert {f"--{name}" for name in settings if name in BATCH} == {*flags[::2]}  # what follows is not written down


@pytest.mark.parametrize("given", [None, "group_by_length"])
def test_the_network_decides_where_nothing_is_given(given):
    flags = ["--train_sampling_strategy", given] if given else []
    _, _, args, *_ = parse_args([*REQUIRED_FLAGS, *flags])
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
def test_other_settings_that_change_the_batch_are_refused(flags, message):
    with pytest.raises(ValueError, match=message):
        parse_args([*REQUIRED_FLAGS, *flags])


def test_corpora_are_sampled_as_they_are_by_default():
    _, _, args, _, settings = parse_args(REQUIRED_FLAGS)
    assert args.corpus_temperature == 1
    _, _, args, _, settings = parse_args([*REQUIRED_FLAGS, "--corpus_temperature", "0.5"])
    assert args.corpus_temperature == settings["corpus_temperature"] == 0.5


@pytest.mark.parametrize("value", ["-0.1", "1.5", "nan", "inf"])
def test_a_temperature_that_is_not_from_0_to_1_is_refused(value):
    with pytest.raises(ValueError, match=f"--corpus_temperature {value} "):
        parse_args([*REQUIRED_FLAGS, "--corpus_temperature", value])


def test_a_sequential_order_with_a_temperature_is_refused():
    sequential = ["--train_sampling_strategy", "sequential"]
    with pytest.raises(ValueError, match=r"--corpus_temperature 0\.5 .*--train_sampling_strategy sequential"):
        parse_args([*REQUIRED_FLAGS, *sequential, "--corpus_temperature", "0.5"])
    assert parse_args([*REQUIRED_FLAGS, *sequential])[2].train_sampling_strategy == "sequential"
