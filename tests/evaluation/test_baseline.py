import numpy as np
import pytest
from datasets import Dataset, DatasetDict

from evaluation.baseline import FEATURES, check_baseline, random_forest_logits
from modeling import Task
from preprocessing.acoustics import ACOUSTIC_TARGETS

EMOTION = Task("emotion", "classification", "emotion", labels=("angry", "happy", "sad"))


def toy(size, seed, unvoiced=0.0, unlabelled=0.0):
    """Clips whose emotion is happy above 200 Hz and sad below, unless the pitch is missing: those are sad."""
    random = np.random.default_rng(seed)
    columns = {name: random.normal(size=size) for name in FEATURES}
    pitch = random.uniform(100, 300, size)
    missing = random.random(size) < unvoiced
    emotion = np.where((pitch > 200) & ~missing, "happy", "sad")
    return Dataset.from_dict(
        {
            **columns,
            "f0_mean": [None if gone else value for gone, value in zip(missing, pitch, strict=True)],
            "emotion": [
                None if draw < unlabelled else str(e) for draw, e in zip(random.random(size), emotion, strict=True)
            ],
        }
    )


@pytest.fixture(scope="module")
def learned():
    """Test clips, and what a forest says about them that was trained with gaps in pitches and labels."""
    splits = DatasetDict({"train": toy(200, 0, 0.3, 0.2), "test": toy(60, 1, 0.3)})
    return splits, random_forest_logits(splits, "test", EMOTION)


def test_it_sees_all_that_was_measured_and_the_duration():
    assert set(FEATURES) == {*ACOUSTIC_TARGETS, "duration_s"}


def test_it_learns_what_the_columns_tell(learned):
    splits, logits = learned
    truth = [EMOTION.labels.index(emotion) for emotion in splits["test"]["emotion"]]
    assert (logits.argmax(axis=1) == truth).mean() > 0.9
    assert truth.count(1) > 10


def test_a_missing_pitch_is_a_value_like_any_other(learned):
    splits, logits = learned
    unvoiced = np.array([pitch is None for pitch in splits["test"]["f0_mean"]])
    assert unvoiced.sum() > 10
    assert (logits[unvoiced].argmax(axis=1) == EMOTION.labels.index("sad")).all()


def test_it_gives_a_log_probability_per_clip_and_label(learned):
    _, logits = learned
    assert logits.shape == (60, 3)
    assert np.isfinite(logits).all()
    assert np.exp(logits).sum(axis=1) == pytest.approx(np.ones(60))


def test_a_class_that_training_lacks_gets_no_probability(learned):
    _, logits = learned
    angry = np.exp(logits[:, EMOTION.labels.index("angry")])
    assert (angry < 1e-12).all()


def test_it_says_the_same_twice(learned):
    splits, logits = learned
    assert np.array_equal(random_forest_logits(splits, "test", EMOTION), logits)


@pytest.mark.parametrize(
    ("task", "train", "message"),
    [
        (Task("f0_mean", "regression", "f0_mean"), ["happy"], "the main task, f0_mean, is a number"),
        (EMOTION, [None, "proud"], "needs train clips with a label of emotion that the model knows"),
    ],
)
def test_what_it_cannot_learn_is_refused(task, train, message):
    splits = DatasetDict(
        {
            "train": Dataset.from_dict({"emotion": train, "f0_mean": [1.0] * len(train)}),
            "test": Dataset.from_dict({"emotion": ["sad"], "f0_mean": [1.0]}),
        }
    )
    with pytest.raises(ValueError, match=message):
        check_baseline(splits, "test", task)
    with pytest.raises(ValueError, match="needs train clips"):
        check_baseline(DatasetDict({"test": splits["test"]}), "test", EMOTION)
