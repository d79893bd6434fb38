import json

import pytest
import yaml

from common.checkpoint_files import weights_sha256
from tests.training.conftest import job
from training.recipe import check_recipe, recipe_temperatures, write_recipe_metrics

SETTINGS = {"learning_rate": 1e-3, "protocol": "folds:2", "seed": 1}


def write_metrics(folder, **temperatures):
    tasks = {name: {"calibration": {"temperature": temperature}} for name, temperature in temperatures.items()}
    report = {"clips": 7, "model": "runs/folds", "weights_sha256": ["a", "b"], "tasks": {"f0_mean": {}, **tasks}}
    (folder / "seed-1/metrics.json").write_text(json.dumps(report))


@pytest.fixture
def folds(tiny_model, tmp_path):
    for fold in ("seed-1/fold-1", "seed-1/fold-2"):
        tiny_model.save_pretrained(tmp_path / fold)
        (tmp_path / fold / "train_config.yaml").write_text(yaml.safe_dump(SETTINGS))
    write_metrics(tmp_path, emotion=4.0, gender=1.0)
    return tmp_path


def test_the_temperatures_are_those_of_the_pooled_folds(tiny_model, folds):
    found = recipe_temperatures(str(folds), tiny_model.config.get_tasks())
    assert found == {"emotion": 4.0, "gender": 1.0}


def test_folds_that_are_missing_unfinished_or_without_a_head_are_refused(tiny_model, folds, tmp_path):
    tasks = tiny_model.config.get_tasks()
    check_recipe(str(folds), tasks, {**SETTINGS, "protocol": "all", "seed": 2})
    with pytest.raises(ValueError, match="nowhere"):
        check_recipe(str(tmp_path / "nowhere"), tasks, SETTINGS)
    write_metrics(folds, emotion=4.0)
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
