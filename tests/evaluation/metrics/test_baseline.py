import numpy as np
import pytest
from datasets import Dataset, DatasetDict

from evaluation.metrics.baseline import baseline_logits, check_baseline, mfcc_statistics
from modeling import Task
from preprocessing.prepared.load import load_prepared
from tests.conftest import voice

EMOTION = Task("emotion", "classification", "emotion", labels=("angry", "happy", "sad"))


@pytest.fixture(scope="module")
def predicted(prepared):
    """Splits of which angry clips have no label, and the baseline's predictions of the test clips."""
    splits = load_prepared(prepared, "paper")
    splits = DatasetDict(
        {
            name: clips.map(lambda row: {"emotion": None if row["emotion"] == "angry" else row["emotion"]})
            for name, clips in splits.items()
        }
    )
    return splits, baseline_logits(splits, "test", EMOTION, 6.0)


def test_statistics_depend_on_the_voice_and_not_on_the_length():
    low, longer, high = (mfcc_statistics(voice(seconds, f0)) for seconds, f0 in ((1, 110), (2, 110), (1, 300)))
    assert low.shape == (60,)
    assert np.linalg.norm(low - longer) < 0.3 * np.linalg.norm(low - high)


@pytest.mark.parametrize("samples", [1, 400, 4000])
def test_a_clip_of_any_length_and_silence_have_finite_statistics(samples):
    assert np.isfinite(mfcc_statistics(np.zeros(samples, np.float32))).all()
    assert np.isfinite(mfcc_statistics(np.random.default_rng(0).normal(size=samples).astype(np.float32))).all()


@pytest.mark.slow
def test_it_is_better_than_chance_where_voices_differ(predicted):
    splits, logits = predicted
    emotions, corpora = splits["test"]["emotion"][:], splits["test"]["corpus"][:]
    kept = [i for i, emotion in enumerate(emotions) if emotion and corpora[i] == "alpha"]  # beta is noise
    truth = [EMOTION.labels.index(splits["test"][i]["emotion"]) for i in kept]
    assert {1, 2} == set(truth)
    assert (logits[kept].argmax(axis=1) == truth).mean() >= 0.75


@pytest.mark.slow
def test_it_predicts_one_label_per_clip_and_none_that_training_lacks(predicted):
    splits, logits = predicted
    assert logits.shape == (len(splits["test"]), 3)
    assert (logits.sum(axis=1) == 1).all()
    assert not logits[:, 0].any()


@pytest.mark.slow
def test_it_processes_the_beginning_that_the_model_processes(predicted):
    splits, logits = predicted
    assert (baseline_logits(splits, "test", EMOTION, 0.15) != logits).any()


@pytest.mark.slow
def test_it_predicts_the_same_twice(predicted):
    splits, logits = predicted
    assert np.array_equal(baseline_logits(splits, "test", EMOTION, 6.0), logits)


@pytest.mark.parametrize(
    ("task", "train", "message"),
    [
        (Task("f0_mean", "regression", "f0_mean"), ["happy"], "f0_mean"),
        (EMOTION, [None, "proud"], "train.* 2 .*emotion"),
        (EMOTION, [None, "sad", "sad", "proud"], "train.* 2 .*emotion"),
    ],
)
def test_what_it_cannot_be_trained_on_is_refused(task, train, message):
    splits = DatasetDict(
        {
            "train": Dataset.from_dict({"emotion": train, "f0_mean": [1.0] * len(train)}),
            "test": Dataset.from_dict({"emotion": ["sad"], "f0_mean": [1.0]}),
        }
    )
    with pytest.raises(ValueError, match=message):
        check_baseline(splits, "test", task)
    with pytest.raises(ValueError, match="train"):
        check_baseline(DatasetDict({"test": splits["test"]}), "test", EMOTION)
    with pytest.raises(ValueError, match="validation"):
        check_baseline(splits, "validation", EMOTION)
