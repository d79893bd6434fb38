import copy
import json

import pytest
import yaml

from common.checkpoint_files import weights_sha256
from modeling import Wav2Vec2ForMultiTaskSER
from tests.conftest import TASKS, tiny_config
from tests.training.conftest import job
from training.calibrate import apply_temperatures
from training.recipe import check_recipe, recipe_temperatures, write_recipe_metrics

SETTINGS = {"learning_rate": 1e-3, "protocol": "folds:2", "seed": 1}


def save_fold(model, folder, temperatures):
    fold = copy.deepcopy(model)
    apply_temperatures(fold, temperatures)
    fold.save_pretrained(folder)
    (folder / "train_config.yaml").write_text(yaml.safe_dump(SETTINGS))


@pytest.fixture
def folds(tiny_model, tmp_path):
    save_fold(tiny_model, tmp_path / "seed-1/fold-1", {"emotion": 2.0, "gender": 1.0})
    save_fold(tiny_model, tmp_path / "seed-1/fold-2", {"emotion": 8.0, "gender": 1.0})
    report = {"clips": 7, "model": "runs/folds", "weights_sha256": ["a", "b"]}
    (tmp_path / "seed-1/metrics.json").write_text(json.dumps(report))
    return tmp_path


def test_the_temperatures_are_the_geometric_mean_of_the_folds(tiny_model, folds):
    found = recipe_temperatures(str(folds), tiny_model.config.get_tasks())
    assert found == pytest.approx({"emotion": 4.0, "gender": 1.0})


def test_folds_that_are_missing_unfinished_or_without_a_head_are_refused(tiny_model, folds, tmp_path):
    tasks = tiny_model.config.get_tasks()
    check_recipe(str(folds), tasks, {**SETTINGS, "protocol": "all", "seed": 2})
    with pytest.raises(ValueError, match="nowhere"):
        check_recipe(str(tmp_path / "nowhere"), tasks, SETTINGS)
    Wav2Vec2ForMultiTaskSER(tiny_config(tasks=TASKS[:1])).save_pretrained(folds / "seed-1/fold-2")
    with pytest.raises(ValueError, match="gender"):
        check_recipe(str(folds), tasks, SETTINGS)
    (folds / "seed-1/metrics.json").unlink()
    with pytest.raises(ValueError, match=r"metrics\.json"):
        check_recipe(str(folds), tasks, SETTINGS)


def test_folds_that_were_trained_otherwise_are_refused_by_the_name_of_the_setting(tiny_model, folds):
    for other in ({**SETTINGS, "learning_rate": 1e-4}, {**SETTINGS, "augment": ["noise"]}):
        with pytest.raises(ValueError, match=r"learning_rate|augment"):
            check_recipe(str(folds), tiny_model.config.get_tasks(), other)


def test_its_metrics_are_those_of_the_folds_and_name_the_weights_that_were_tested(tiny_model, folds, tmp_path):
    released = tmp_path / "released"
    tiny_model.save_pretrained(released)
    write_recipe_metrics(str(folds), released)
    metrics = json.loads((released / "metrics.json").read_text())
    assert metrics["clips"] == 7
    assert metrics["tested"] == ["a", "b"]
    assert metrics["weights_sha256"] == weights_sha256(released)


def test_a_model_of_another_protocol_has_figures_of_its_own(arguments, folds):
    with pytest.raises(ValueError, match="--protocol paper"):
        job([*arguments, "--recipe_of", str(folds)])
