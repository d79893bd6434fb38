import numpy as np
import pytest
import torch

from preprocessing.corpora import CORPORA
from training.corpus_sampling import CorpusSampling, clips_per_epoch, describe_sampling

PAPER = {name: corpus.paper_clips for name, corpus in CORPORA.items() if corpus.paper_clips}


@pytest.mark.parametrize("temperature", [0, 0.25, 0.5, 0.75])
def test_shares_are_proportional_to_a_power_of_the_number_of_clips(temperature):
    clips = clips_per_epoch(PAPER, temperature)
    assert sum(clips.values()) == sum(PAPER.values())
    weights = {name: count**temperature for name, count in PAPER.items()}
    expected = {name: sum(PAPER.values()) * weight / sum(weights.values()) for name, weight in weights.items()}
    assert clips == pytest.approx(expected, abs=1)
    assert min(clips.values()) > 0


def test_a_temperature_of_1_leaves_the_corpora_as_they_are():
    assert clips_per_epoch(PAPER, 1) == PAPER


def test_a_temperature_of_0_gives_all_the_same_but_for_a_clip():
    assert sorted(clips_per_epoch({"a": 1, "b": 2, "c": 97}, 0).values()) == [33, 33, 34]


def test_the_smallest_corpus_has_a_clip_at_every_temperature():
    random = np.random.default_rng(0)
    for _ in range(200):
        counts = {str(index): int(count) for index, count in enumerate(random.integers(1, 500, size=8))}
        assert min(clips_per_epoch(counts, random.uniform()).values()) >= 1


def draw(sampling: CorpusSampling, seed: int) -> np.ndarray:
    return sampling.draw(torch.Generator().manual_seed(seed)).numpy()


def test_small_corpora_repeat_clips_evenly_and_large_ones_have_a_subset():
    corpora = np.array([*"ab" * 10, *"a" * 80])  # 90 of a, 10 of b
    sampling = CorpusSampling(corpora.tolist(), 0.25)
    assert sum(sampling.per_epoch.values()) == 100
    drawn = draw(sampling, 0)
    counts = np.bincount(drawn, minlength=100)
    assert counts[corpora == "a"].sum() == sampling.per_epoch["a"] < 90
    assert counts[corpora == "a"].max() == 1
    repetitions, rest = divmod(sampling.per_epoch["b"], 10)
    assert sorted(counts[corpora == "b"]) == [repetitions] * (10 - rest) + [repetitions + 1] * rest
    assert repetitions >= 3


def test_clips_depend_on_the_generator_alone():
    sampling = CorpusSampling([*"a" * 90, *"b" * 10], 0)
    assert (draw(sampling, 5) == draw(sampling, 5)).all()
    assert {*draw(sampling, 5)} != {*draw(sampling, 6)}


def test_the_log_has_a_line_for_each_corpus():
    sampling = CorpusSampling([*"a" * 1500, *"b" * 500], 0)
    first, a, b = describe_sampling(sampling, 0.0).splitlines()
    assert "0" in first
    assert all(text in a for text in ("a", "1,000", "1,500", "0.67"))
    assert all(text in b for text in ("b", "1,000", "500", "2.00"))
