from pathlib import Path

import pytest

from evaluation.plan import EvaluationPlan
from evaluation.repetitions import Repetition, check_together
from modeling import Task
from tests.conftest import tiny_config

EMOTION = Task("emotion", "classification", "emotion", labels=("angry", "happy", "sad"))
GENDER = Task("gender", "classification", "gender", labels=("female", "male"))
PITCH = Task("f0_mean", "regression", "f0_mean", unit="Hz", mean=180.0, std=50.0)


def planned(checkpoint="runs/a", protocol="paper", tasks=(EMOTION, GENDER), model=None):
    plan = EvaluationPlan(checkpoint, Path("data"), protocol, {}, "test", tiny_config(tasks), list(tasks), False)
    return Repetition(checkpoint, model or checkpoint, protocol, [plan])


def test_seeds_of_one_model_may_have_the_same_corpus_left_out():
    check_together([planned(f"runs/a/seed-{seed}", "loco:tess", model="runs/a") for seed in (1, 2)], "runs/a")


@pytest.mark.parametrize(
    ("plans", "message"),
    [
        ([planned(), planned("runs/b", tasks=(GENDER, PITCH))], "emotion, gender"),
        ([planned(), planned("runs/b/../a")], "runs/a .*2"),
        ([planned(protocol="loco:tess"), planned("runs/b", protocol="loco:tess")], r"2 .* loco:tess"),
    ],
)
def test_what_one_report_cannot_hold_is_refused(plans, message):
    with pytest.raises(ValueError, match=message):
        check_together(plans)


def test_what_one_report_can_hold_passes():
    plans = [planned(), planned("runs/b"), planned("runs/c", "loco:tess"), planned("runs/d", "loco:emodb")]
    check_together(plans)


def test_the_reference_is_a_checkpoint_that_is_given():
    check_together([planned(), planned("runs/b")], "runs/b")
    with pytest.raises(ValueError, match="runs/c"):
        check_together([planned(), planned("runs/b")], "runs/c")
