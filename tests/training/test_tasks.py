import numpy as np
import pytest
from datasets import Dataset

from training.tasks import PAPER_COLUMNS, fit_tasks

COLUMNS = {
    "emotion": ["sad"] * 6 + ["angry"] * 3 + ["bored"] * 1 + [None] * 2,
    "gender": ["male"] * 6 + ["female"] * 6,
    "locale": ["pl-PL"] * 4 + ["de-DE"] * 4 + ["xx-XX"] * 4,
    "f0_mean": [100.0, 200.0, None, 300.0] + [200.0] * 8,
    "rating": [1.0, 2.0, 3.0] * 4,
    "empty": [None] * 12,
    "constant": ["same"] * 12,
}


@pytest.fixture(scope="module")
def clips() -> Dataset:
    return Dataset.from_dict(COLUMNS)


def test_labels_come_in_the_order_of_the_project_and_beyond_it_alphabetically(clips):
    emotion, gender, language = fit_tasks(["emotion", "gender", "language"], {}, clips)
    assert emotion.labels == ("angry", "sad", "bored")
    assert gender.labels == ("female", "male")
    assert language.labels == ("de-DE", "pl-PL", "xx-XX")
    assert language.column == "locale"


def test_a_class_weighs_the_inverse_of_its_share_and_a_clip_one_on_average(clips):
    (task,) = fit_tasks(["emotion"], {}, clips)
    weights = dict(zip(task.labels, task.class_weights, strict=True))
    assert weights["angry"] / weights["sad"] == pytest.approx(6 / 3)
    assert weights["bored"] / weights["sad"] == pytest.approx(6 / 1)
    assert np.mean([weights[label] for label in COLUMNS["emotion"] if label]) == pytest.approx(1)


def test_a_number_is_standardised_over_the_clips_that_have_one(clips):
    (task,) = fit_tasks(["f0_mean"], {"f0_mean": 0.5}, clips)
    values = [value for value in COLUMNS["f0_mean"] if value is not None]
    assert (task.mean, task.std, task.unit, task.weight) == (np.mean(values), np.std(values), "Hz", 0.5)


def test_a_column_of_numbers_can_be_classes_where_the_user_says_so(clips):
    regression, classes = (fit_tasks([name], {}, clips)[0] for name in ("rating", "rating:classification"))
    assert not regression.is_classification
    assert classes.labels == ("1.0", "2.0", "3.0")
    assert classes.encode(2.0) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("valence", "no column 'valence'"),
        ("empty", "no training clip has a value"),
        ("constant", "all 12 training clips have the value 'same'"),
        ("gender:regression", "needs numbers"),
        ("gender:guess", "kind"),
    ],
)
def test_what_cannot_be_learned_is_refused(clips, name, message):
    with pytest.raises(ValueError, match=message):
        fit_tasks([name], {}, clips)


def test_the_eight_tasks_of_the_paper_fit_prepared_clips(splits):
    tasks = fit_tasks(list(PAPER_COLUMNS), {}, splits["train"])
    assert [task.name for task in tasks] == list(PAPER_COLUMNS)
    assert sum(task.is_classification for task in tasks) == 3
