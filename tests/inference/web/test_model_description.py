import json
import shutil

import pytest

from common.checkpoint_files import weights_sha256
from inference.web.model_description import ModelDescription, load_model_description
from preprocessing.demo.corpus import CORPORA

EMOTION = {"kind": "classification", "clips": 1340, "mean_over_corpora": {"weighted_f1": 0.863}}


def training(*corpora, locales=("de-DE", "el-EL"), before=None):
    return {"data": [{"corpus": corpus} for corpus in corpora], "locales": [*locales], "before": before}


def metrics(**fields):
    return {"main_task": "emotion", "split": "test", "tasks": {"emotion": EMOTION}, **fields}


@pytest.fixture
def describe(checkpoint, tmp_path):
    """What is known of a checkpoint that has such files, by what they hold."""

    def load(**files):
        folder = shutil.copytree(checkpoint, tmp_path / "my-model")
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (folder / f"{name}.json").write_text(text, encoding="utf-8")
        return load_model_description(str(folder))

    return load


def test_a_model_has_its_name_languages_and_quality(describe):
    earlier = training("emodb", locales=["zh-Hans", "de-DE", "xx-Own"])
    loaded = describe(training=training("ravdess", before=earlier), metrics=metrics())
    assert loaded.name == "my-model"
    assert loaded.languages == ("Chinese", "German", "Greek", "Xx-Own")
    assert not loaded.is_synthetic
    for word in ("0.86", "1,340", "emotion", "test"):
        assert word in loaded.quality


def test_an_interval_is_part_of_the_quality(describe):
    main = {**EMOTION, "mean_over_corpora": {"weighted_f1": 0.863, "weighted_f1_ci": [0.8249, 0.905]}}
    assert "0.82 to 0.91" in describe(metrics=metrics(tasks={"emotion": main})).quality.replace("0.90)", "0.91)")


def test_synthetic_speech_is_identified_by_the_data(describe):
    assert describe(training=training(*CORPORA)).is_synthetic


@pytest.mark.parametrize(
    "record", [training(CORPORA[0], "mine"), training(CORPORA[0], before=training("mine")), training()]
)
def test_a_model_trained_on_people_is_not_synthetic(describe, record):
    assert not describe(training=record).is_synthetic


def test_figures_of_other_weights_are_ignored(describe, checkpoint):
    measured = metrics(weights_sha256=weights_sha256(checkpoint))
    assert describe(metrics={**measured, "weights_sha256": "0" * 64}).quality == ""


def test_figures_of_these_weights_count(describe, checkpoint):
    assert describe(metrics=metrics(weights_sha256=weights_sha256(checkpoint))).quality


@pytest.mark.parametrize("content", ["{", "[]", "{}", "null", '{"data": 3, "main_task": "emotion", "tasks": []}'])
def test_what_is_missing_or_damaged_is_left_empty(describe, content):
    assert describe(training=content, metrics=content) == ModelDescription("my-model")


def test_a_measure_that_is_not_a_number_is_left_empty(describe):
    main = {**EMOTION, "mean_over_corpora": {"weighted_f1": float("nan")}}
    assert describe(metrics=metrics(tasks={"emotion": main})).quality == ""
