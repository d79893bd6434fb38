import json
from dataclasses import replace

import pytest
import yaml

from evaluation.reporting.seeds import training_identity
from tests.conftest import TASKS, tiny_config

RECORD = {
    "data": [{"corpus": "mine", "clips": 100}],
    "protocol": "paper",
    "seed": 3,
    "start": "random weights",
    "base_model": None,
    "revision": None,
    "before": None,
    "parameters": {"all": 10, "trained": 5},
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "batch_size": 32,
    "precision": "float32",
    "seconds": 12.5,
    "epochs": 3.0,
}
SETTINGS = {"data": "prepared/demo", "output_dir": "runs/a", "seed": 3, "warmup_steps": 10}


def identity(folder, record=(), settings=(), config=None):
    (folder / "training.json").write_text(json.dumps({**RECORD, **dict(record)}), encoding="utf-8")
    (folder / "train_config.yaml").write_text(yaml.safe_dump({**SETTINGS, **dict(settings)}), encoding="utf-8")
    return training_identity(str(folder), config or tiny_config())


def test_runs_that_differ_in_the_seed_and_in_their_results_are_one_configuration(tmp_path):
    first = identity(tmp_path)
    assert first["seed"] == 3
    calibrated = tiny_config()
    calibrated.set_tasks([replace(task, temperature=1.7 if task.is_classification else 1.0) for task in TASKS])
    again = identity(
        tmp_path, {"seed": 4, "seconds": 99.0, "epochs": 2.0}, {"seed": 4, "output_dir": "runs/b"}, calibrated
    )
    assert again == {"seed": 4, "configuration": first["configuration"]}


@pytest.mark.parametrize(
    ("record", "settings"),
    [
        ({"learning_rate": 1e-4}, {}),
        ({"protocol": "speaker"}, {}),
        ({"data": [{"corpus": "mine", "clips": 101}]}, {}),
        ({"before": {"seed": 0}}, {}),
        ({}, {"warmup_steps": 20}),
    ],
)
def test_what_differs_in_anything_else_is_another_configuration(tmp_path, record, settings):
    assert identity(tmp_path, record, settings)["configuration"] != identity(tmp_path)["configuration"]


def test_other_tasks_or_another_network_are_another_configuration(tmp_path):
    first = identity(tmp_path)["configuration"]
    assert identity(tmp_path, config=tiny_config(TASKS[:2]))["configuration"] != first
    other = tiny_config()
    other.num_hidden_layers += 1
    assert identity(tmp_path, config=other)["configuration"] != first


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"seed": "x"}', "\x00"])
def test_a_folder_without_a_valid_record_has_no_identity(tmp_path, text):
    identity(tmp_path)
    if text is None:
        (tmp_path / "training.json").unlink()
    else:
        (tmp_path / "training.json").write_text(text, encoding="utf-8")
    assert training_identity(str(tmp_path), tiny_config()) == {"seed": None, "configuration": None}
