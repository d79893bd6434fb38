import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.plan import EvaluationPlan, check_conditions, plan_evaluation
from modeling import Task
from preprocessing.augmentation.conditions import parse_conditions
from tests.conftest import TASKS, tiny_config
from tests.support.checkpoints import save_checkpoint


def test_data_measured_over_another_length_are_refused(checkpoint, prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "copy")
    path = tmp_path / "copy" / "report.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"max_duration_s": 6.0', '"max_duration_s": 3.0'))
    with pytest.raises(ValueError, match=r"6\.0 s .* 3\.0 s: .*--max_duration_s 6\.0"):
        plan_evaluation(str(checkpoint), tmp_path / "copy", "paper")


def test_a_head_of_another_unit_is_not_compared_with_the_data(prepared, feature_extractor, tmp_path, caplog):
    energy = Task("energy_mean", "regression", "energy_mean", mean=335.0, std=20.0)  # as it was at unit variance
    folder = save_checkpoint(tmp_path / "old", feature_extractor, (TASKS[0], energy))
    planned = plan_evaluation(str(folder), prepared, "paper")
    assert [task.name for task in planned.tasks] == ["emotion"]
    (warning,) = [record.getMessage() for record in caplog.records if "energy_mean" in record.getMessage()]
    assert "FS" in warning
    save_checkpoint(tmp_path / "new", feature_extractor, (TASKS[0], replace(energy, unit="FS")))
    assert len(plan_evaluation(str(tmp_path / "new"), prepared, "paper").tasks) == 2


def planned(tasks):
    return EvaluationPlan("runs/a", Path("data"), "paper", {}, "test", tiny_config(tasks), list(tasks), False)


def test_a_condition_that_changes_what_the_main_task_predicts_is_refused():
    pitch = planned((Task("f0_mean", "regression", "f0_mean", unit="Hz", mean=180.0, std=50.0),))
    emotion = planned((Task("emotion", "classification", "emotion", labels=("angry", "happy", "sad")),))
    check_conditions(parse_conditions(["noise:10", "gain:-20"]), [emotion, pitch])
    check_conditions(parse_conditions(["speed:1.1"]), [emotion])
    with pytest.raises(ValueError, match=r"speed:1\.1 changes f0_mean"):
        check_conditions(parse_conditions(["speed:1.1"]), [emotion, pitch])
