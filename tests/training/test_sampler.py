import numpy as np
import pytest
import torch
from accelerate.data_loader import BatchSamplerShard
from torch.utils.data import BatchSampler
from transformers import Wav2Vec2Config
from transformers.trainer_pt_utils import get_length_grouped_indices

from benchmarks.clips import MAX_S, MIN_S, SPREAD, durations
from modeling import SAMPLING_RATE
from preprocessing.corpora import CORPORA
from preprocessing.prepared.table1 import PAPER_DURATION_S
from training.corpus_sampling import CorpusSampling
from training.sampler import LengthGroupedBatches, ShuffledClips

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


def test_the_order_without_a_temperature_is_that_of_grouped_indices_in_shuffled_batches():
    generator = torch.Generator().manual_seed(7 + 2)
    indices = get_length_grouped_indices(LENGTHS, 8, generator=generator)
    batches = [indices[i : i + 8] for i in range(0, 200, 8)]
    expected = [index for place in torch.randperm(25, generator=generator).tolist() for index in batches[place]]
    assert list(LengthGroupedBatches(LENGTHS, 8, 7, lambda: 2)) == [*expected, *indices[200:]]


CORPUS = np.repeat(["large", "small", "tiny"], [150, 50, 3])


def sampled(temperature: float, epoch: int, seed: int = 0, kind: type = LengthGroupedBatches) -> ShuffledClips:
    sampling = CorpusSampling(CORPUS.tolist(), temperature)
    if kind is ShuffledClips:
        return ShuffledClips(len(LENGTHS), seed, lambda: epoch, sampling)
    return LengthGroupedBatches(LENGTHS, 8, seed, lambda: epoch, sampling)


@pytest.mark.parametrize("kind", [LengthGroupedBatches, ShuffledClips])
@pytest.mark.parametrize("temperature", [0, 0.5, 0.9])
def test_an_epoch_has_the_shares_of_the_temperature(kind, temperature):
    weights = np.array([150, 50, 3.0]) ** temperature
    for epoch in range(2):
        order = np.array(list(sampled(temperature, epoch, kind=kind)))
        assert len(order) == len(sampled(temperature, epoch, kind=kind)) == 203
        counts = [(CORPUS[order] == name).sum() for name in ("large", "small", "tiny")]
        assert counts == pytest.approx(203 * weights / weights.sum(), abs=1)


@pytest.mark.parametrize("kind", [LengthGroupedBatches, ShuffledClips])
def test_a_resumed_epoch_has_the_same_clips_in_the_same_order(kind):
    first, second = (list(sampled(0.5, epoch, kind=kind)) for epoch in range(2))
    assert first != second
    assert {*first} != {*second}  # of the large corpus another subset
    torch.manual_seed(99)
    assert list(sampled(0.5, 1, kind=kind)) == second
    assert list(sampled(0.5, 0, seed=9, kind=kind)) not in (first, second)


def test_several_processes_share_the_clips_of_one_epoch():
    batches = [
        list(BatchSamplerShard(BatchSampler(sampled(0.5, 1), 4, drop_last=False), 2, index, even_batches=False))
        for index in range(2)
    ]
    whole = list(sampled(0.5, 1))
    assert sorted(clip for shard in batches for batch in shard for clip in batch) == sorted(whole)
    assert batches[0][0] + batches[1][0] == whole[:8]


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


def paper_clips(share: float) -> tuple[np.ndarray, np.ndarray]:
    """Corpus and seconds of a share of the clips of the paper's corpora, by their means of its Table 1."""
    random, corpora, seconds = np.random.default_rng(0), [], []
    for name, mean in PAPER_DURATION_S.items():
        count = max(1, round(share * CORPORA[name].paper_clips))
        corpora += [name] * count
        seconds.append(random.gamma(1 / SPREAD**2, mean * SPREAD**2, size=count).clip(MIN_S, MAX_S))
    return np.array(corpora), np.concatenate(seconds)


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0, 0.3, 0.5, 1])
def test_95_percent_of_what_an_epoch_of_sampled_corpora_computes_is_audio(temperature):
    corpora, seconds = paper_clips(0.1)
    frames = count_frames(seconds)
    sampling = CorpusSampling(corpora.tolist(), temperature)
    for epoch in range(2):
        order = list(LengthGroupedBatches(seconds.tolist(), 32, 0, lambda epoch=epoch: epoch, sampling))
        batches = [order[i : i + 8] for i in range(0, len(order), 8)]
        computed = sum(len(batch) * frames[batch].max() for batch in batches)
        assert frames[order].sum() / computed > 0.95
