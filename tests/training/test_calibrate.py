import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from datasets import Value, concatenate_datasets

from evaluation.predict import predict
from modeling import SpeechEmotionPipeline, Wav2Vec2ForMultiTaskSER
from preprocessing.stored_audio import stored_waveform
from tests.conftest import TASKS, tiny_config
from training.calibrate import calibrate


@pytest.fixture
def confident(tiny_model):
    """A model that is far too sure of itself."""
    tiny_model.heads.apply_temperature({"emotion": 0.2, "gender": 0.2})
    return tiny_model


@pytest.fixture
def clips(confident, feature_extractor, splits):
    """Validation clips, whose label is the predicted emotion in two of three."""
    validation = splits["validation"]
    predicted = predict(confident, feature_extractor, validation)["emotion"].argmax(axis=1)
    emotions = [TASKS[0].labels[(label + (index % 3 == 0)) % 3] for index, label in enumerate(predicted)]
    return validation.remove_columns("emotion").add_column("emotion", emotions)


@pytest.fixture
def calibrated(confident, feature_extractor, clips, tmp_path):
    model = copy.deepcopy(confident)
    return model, calibrate(model, feature_extractor, clips, tmp_path)


def test_calibration_lowers_the_loss_and_is_written_down(confident, feature_extractor, clips, tmp_path, caplog):
    model, report = confident, calibrate(confident, feature_extractor, clips, tmp_path)
    assert json.loads((tmp_path / "calibration.json").read_text()) == report
    assert report.keys() == {"emotion", "gender"}
    assert report["emotion"].keys() == {"temperature", "at_bound", "clips", "before", "after"}
    assert report["emotion"]["at_bound"] is False
    for name, head in report.items():
        assert head["after"]["log_loss"] < head["before"]["log_loss"]
        labeled = [value for value in clips[name] if value is not None]
        assert head["clips"] == len(labeled)
        assert f"Calibration of {name} on {head['clips']} validation clips" in caplog.text
    temperatures = {task.name: task.temperature for task in model.config.get_tasks()}
    assert temperatures == {name: head["temperature"] for name, head in report.items()} | {"f0_mean": 1.0}
    assert 1 < temperatures["emotion"] < 20


def test_the_logits_are_scaled_and_predictions_are_kept(calibrated, confident, feature_extractor, splits):
    model, report = calibrated
    before, after = (predict(each, feature_extractor, splits["test"]) for each in (confident, model))
    for name, head in report.items():
        assert after[name] == pytest.approx(before[name] / head["temperature"], abs=1e-5)
        assert (after[name].argmax(axis=1) == before[name].argmax(axis=1)).all()
    assert np.array_equal(after["f0_mean"], before["f0_mean"])


def test_the_scores_of_the_pipeline_are_the_calibrated_ones(calibrated, confident, feature_extractor, splits, tmp_path):
    model, report = calibrated
    model.save_pretrained(tmp_path)
    loaded = Wav2Vec2ForMultiTaskSER.from_pretrained(tmp_path)
    assert loaded.config.get_tasks() == model.config.get_tasks()
    recognize = SpeechEmotionPipeline(model=loaded, feature_extractor=feature_extractor, vad=False)
    for row in splits["test"].select(range(3)):
        waveform = stored_waveform(row)
        with torch.no_grad():
            logits = confident.cpu()(torch.from_numpy(waveform)[None]).task_logits["emotion"][0]
        expected = (logits / report["emotion"]["temperature"]).softmax(-1).tolist()
        scores = {entry["label"]: entry["score"] for entry in recognize(waveform)["emotion"]}
        assert scores == pytest.approx(dict(zip(TASKS[0].labels, expected, strict=True)), abs=1e-5)


def test_a_temperature_at_its_limit_is_warned_of(tiny_model, feature_extractor, clips, tmp_path, caplog):
    tiny_model.heads.apply_temperature({"emotion": 1e-4})
    report = calibrate(tiny_model, feature_extractor, clips, tmp_path)
    assert report["emotion"]["at_bound"] is True
    assert len([record for record in caplog.records if "limit" in record.getMessage()]) == sum(
        head["at_bound"] for head in report.values()
    )


def test_temperatures_multiply(calibrated, feature_extractor, clips, tmp_path):
    model, first = calibrated
    model.heads.apply_temperature({"emotion": 0.5})
    model.config.set_tasks([replace(task, temperature=task.temperature * 0.5) for task in model.config.get_tasks()])
    second = calibrate(model, feature_extractor, clips, tmp_path)
    assert second["emotion"]["temperature"] == pytest.approx(2, rel=1e-3)
    assert model.config.get_tasks()[0].temperature == pytest.approx(first["emotion"]["temperature"], rel=1e-3)


def test_a_head_without_labels_is_left_as_it_is(confident, feature_extractor, clips, tmp_path):
    clips = (
        clips.remove_columns("gender").add_column("gender", [None] * len(clips)).cast_column("gender", Value("string"))
    )
    before = confident.heads["gender"].weight.detach().clone()
    assert calibrate(confident, feature_extractor, clips, tmp_path).keys() == {"emotion"}
    assert torch.equal(confident.heads["gender"].weight, before)


def test_an_unknown_label_is_ignored(calibrated, confident, feature_extractor, clips, tmp_path):
    _, known = calibrated
    strange = clips.map(lambda row: {"emotion": "proud", "row": row["row"] + 1000})
    report = calibrate(confident, feature_extractor, concatenate_datasets([clips, strange]), tmp_path)
    assert report["emotion"]["clips"] == 2 * len(clips)
    assert report["emotion"]["temperature"] == pytest.approx(known["emotion"]["temperature"], rel=1e-5)
    assert report["emotion"]["after"]["log_loss"] == pytest.approx(known["emotion"]["after"]["log_loss"])
    assert report["emotion"]["after"]["brier"] > known["emotion"]["after"]["brier"]


def test_a_model_without_classes_has_nothing_to_calibrate(feature_extractor, splits, tmp_path):
    model = Wav2Vec2ForMultiTaskSER(tiny_config(TASKS[2:]))
    assert calibrate(model, feature_extractor, splits["validation"], tmp_path) == {}
    assert not (tmp_path / "calibration.json").exists()
