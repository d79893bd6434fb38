import math
from collections import Counter

import numpy as np
import pytest

from evaluation.metrics.compute import DivergedError
from preprocessing.prepared import collator
from preprocessing.prepared.rows import ROW
from tests.training.conftest import job
from training.run import build_trainer
from training.trainer import MultiTaskSERTrainer


def diverge(arguments, *flags) -> tuple[str, MultiTaskSERTrainer]:
    """The message with which a training diverges, and its Trainer."""
    blind = ["--eval_strategy", "no", "--save_strategy", "no", "--load_best_model_at_end", "false"]
    trainer = build_trainer(job([*arguments, "--per_device_train_batch_size", "4", *blind, *flags]))
    with pytest.raises(DivergedError) as caught:
        trainer.train()
    return str(caught.value), trainer


@pytest.mark.slow
def test_a_clip_whose_loss_is_not_finite_is_named(arguments, splits, monkeypatch):
    broken, read = splits["train"][5], collator.stored_waveform

    def corrupt(row, *seconds):
        return read(row, *seconds) * np.float32(math.nan if row[ROW] == broken[ROW] else 1)

    monkeypatch.setattr(collator, "stored_waveform", corrupt)
    message, trainer = diverge(arguments)
    ids = [id_ for id_ in trainer.train_dataset["id"] if id_ in message]
    assert len(ids) == 4  # those of the batch
    assert message.count(broken["id"]) == 2  # in the batch, and as the cause
    assert all(parameter.isfinite().all() for parameter in trainer.model.parameters())  # it ended before the step


@pytest.mark.slow
def test_weights_that_diverge_are_not_blamed_on_a_clip(arguments):
    message, trainer = diverge(arguments, "--learning_rate", "1e30", "--warmup_steps", "0", "--num_train_epochs", "3")
    assert "--learning_rate" in message
    assert {message.count(id_) for id_ in trainer.train_dataset["id"]} == {0, 1}


def test_an_evaluation_whose_loss_is_not_finite_ends_the_training(arguments):
    trainer = build_trainer(job(arguments))
    trainer.log({"loss": 1.0, "eval_loss": 2.0})
    with pytest.raises(DivergedError, match=r"eval_loss_f0_mean.*inf"):
        trainer.log({"eval_loss": 1.0, "eval_loss_f0_mean": math.inf})


def batches(trainer, loader, epoch):
    """What the loader of a Trainer yields in an epoch."""
    trainer.state.epoch = float(epoch)
    trainer.callback_handler.on_epoch_begin(trainer.args, trainer.state, trainer.control)
    return [batch["input_values"].clone() for batch in loader]


@pytest.mark.slow
def test_augmentation_is_anew_in_each_epoch_and_the_same_in_persistent_workers(arguments):
    augment = ["--augment", "gain", "noise", "--augment_probability", "1", "--train_sampling_strategy", "sequential"]
    workers = ["--dataloader_num_workers", "2", "--dataloader_persistent_workers", "true"]
    here, there = (build_trainer(job([*arguments, *augment, *extra])) for extra in ([], workers))
    loaders = here.get_train_dataloader(), there.get_train_dataloader()
    first, second = (
        [batches(trainer, loader, epoch) for epoch in (0, 1, 0)]
        for trainer, loader in zip((here, there), loaders, strict=True)
    )
    for ours, theirs in zip(first, second, strict=True):
        assert all(a.equal(b) for a, b in zip(ours, theirs, strict=True))
    assert all(a.equal(b) for a, b in zip(first[0], first[2], strict=True))
    assert not any(a.equal(b) for a, b in zip(first[0], first[1], strict=True))


def test_an_evaluation_during_the_training_is_not_augmented(arguments):
    augment = ["--augment", "gain", "--augment_probability", "1"]
    plain, augmented = (build_trainer(job([*arguments, *extra])) for extra in ([], augment))
    augmented.get_train_dataloader()
    pairs = zip(plain.get_eval_dataloader(), augmented.get_eval_dataloader(), strict=True)
    assert all(a["input_values"].equal(b["input_values"]) for a, b in pairs)


@pytest.mark.parametrize("strategy", ["group_by_length", "random"])
def test_a_temperature_sets_the_clips_of_each_corpus_in_an_epoch(arguments, splits, strategy):
    flags = ["--corpus_temperature", "0", "--train_sampling_strategy", strategy]
    trainer = build_trainer(job([*arguments, *flags]))
    corpora = np.array(splits["train"]["corpus"][:])
    epochs = [list(trainer._get_train_sampler())]
    trainer.state.epoch = 1.0
    epochs.append(list(trainer._get_train_sampler()))
    for order in epochs:
        assert len(order) == len(corpora)
        counts = Counter(corpora[order].tolist())
        assert abs(counts["alpha"] - counts["beta"]) <= 1
    assert epochs[0] != epochs[1]


def test_without_a_temperature_an_epoch_has_every_clip_once(arguments, splits):
    trainer = build_trainer(job(arguments))
    assert trainer.sampling is None
    assert sorted(trainer._get_train_sampler()) == list(range(len(splits["train"])))
