import time
import tracemalloc

import numpy as np
import pytest

from evaluation.metrics.bootstrap import (
    compare,
    interval,
    mean_of_corpora,
    resample,
    resampled_sums,
    seeds_interval,
)
from evaluation.metrics.scores import classification_features, classification_scores


def column(*values):
    return np.array(values, dtype=object)


def weights_of(corpus, speaker, **options):
    """Corpus to the weights of its clips, in their order, `(num_resamples, clips)`."""
    resamples = resample(corpus, speaker, **options)
    return {name: weights[:, np.argsort(members)].astype(float) for name, (members, weights) in resamples.items()}


def means(values, speaker, **options):
    """The mean of the values in every resample of one corpus."""
    corpus = column(*["alpha"] * len(values))
    everything = {"all": np.ones(len(values), dtype=bool)}
    features = np.stack([np.ones(len(values)), values], axis=1)
    sums = resampled_sums(features, everything, resample(corpus, speaker, **options))["all"]
    return sums[:, 1] / sums[:, 0]


def test_speakers_are_resampled_and_then_as_many_clips_as_each_has():
    sizes = np.array([1, 3, 6, 10])
    speaker = column(*np.repeat(["a", "b", "c", "d"], sizes))
    weights = weights_of(column(*["alpha"] * 20), speaker, num_resamples=4000)["alpha"]
    assert weights.shape == (4000, 20)
    per_speaker = np.add.reduceat(weights, np.cumsum(sizes) - sizes, axis=1) / sizes
    assert (per_speaker == per_speaker.astype(int)).all()  # as many clips of a speaker as there are, each time
    assert (per_speaker.sum(axis=1) == 4).all()
    assert per_speaker.mean(axis=0) == pytest.approx(np.ones(4), abs=0.05)
    assert per_speaker.var(axis=0) == pytest.approx(np.full(4, 4 * (1 / 4) * (3 / 4)), rel=0.1)
    assert len(np.unique(weights[per_speaker[:, 3] == 1][:, 10:], axis=0)) > 500  # its clips differ


def test_clips_without_a_speaker_are_resampled_one_by_one():
    weights = weights_of(column(*["alpha"] * 30), column(*[None] * 30), num_resamples=4000)["alpha"]
    assert (weights.sum(axis=1) == 30).all()
    assert weights.var(axis=0).mean() == pytest.approx(1 - 1 / 30, rel=0.05)


def test_known_and_unknown_speakers_are_resampled_side_by_side():
    weights = weights_of(column(*["alpha"] * 7), column("a", None, "a", None, "a", None, None), num_resamples=4000)[
        "alpha"
    ]
    assert set(weights[:, [0, 2, 4]].sum(axis=1)) <= {0, 3, 6, 9, 12, 15}
    assert weights.mean(axis=0) == pytest.approx(np.ones(7), abs=0.1)
    assert np.corrcoef(weights[:, 1], weights[:, 3])[0, 1] < 0  # no unit of two


def test_where_speakers_are_all_right_or_all_wrong_the_variance_is_that_of_speakers():
    right = np.repeat([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0], 40)
    speaker = column(*np.repeat([f"s{i}" for i in range(10)], 40))
    by_speaker, by_clip = (
        means(right, speaker, num_resamples=4000),
        means(right, column(*[None] * 400), num_resamples=4000),
    )
    assert by_speaker.std() == pytest.approx(np.sqrt(0.7 * 0.3 / 10), rel=0.05)
    assert by_clip.std() == pytest.approx(np.sqrt(0.7 * 0.3 / 400), rel=0.05)


def test_the_variance_is_that_between_speakers_and_that_within():
    values = np.random.default_rng(0).normal(size=(8, 25)) + np.linspace(-1, 1, 8)[:, None]
    resampled = means(values.ravel(), column(*np.repeat([f"s{i}" for i in range(8)], 25)), num_resamples=4000)
    expected = values.mean(axis=1).var() / 8 + values.var(axis=1).mean() / 200
    assert resampled.var() == pytest.approx(expected, rel=0.1)
    assert resampled.mean() == pytest.approx(values.mean(), abs=0.03)


def test_a_corpus_is_resampled_alike_whatever_others_there_are():
    random = np.random.default_rng(0)
    speaker = column(*[random.choice([None, "a", "b", "c"]) for _ in range(60)])
    corpus = column(*["beta", "alpha", "alpha"] * 20)
    alpha = corpus == "alpha"
    together = weights_of(corpus, speaker, num_resamples=50)
    alone = weights_of(corpus[alpha], speaker[alpha], num_resamples=50)
    assert np.array_equal(together["alpha"], alone["alpha"])
    other = weights_of(column(*["gamma"] * 40), speaker[alpha], num_resamples=50)["gamma"]
    assert not np.array_equal(alone["alpha"], other)
    assert not np.array_equal(
        alone["alpha"], weights_of(corpus[alpha], speaker[alpha], num_resamples=50, seed=1)["alpha"]
    )


def test_sums_over_parts_are_the_weights_times_the_features():
    random = np.random.default_rng(0)
    corpus, speaker = column(*["alpha", "beta"] * 15), column(*random.choice(["a", "b", "c"], 30))
    features = random.normal(size=(30, 4))
    parts = {"alpha": corpus == "alpha", "some": random.random(30) < 0.5, "none": np.zeros(30, dtype=bool)}
    sums = resampled_sums(features, parts, resample(corpus, speaker, num_resamples=20))
    by_corpus = weights_of(corpus, speaker, num_resamples=20)
    weights = np.empty((20, 30))
    weights[:, corpus == "alpha"], weights[:, corpus == "beta"] = by_corpus["alpha"], by_corpus["beta"]
    for name, part in parts.items():
        assert sums[name] == pytest.approx(weights[:, part] @ features[part])


def test_a_mean_leaves_out_what_has_no_value():
    resampled = [np.array([1.0, np.nan, np.nan]), np.array([3.0, 5.0, np.nan])]
    assert mean_of_corpora(resampled).tolist() == pytest.approx([2.0, 5.0, np.nan], nan_ok=True)


def test_intervals():
    assert interval(np.append(np.arange(1001.0), np.nan)) == pytest.approx([25, 975])
    assert interval(np.array([np.nan])) is None


def test_a_model_is_not_better_than_itself():
    resampled = np.random.default_rng(0).normal(size=1000)
    assert compare(resampled, resampled) == {"difference": 0.0, "ci": [0.0, 0.0], "p": 1.0}


def test_comparison_by_hand():
    better = compare(np.arange(1.0, 100.0), np.zeros(99))
    assert better == {"difference": 50.0, "ci": pytest.approx([3.45, 96.55]), "p": pytest.approx(2 * 1 / 100)}
    assert compare(np.zeros(99), np.arange(1.0, 100.0))["difference"] == -50
    mostly = compare(np.where(np.arange(99) < 9, -1.0, 1.0), np.zeros(99))
    assert mostly["p"] == pytest.approx(2 * 10 / 100)
    gaps = compare(np.array([1.0, np.nan, 2.0]), np.array([0.0, 0.0, np.nan]))
    assert (gaps["difference"], gaps["p"]) == (1.0, 1.0)


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match=r"\(10,\) and \(9,\)"):
        compare(np.zeros(10), np.zeros(9))
    with pytest.raises(ValueError, match="resample"):
        compare(np.array([np.nan]), np.zeros(1))


def test_ten_thousand_clips_take_seconds_and_a_few_megabytes():
    random = np.random.default_rng(0)
    truth, predicted = random.integers(7, size=(2, 10_000))
    corpus, speaker = column(*["alpha"] * 10_000), random.choice(list("stuvwxyz"), 10_000).astype(object)
    features = classification_features(truth, predicted, 7)
    tracemalloc.start()
    start = time.process_time()
    sums = resampled_sums(features, {"all": np.ones(10_000, dtype=bool)}, resample(corpus, speaker))["all"]
    seconds, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert classification_scores(sums)["weighted_f1"].shape == (1000,)
    assert seconds < 10
    assert peak < 40e6  # as float, all weights alone would be 80 MB


def seeded(*means, speakers=0.03, seed=0) -> np.ndarray:
    """Resamples of trainings with these scores: speakers move all of them alike."""
    shift = np.random.default_rng(seed).normal(scale=speakers, size=1000)
    return np.array(means)[:, None] + shift


def test_two_models_that_differ_by_less_than_their_seeds_do_are_not_called_different():
    ours, theirs = seeded(0.70, 0.72, 0.74), seeded(0.71, 0.73, 0.75)
    found = compare(theirs, ours)
    assert found["difference"] == pytest.approx(0.01)
    assert found["ci"][0] < 0 < found["ci"][1]
    assert found["p"] > 0.3
    alone = compare(theirs[1], ours[1])  # one seed each: speakers alone cannot explain even the smallest difference
    assert alone["p"] < 0.01
    assert compare(seeded(0.80, 0.82, 0.84), ours)["p"] < 0.02  # five times the deviation of the seeds


def test_an_interval_over_seeds_is_that_of_student_where_speakers_do_not_matter():
    values = np.array([0.70, 0.71, 0.73, 0.76, 0.78])
    low, high = seeds_interval(seeded(*values, speakers=0.0))
    half = 2.776 * values.std(ddof=1) / np.sqrt(5)
    assert (low, high) == (
        pytest.approx(values.mean() - half, abs=0.006),
        pytest.approx(values.mean() + half, abs=0.006),
    )


def test_seeds_and_speakers_add_up():
    speakers_alone = seeds_interval(seeded(0.7, 0.7, 0.7))
    both = seeds_interval(seeded(0.6, 0.7, 0.8))
    assert both[1] - both[0] > 1.5 * (speakers_alone[1] - speakers_alone[0])
    assert seeds_interval(seeded(0.7)) == interval(seeded(0.7)[0])


def test_seeds_of_two_models_are_resampled_independently():
    ours = seeded(0.70, 0.72, 0.74)
    low, high = compare(ours, ours.copy())["ci"]
    assert low < -0.02 < 0.02 < high
