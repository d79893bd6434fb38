import numpy as np
import pytest
from datasets import Dataset

from evaluation.metrics.compute import compute_metrics
from evaluation.metrics.distribution import measure_distribution
from modeling import Task

SOFT = Task("emotion", "classification", "emotion", labels=("angry", "sad"), loss="soft")


def table(size, **columns):
    others = {name: [None] * size for name in ("locale", "speaker", "gender", "style", "emotion")}
    return Dataset.from_dict({"corpus": ["a"] * size, "duration_s": [2.0] * size, **others, **columns})


def logits(*shares):
    return np.log(np.maximum(np.array(shares, dtype=float), 1e-30))


def divergence(p, q):
    """Of two distributions over two labels, to base 2."""
    mean = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return sum(a / 2 * np.log2(a / m) for side in (p, q) for a, m in zip(side, mean, strict=True) if a)


def test_the_distance_is_0_for_the_votes_themselves_1_for_other_labels_and_else_by_the_formula():
    clips = table(
        4,
        **{
            "corpus": ["a", "a", "b", "b"],
            "emotion:angry": [3.0, 1.0, 1.0, None],
            "emotion:sad": [1.0, 0.0, 1.0, None],
            "emotion": [None, None, None, "sad"],
        },
    )
    predicted = logits([0.75, 0.25], [0.0, 1.0], [0.9, 0.1], [1.0, 0.0])
    found = measure_distribution(clips, predicted, SOFT, intervals=False)
    third = np.sqrt(divergence([0.5, 0.5], [0.9, 0.1]))
    assert found["corpora"]["a"] == {"jensen_shannon": pytest.approx(0.5, abs=1e-6), "clips": 2}
    assert found["corpora"]["b"] == {"jensen_shannon": pytest.approx(third, abs=1e-6), "clips": 1}
    assert found["pooled"]["jensen_shannon"] == pytest.approx((1 + third) / 3, abs=1e-6)
    assert (found["clips_without_votes"], found["clips_without_majority"]) == (1, 1)


def test_a_label_that_the_head_lacks_is_predicted_with_probability_0():
    clips = table(1, **{"emotion:calm": [2.0], "emotion:angry": [0.0]})
    found = measure_distribution(clips, logits([0.5, 0.5]), SOFT, intervals=False)
    assert found["pooled"]["jensen_shannon"] == pytest.approx(1)


def test_no_vote_at_all_is_counted_and_has_no_distance():
    clips = table(3, emotion=["sad", None, "angry"])
    expected = {"pooled": None, "corpora": {}, "clips_without_votes": 2, "clips_without_majority": 0}
    assert measure_distribution(clips, np.zeros((3, 2)), SOFT) == expected


def test_other_metrics_count_the_majority_and_the_distance_has_an_interval():
    random = np.random.default_rng(0)
    votes = random.integers(0, 5, size=(60, 2)) + np.array([1, 0])
    clips = table(
        60,
        speaker=[f"s{i % 6}" for i in range(60)],
        emotion=["angry"] * 60,
        **{"emotion:angry": votes[:, 0].astype(float), "emotion:sad": votes[:, 1].astype(float)},
    )
    shares = votes / votes.sum(axis=1, keepdims=True)
    found = compute_metrics(clips, {"emotion": logits(*(0.9 * shares + 0.05))}, [SOFT])["emotion"]
    assert found["pooled"]["weighted_recall"] == 1
    assert found["clips"] == 60  # a tie is decided by the label
    row = found["distribution"]["pooled"]
    assert row["jensen_shannon_ci"][0] < row["jensen_shannon"] < row["jensen_shannon_ci"][1]


def test_a_head_without_soft_labels_has_no_distribution():
    hard = Task("emotion", "classification", "emotion", labels=("angry", "sad"))
    clips = table(2, emotion=["sad", "angry"], **{"emotion:angry": [1.0, 1.0]})
    found = compute_metrics(clips, {"emotion": np.eye(2)}, [hard])["emotion"]
    assert "distribution" not in found
    assert found["pooled"]["weighted_recall"] == 0
