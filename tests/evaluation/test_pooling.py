from dataclasses import replace

import numpy as np
import pytest
from datasets import Dataset
from scipy.special import softmax

from evaluation.metrics.calibration import fit_temperature
from evaluation.pooling import Predictions, cross_fit_temperatures, fold_scores, pool
from modeling import Task

HERTZ = Task("f0_mean", "regression", "f0_mean", mean=0.0, std=50.0)
PITCH = Task("f0_mean", "regression", "f0_mean", unit="Hz", mean=100.0, std=10.0)


def emotion(*labels, temperature=1.0):
    return Task("emotion", "classification", "emotion", labels=labels, temperature=temperature)


def fold(rows, emotions, tasks, logits):
    count = len(rows)
    clips = {
        "row": rows,
        "id": [f"c/{row}" for row in rows],
        "emotion": emotions,
        "f0_mean": [120.0] * count,
        "corpus": ["c"] * count,
        "locale": ["de-DE"] * count,
        "speaker": [f"s{row}" for row in rows],
        "gender": ["male"] * count,
        "duration_s": [1.0] * count,
        "style": ["acted"] * count,
    }
    return Predictions(Dataset.from_dict(clips), logits, tasks)


@pytest.fixture
def folds():
    """Two folds whose heads have other classes, in another order, and other statistics."""
    first = fold(
        [3, 0], ["sad", "angry"], [emotion("angry", "sad", temperature=4.0), PITCH],
        {"emotion": np.array([[0.0, 2.0], [1.0, 0.0]]), "f0_mean": np.array([[2.0], [0.0]])},
    )  # fmt: skip
    second = fold(
        [1, 2], ["happy", "sad"], [emotion("sad", "happy"), HERTZ],
        {"emotion": np.array([[0.0, 3.0], [0.0, 3.0]]), "f0_mean": np.array([[2.0], [3.0]])},
    )  # fmt: skip
    return [first, second]


def test_predictions_of_all_folds_are_in_the_order_of_the_table(folds):
    pooled = pool(folds)
    assert pooled.clips["id"][:] == ["c/0", "c/1", "c/2", "c/3"]
    task, pitch = pooled.tasks
    assert task.labels == ("angry", "sad", "happy")
    # The first fold's is fitted on the second, where one clip is right and the other is wrong with the same logits: 20,
    # the limit. All clips of the first are right: 1.
    assert task.temperature == pytest.approx(np.sqrt(20), rel=1e-3)
    probabilities = softmax(pooled.logits["emotion"], axis=1)
    scale = 4 / task.temperature**2
    first, last = [*softmax([scale, 0]), 0], [*softmax([0, 2 * scale]), 0]
    expected = [first, [0, *softmax([0, 3])], [0, *softmax([0, 3])], last]
    assert probabilities.tolist() == [pytest.approx(row, abs=1e-12) for row in expected]
    values = pooled.logits["f0_mean"][:, 0] * pitch.std + pitch.mean
    assert values.tolist() == [100.0, 100.0, 150.0, 120.0]


def test_each_fold_is_measured_by_itself(folds):
    scores = fold_scores(folds, folds[0].tasks[0])
    assert [row["weighted_recall"] for row in scores["folds"]] == [1.0, 0.5]
    assert [(row["fold"], row["clips"]) for row in scores["folds"]] == [(1, 2), (2, 2)]
    assert scores["mean"]["weighted_recall"] == 0.75
    assert scores["sd"]["weighted_recall"] == pytest.approx(np.std([1, 0.5], ddof=1))


def test_a_head_that_a_fold_does_not_have_is_left_out(folds):
    first, second = folds
    alone = Predictions(second.clips, {"emotion": second.logits["emotion"]}, second.tasks[:1])
    assert [task.name for task in pool([first, alone]).tasks] == ["emotion"]


def test_the_temperature_of_a_fold_is_fitted_on_all_others():
    random = np.random.default_rng(0)
    targets = [random.integers(3, size=400) for _ in range(3)]
    logits = [
        8 * np.eye(3)[truth] * (random.random((400, 1)) < 0.7) + random.normal(size=(400, 3)) for truth in targets
    ]
    logits[1] = logits[1] * 5  # whose model is more confident, and no more often right
    temperatures = cross_fit_temperatures(logits, targets)
    for fold, others in enumerate(([1, 2], [0, 2], [0, 1])):
        expected = fit_temperature(*(np.concatenate([part[i] for i in others]) for part in (logits, targets)))
        assert temperatures[fold] == expected
    assert temperatures[1] < min(temperatures[0], temperatures[2])


def confident_folds(task, *, absent=()):
    """Two folds of 300 clips with the same overconfident model; `absent` are places of clips of an unknown class."""
    random = np.random.default_rng(1)
    folds = []
    for first in (0, 300):
        truth = random.integers(2, size=300)
        logits = 6 * (2 * (random.random(300) < 0.8) - 1)[:, None] * np.eye(2)[truth]
        emotions = [task.labels[place] for place in truth]
        for place in absent if first == 0 else ():
            emotions[place] = "happy"
        rows = list(range(first, first + 300))
        folds.append(fold(rows, emotions, [task, HERTZ], {"emotion": logits, "f0_mean": np.zeros((300, 1))}))
    return folds


def test_a_clip_of_a_class_that_its_model_lacks_does_not_count_in_the_temperature():
    task = emotion("angry", "sad", temperature=2.0)
    first, second = confident_folds(task, absent=[7])
    other = Predictions(
        second.clips,
        {**second.logits, "emotion": np.pad(second.logits["emotion"], ((0, 0), (0, 1)), constant_values=-500.0)},
        [emotion("angry", "sad", "happy", temperature=2.0), HERTZ],
    )
    assert pool([first, other]).tasks[0].temperature == pytest.approx(
        pool(confident_folds(task)).tasks[0].temperature, rel=0.05
    )


def test_heads_that_were_not_calibrated_and_single_folds_keep_their_outputs():
    for temperature, count in ((1.0, 2), (2.0, 1)):
        task = emotion("angry", "sad", temperature=temperature)
        folds = confident_folds(task)[:count]
        pooled = pool(folds)
        assert pooled.tasks[0].temperature == temperature
        np.testing.assert_allclose(pooled.logits["emotion"], np.concatenate([each.logits["emotion"] for each in folds]))


def test_without_cross_fitting_each_fold_keeps_its_own_temperature():
    folds = confident_folds(emotion("angry", "sad", temperature=2.0))
    pooled = pool(folds, cross_fit=False)
    np.testing.assert_allclose(pooled.logits["emotion"], np.concatenate([each.logits["emotion"] for each in folds]))
    assert pool(folds).tasks[0].temperature != pytest.approx(2.0, rel=0.1)


def test_soft_labels_are_calibrated_to_their_shares():
    """Votes of two to one in every clip, and logits three times as large as those of two thirds."""
    task = replace(emotion("angry", "sad", temperature=2.0), loss="soft")
    folds = []
    for first in (0, 10):
        rows = list(range(first, first + 10))
        plain = fold(rows, ["angry"] * 10, [task], {"emotion": np.tile([3 * np.log(2) / 2.0, 0.0], (10, 1))})
        clips = plain.clips.add_column("emotion:angry", [2.0] * 10).add_column("emotion:sad", [1.0] * 10)
        folds.append(replace(plain, clips=clips))
    pooled = pool(folds)
    assert pooled.tasks[0].temperature == pytest.approx(3.0, rel=1e-3)
    np.testing.assert_allclose(softmax(pooled.logits["emotion"], axis=1), [[2 / 3, 1 / 3]] * 20, rtol=1e-3)
