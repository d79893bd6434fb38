import math

import pytest
import torch

from modeling import Task
from modeling.tasks_ser import RESERVED_NAMES, check_column_names
from tests.conftest import TASKS, tiny_config

EMOTION, GENDER, F0 = TASKS


def test_encode_marks_missing_targets():
    assert [EMOTION.encode(value) for value in ("sad", "angry", None, "bored")] == [2, 0, -100, -100]
    assert F0.encode(200.0) == 200.0
    assert math.isnan(F0.encode(None))


def test_classes_may_be_numbers():
    task = Task("stars", "classification", "stars", labels=("1", "2"))
    assert [task.encode(value) for value in (2, "1", 3)] == [1, 0, -100]


def test_decode_gives_probabilities_and_physical_units():
    assert EMOTION.decode(torch.tensor([[0.0, 0.0, math.log(2)]]))[0].tolist() == pytest.approx([0.25, 0.25, 0.5])
    assert F0.decode(torch.tensor([[0.0], [-1.0]])).tolist() == [180.0, 130.0]


def test_survives_the_way_through_json():
    assert tuple(Task(**task.to_dict()) for task in TASKS) == TASKS


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": "Two Words"}, "'Two Words'"),
        ({"name": "values"}, "'values'"),
        ({"name": "row"}, "'row'"),
        ({"kind": "ranking"}, "kind .*'ranking'"),
        ({"labels": ()}, "labels"),
        ({"labels": ("a", "a")}, "labels"),
        ({"class_weights": (1.0,)}, "class_weights .*2 .*1"),
        ({"kind": "regression", "labels": (), "std": 0.0}, r"std .*0\.0"),
        ({"weight": -1.0}, r"weight .*-1\.0"),
        ({"loss": "ccc"}, "loss .*'ccc'"),
        ({"kind": "regression", "labels": (), "loss": "l1"}, "loss .*'l1'"),
        ({"kind": "regression", "labels": (), "loss": "soft"}, "loss .*'soft'"),
        ({"temperature": 0.0}, r"temperature .*0\.0"),
    ],
)
def test_invalid_fields_are_rejected(fields, named):
    with pytest.raises(ValueError, match=named):
        Task(**{"name": "mood", "kind": "classification", "column": "mood", "labels": ("a", "b"), **fields})


@pytest.mark.parametrize("name", [*sorted(RESERVED_NAMES), "measured_f0_mean", "measured_x"])
def test_a_reserved_name_is_rejected(name):
    with pytest.raises(ValueError, match=name):
        Task(name, "regression", name)


def number(name):
    return Task(name, "regression", name)


@pytest.mark.parametrize(
    ("tasks", "column"),
    [
        ([EMOTION, number("emotion_happy")], "emotion_happy"),
        ([number("emotion_happy"), EMOTION], "emotion_happy"),
        ([EMOTION, number("emotion_score")], "emotion_score"),
        ([EMOTION, number("emotion_predicted")], "emotion_predicted"),
        ([EMOTION, number("emotion_confidence")], "emotion_confidence"),
        ([number("valence"), number("valence_predicted")], "valence_predicted"),
        ([EMOTION, EMOTION], "emotion"),
        ([Task("mood", "classification", "mood", labels=("good", "score"))], "mood_score"),
        ([Task("speech", "classification", "speech", labels=("s", "ms"))], "speech_s"),
        (
            [
                Task("a", "classification", "a", labels=("b_c", "d")),
                Task("a_b", "classification", "a_b", labels=("c", "d")),
            ],
            "a_b_c",
        ),
    ],
)
def test_tasks_that_would_write_one_column_twice_are_rejected(tasks, column):
    with pytest.raises(ValueError, match=f"'{column}'"):
        check_column_names(tasks)
    with pytest.raises(ValueError, match=f"'{column}'"):
        tiny_config(tasks)


def test_names_that_only_begin_alike_stay_apart():
    check_column_names([EMOTION, GENDER, F0, number("emotion_valence"), number("emotional"), number("speech_rate")])
