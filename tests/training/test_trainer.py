import math
import re

import numpy as np
import pytest
import torch

from evaluation.metrics.compute import DivergedError
from preprocessing.prepared import collator
from preprocessing.prepared.rows import ROW
from tests.training.conftest import job
from training.run import build_trainer
from training.sampler import LengthGroupedBatches
from training.trainer import MultiTaskSERTrainer

LENGTHS = np.random.default_rng(0).uniform(0.5, 6.0, size=203).tolist()


def epochs(count: int, seed: int = 0, batch_size: int = 8) -> list[list[int]]:
    epoch = 0
    sampler = LengthGroupedBatches(LENGTHS, batch_size, seed, lambda: epoch)
    orders = []
    for epoch in range(count):  # noqa: B007 - the sampler asks for it
        orders.append(list(sampler))
    return orders


def test_an_epoch_holds_every_clip_once():
    assert len(LengthGroupedBatches(LENGTHS, 8, 0, lambda: 0)) == len(LENGTHS)
    for order in epochs(3):
        assert sorted(order) == list(range(len(LENGTHS)))


def test_epochs_differ_and_the_same_seed_repeats_them():
    first, second = epochs(2)
    assert first != second
    assert epochs(2) == [first, second]
    assert epochs(1, seed=1)[0] != first


def test_batches_hold_little_padding_and_come_in_no_order_of_length():
    (order,) = epochs(1)
    lengths = np.array(LENGTHS)[order]
    batches = [lengths[i : i + 8] for i in range(0, len(lengths), 8)]
    filled = lengths.sum() / sum(batch.max() * len(batch) for batch in batches)
    assert filled > 0.88  # 203 clips are few
    shuffled = np.random.default_rng(1).permutation(LENGTHS)
    at_random = sum(shuffled[i : i + 8].max() * len(shuffled[i : i + 8]) for i in range(0, len(LENGTHS), 8))
    assert filled > 1.2 * sum(LENGTHS) / at_random
    longest = [batch.max() for batch in batches[:-1]]
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.5


def test_a_resumed_epoch_goes_on_in_the_same_order():
    first, second = epochs(2)
    torch.manual_seed(99)  # whatever the global generator did meanwhile
    assert list(LengthGroupedBatches(LENGTHS, 8, 0, lambda: 1)) == second
    assert first != second


@pytest.mark.parametrize("count", [1, 7, 8, 9])
def test_few_clips(count):
    assert sorted(LengthGroupedBatches(LENGTHS[:count], 8, 0, lambda: 0)) == list(range(count))


def diverge(words, *flags) -> tuple[str, MultiTaskSERTrainer]:
    """What a training says that ends with a loss that is no number, and its Trainer."""
    blind = ["--eval_strategy", "no", "--save_strategy", "no", "--load_best_model_at_end", "false"]
    trainer = build_trainer(job([*words, "--per_device_train_batch_size", "4", *blind, *flags]))
    with pytest.raises(DivergedError) as caught:
        trainer.train()
    return str(caught.value), trainer


def test_a_clip_whose_loss_is_no_number_is_named(words, splits, monkeypatch):
    broken, read = splits["train"][5], collator.stored_waveform

    def deafen(row, *seconds):
        return read(row, *seconds) * np.float32(math.nan if row[ROW] == broken[ROW] else 1)

    monkeypatch.setattr(collator, "stored_waveform", deafen)
    said, trainer = diverge(words)
    form = (
        r"The loss of step \d+ is no number, in the batch of (.*): the fault is with (.*), for of the others it is one"
    )
    batch, fault = re.fullmatch(rf"{form}\.", said).groups()
    assert fault == broken["id"]
    assert len(batch.split(", ")) == 4
    assert {fault, *batch.split(", ")} <= {*trainer.train_dataset["id"]}
    assert all(parameter.isfinite().all() for parameter in trainer.model.parameters())  # it ended before the step


def test_weights_that_are_no_numbers_are_the_fault_of_no_clip(words):
    said, trainer = diverge(words, "--learning_rate", "1e30", "--warmup_steps", "0", "--num_train_epochs", "3")
    batch, why = re.fullmatch(r"The loss of step \d+ is no number, in the batch of (.*): (.*)", said).groups()
    assert why == "the training has diverged, a lower --learning_rate may help."
    assert {*batch.split(", ")} <= {*trainer.train_dataset["id"]}


def test_an_evaluation_whose_loss_is_no_number_ends_the_training(words):
    trainer = build_trainer(job(words))
    trainer.log({"loss": 1.0, "eval_loss": 2.0})
    with pytest.raises(DivergedError, match="eval_loss_f0_mean is inf at step 0: the training has diverged"):
        trainer.log({"eval_loss": 1.0, "eval_loss_f0_mean": math.inf})
