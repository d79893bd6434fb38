import numpy as np
import pytest
from datasets import Dataset

from evaluation.metrics.compute import compute_metrics
from evaluation.metrics.robustness import CLEAN, measure_conditions
from modeling import Task

EMOTION = Task("emotion", "classification", "emotion", labels=("angry", "sad"))
VALENCE = Task("valence", "regression", "valence")


@pytest.fixture
def clips():
    """Two corpora of 40 clips by 4 speakers each, a third of 4 clips, and a clip without labels."""
    corpus = ["alpha"] * 40 + ["beta"] * 40 + ["few"] * 4 + ["alpha"]
    return Dataset.from_dict(
        {
            "emotion": ["angry", "sad"] * 42 + [None],
            "valence": [*np.linspace(-1, 1, 84).tolist(), None],
            "corpus": corpus,
            "locale": ["de-DE"] * 85,
            "speaker": [f"s{index % 4}" for index in range(84)] + ["s0"],
            "gender": ["male"] * 85,
            "duration_s": [2.0] * 85,
            "style": ["acted"] * 85,
        }
    )


def logits(wrong):
    """Of a head that is right on all clips but these."""
    right = np.tile(np.eye(2), (43, 1))[:85]
    right[wrong] = right[wrong][:, ::-1]
    return right


def test_each_condition_has_its_metric_and_its_paired_difference_from_clean(clips):
    clean, noisy = logits([0, 1]), logits([0, 1, *range(8, 20), 41])
    result = measure_conditions(clips, EMOTION, {CLEAN: clean, "noise:10": noisy})
    for name, values in ((CLEAN, clean), ("noise:10", noisy)):
        expected = compute_metrics(clips, {"emotion": values}, [EMOTION])["emotion"]
        for corpus, row in expected["corpora"].items():
            for key in ("weighted_f1", "weighted_f1_ci", "clips", "speakers"):
                assert result[name]["corpora"][corpus][key] == row[key]
        for key in ("weighted_f1", "weighted_f1_ci"):
            assert result[name]["mean_over_corpora"][key] == pytest.approx(expected["mean_over_corpora"][key])
    assert "change" not in result[CLEAN]["mean_over_corpora"]
    noise = result["noise:10"]
    alpha, few = noise["corpora"]["alpha"]["change"], noise["corpora"]["few"]["change"]
    assert alpha["difference"] == pytest.approx(-0.3, abs=0.02)
    assert alpha["ci"][0] < alpha["difference"] < alpha["ci"][1] < 0
    assert alpha["p"] < 0.05
    assert (few["difference"], few["ci"], few["p"]) == (0, None, None)
    assert "4" in few["ci_reason"]
    mean = noise["mean_over_corpora"]["change"]
    parts = [row["change"]["difference"] for row in noise["corpora"].values()]
    assert mean["difference"] == pytest.approx(np.mean(parts))


def test_the_same_predictions_do_not_differ(clips):
    same = measure_conditions(clips, EMOTION, {CLEAN: logits([3]), "gain:-20": logits([3])})["gain:-20"]
    change = same["mean_over_corpora"]["change"]
    assert (change["difference"], change["ci"], change["p"]) == (0, [0, 0], 1)


def test_a_regression_is_compared_by_its_concordance(clips):
    predicted = np.linspace(-1, 1, 85)[:, None]
    result = measure_conditions(
        clips, VALENCE, {CLEAN: predicted, "room:0.4": 0.5 * predicted, "clip:5": 0 * predicted}
    )
    assert result["room:0.4"]["mean_over_corpora"]["change"]["difference"] < -0.1
    assert result[CLEAN]["corpora"]["alpha"]["ccc"] > 0.9


def test_without_labels_there_is_nothing_to_measure(clips):
    assert measure_conditions(clips.select([84]), EMOTION, {CLEAN: logits([])[:1]}) == {}
