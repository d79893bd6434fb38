import pytest

from modeling import ARCHITECTURES, PannsForMultiTaskSER, PannsMultiTaskSERConfig
from tests.conftest import TASKS
from tests.training.conftest import job, start_from
from training.arguments.batch_sizes import BatchSettings
from training.run import build_trainer

WIDTHS = {"channels": [4, 4, 4, 4, 4, 8]}


@pytest.mark.parametrize(("processes", "at_once", "steps"), [(1, 8, 4), (2, 8, 2), (4, 8, 1), (8, 4, 1), (32, 1, 1)])
def test_processes_share_32_clips(processes, at_once, steps):
    assert BatchSettings().divide(processes) == BatchSettings(32, at_once, steps, "group_by_length")


@pytest.mark.parametrize(("processes", "at_once"), [(1, 32), (2, 16), (8, 4)])
def test_a_network_with_batch_statistics_has_whole_random_batches(processes, at_once):
    assert BatchSettings().divide(processes, batch_statistics=True) == BatchSettings(32, at_once, 1, "random")


@pytest.mark.parametrize(
    ("asked", "processes", "expected"),
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
def test_what_is_given_stays_and_the_rest_follows(asked, processes, expected):
    divided = asked.divide(processes)
    assert (divided.effective_batch_size, divided.per_device_train_batch_size) == expected[:2]
    assert divided.gradient_accumulation_steps == expected[2]


@pytest.mark.parametrize(
    ("asked", "processes", "named"),
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
def test_batches_that_do_not_come_out_are_refused_with_their_numbers(asked, processes, named):
    with pytest.raises(ValueError, match="effective") as error:
        asked.divide(processes)
    for part in named:
        assert part in str(error.value)


@pytest.mark.parametrize("name", ["effective_batch_size", "per_device_train_batch_size", "gradient_accumulation_steps"])
def test_a_batch_of_no_clips_is_refused(name):
    with pytest.raises(ValueError, match=f"--{name}.*0"):
        BatchSettings(**{name: 0})


def test_an_unknown_strategy_is_refused():
    with pytest.raises(ValueError, match="--train_sampling_strategy takes group_by_length, random, sequential"):
        BatchSettings(train_sampling_strategy="by_length")


def test_of_all_architectures_cnn14_alone_has_batch_statistics(tiny_model):
    tasks = [task.to_dict() for task in TASKS]
    found = {
        name: architecture(
            PannsMultiTaskSERConfig(tasks=tasks, **WIDTHS)
            if architecture is PannsForMultiTaskSER
            else architecture.config_class(**{**tiny_model.config.to_dict(), "model_type": None})
        ).has_batch_statistics
        for name, architecture in ARCHITECTURES.items()
    }
    assert found == {"wav2vec2": False, "wav2vec2_layer_sum": False, "panns": True}


def test_batches_follow_the_network(words, tmp_path):
    grouped = job(words).args
    assert grouped.train_sampling_strategy == "group_by_length"
    assert (grouped.per_device_train_batch_size, grouped.gradient_accumulation_steps) == (8, 4)
    cnn14 = start_from(words, "--architecture", "panns", "--config_name", "configs/small_panns.json")
    random = job(cnn14).args
    assert random.train_sampling_strategy == "random"
    assert (random.per_device_train_batch_size, random.gradient_accumulation_steps) == (32, 1)
    assert job([*cnn14, "--train_sampling_strategy", "group_by_length"]).args.train_sampling_strategy != "random"


def test_smaller_batches_of_a_network_with_batch_statistics_are_told(words, caplog):
    cnn14 = start_from(words, "--architecture", "panns", "--config_name", "configs/small_panns.json")
    job(cnn14)
    assert "statistics" not in caplog.text
    job([*cnn14, "--per_device_train_batch_size", "8"])
    assert "statistics from 8 clips, not from the 32" in caplog.text


def test_random_batches_hold_every_clip_once_and_differ_by_epoch_alone(words):
    cnn14 = start_from(words, "--architecture", "panns", "--config_name", "configs/small_panns.json")

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
