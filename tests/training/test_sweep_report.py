import pytest
from optuna.trial import TrialState, create_trial

from training.sweep_report import Point, format_sweep, summarize

GOOD, BETTER, FAILED = Point(1e-3, 0.0), Point(1e-4, 0.0), Point(1e-2, 0.0)
TRIALS = {
    GOOD.name: create_trial(value=0.5, user_attrs={"epoch": 3.0, "checkpoint": "checkpoint-9"}),
    BETTER.name: create_trial(value=0.25, user_attrs={"epoch": 2.0, "checkpoint": "checkpoint-6"}),
    FAILED.name: create_trial(state=TrialState.FAIL, user_attrs={"reason": "diverged"}),
}


def test_a_point_is_named_by_its_numbers():
    assert Point(1e-3, 1e-5).name == "lr1e-3-wd1e-5"
    assert Point(2.5e-4, 0.0).name == "lr2.5e-4-wd0"


@pytest.mark.parametrize(("greater_is_better", "best"), [(True, GOOD), (False, BETTER)])
def test_the_best_point_depends_on_the_metric(greater_is_better, best):
    report = summarize([GOOD, BETTER, FAILED], TRIALS, "loss", greater_is_better)
    assert report["best"] == best.name
    assert [entry["state"] for entry in report["points"]] == ["complete", "complete", "failed"]


def test_a_sweep_whose_points_failed_has_no_best():
    report = summarize([FAILED], TRIALS, "loss", False)
    assert (report["best"], report["points"][0]["value"]) == (None, None)


def test_the_table_has_every_point_and_marks_the_best():
    lines = format_sweep(summarize([GOOD, BETTER, FAILED], TRIALS, "loss", False)).splitlines()[1:]
    assert [line.split()[0] for line in lines] == [GOOD.name, BETTER.name, FAILED.name]
    assert [line.endswith(" best") for line in lines] == [False, True, False]
    assert "diverged" in lines[2]
