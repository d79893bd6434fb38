import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config

from benchmarks.clips import durations
from modeling import SAMPLING_RATE
from training.sampler import LengthGroupedBatches

LENGTHS = np.random.default_rng(0).uniform(0.5, 6.0, size=203).tolist()


def epochs(count: int, seed: int = 0, batch_size: int = 8) -> list[list[int]]:
    epoch = 0
    sampler = LengthGroupedBatches(LENGTHS, batch_size, seed, lambda: epoch)
    orders = []
    for epoch in range(count):  # noqa: B007 - the sampler reads it
        orders.append(list(sampler))
    return orders


def test_an_epoch_has_every_clip_once():
    assert len(LengthGroupedBatches(LENGTHS, 8, 0, lambda: 0)) == len(LENGTHS)
    for order in epochs(3):
        assert sorted(order) == list(range(len(LENGTHS)))


def test_epochs_differ_and_the_same_seed_repeats_them():
    first, second = epochs(2)
    assert first != second
    assert epochs(2) == [first, second]
    assert epochs(1, seed=1)[0] != first


def test_batches_have_little_padding_and_are_not_sorted_by_length():
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


def test_a_resumed_epoch_continues_in_the_same_order():
    first, second = epochs(2)
    torch.manual_seed(99)  # whatever the global generator did meanwhile
    assert list(LengthGroupedBatches(LENGTHS, 8, 0, lambda: 1)) == second
    assert first != second


@pytest.mark.parametrize("count", [1, 7, 8, 9])
def test_few_clips(count):
    assert sorted(LengthGroupedBatches(LENGTHS[:count], 8, 0, lambda: 0)) == list(range(count))


def count_frames(seconds: np.ndarray) -> np.ndarray:
    """Frames that wav2vec 2.0 computes from clips of these durations."""
    config, length = Wav2Vec2Config(), np.round(seconds * SAMPLING_RATE).astype(int)
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        length = (length - kernel) // stride + 1
    return length


@pytest.mark.slow
@pytest.mark.parametrize("effective_batch", [32, 64])  # of one process with 4 accumulated batches of 8, and of two
def test_97_percent_of_what_an_epoch_computes_is_audio(effective_batch):
    seconds = durations(2_000)
    frames = count_frames(seconds)
    batches = []
    for epoch in range(3):
        order = list(LengthGroupedBatches(seconds.tolist(), effective_batch, 0, lambda epoch=epoch: epoch))
        assert sorted(order) == list(range(len(seconds)))
        batches.append([order[i : i + 8] for i in range(0, len(order), 8)])
        computed = sum(8 * frames[batch].max() for batch in batches[-1])
        assert frames.sum() / computed > 0.97
    first, second, _ = ({frozenset(batch) for batch in of_epoch} for of_epoch in batches)
    assert len(first & second) < 0.02 * len(first)
