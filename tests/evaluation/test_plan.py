import shutil
from dataclasses import replace

import pytest

from evaluation.plan import plan_evaluation
from modeling import Task
from tests.conftest import TASKS
from tests.evaluation.test_run import save


def test_data_measured_over_another_length_are_refused(checkpoint, prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "copy")
    path = tmp_path / "copy" / "report.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"max_duration_s": 6.0', '"max_duration_s": 3.0'))
    with pytest.raises(ValueError, match=r"6\.0 s .* 3\.0 s: .*--max_duration_s 6\.0"):
        plan_evaluation(str(checkpoint), tmp_path / "copy", "paper")


def test_a_head_of_another_unit_is_not_compared_with_the_data(prepared, feature_extractor, tmp_path, caplog):
    energy = Task("energy_mean", "regression", "energy_mean", mean=335.0, std=20.0)  # as it was at unit variance
    folder = save(tmp_path / "old", feature_extractor, (TASKS[0], energy))
    planned = plan_evaluation(str(folder), prepared, "paper")
    assert [task.name for task in planned.tasks] == ["emotion"]
    assert "The head energy_mean is not evaluated" in caplog.text
    assert "FS" in caplog.text
    save(tmp_path / "new", feature_extractor, (TASKS[0], replace(energy, unit="FS")))
    assert len(plan_evaluation(str(tmp_path / "new"), prepared, "paper").tasks) == 2
