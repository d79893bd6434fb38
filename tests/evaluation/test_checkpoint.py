import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Wav2Vec2Config, Wav2Vec2Model

from evaluation.hf_evaluate import ClassificationMetric
from evaluation.metrics.compute import ALL, compute_metrics
from evaluation.reporting.console import format_report
from modeling import Task
from preprocessing.corpora.scan import Source, scan
from preprocessing.prepared.build import prepare
from preprocessing.prepared.load import load_prepared
from preprocessing.stored_audio import stored_waveform
from tests.conftest import TASKS, TINY
from tests.support.checkpoints import evaluate, save_checkpoint


def test_the_metrics_are_those_of_the_models_own_outputs(report, splits, tiny_model):
    logits = {task.name: [] for task in TASKS}
    for row in splits["test"]:
        with torch.no_grad():
            outputs = tiny_model(torch.from_numpy(stored_waveform(row))[None]).task_logits
        for name, values in outputs.items():
            logits[name].append(values[0].tolist())
    expected = compute_metrics(splits["test"], {name: np.array(values) for name, values in logits.items()}, TASKS)
    # Confidences differ in the last digits with the batch; predicted classes do not.
    losses = [metrics["emotion"]["calibration"]["after"]["log_loss"] for metrics in (report["tasks"], expected)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    differing = {name for name, value in report["tasks"]["emotion"].items() if value != expected["emotion"][name]}
    assert differing <= {"calibration"}
    assert report["tasks"]["f0_mean"]["pooled"]["mae"] == pytest.approx(expected["f0_mean"]["pooled"]["mae"], rel=1e-4)


def test_other_splits_and_protocols(checkpoint, prepared, tmp_path):
    report = evaluate(str(checkpoint), prepared, "speaker", tmp_path, split="validation", batch_size=2).report
    assert (report["split"], report["protocol"]["protocol"]) == ("validation", "speaker")
    assert report["tasks"]["emotion"]["clips"] == len(load_prepared(prepared, "speaker")["validation"])
    assert "baseline" not in report


@pytest.mark.slow
def test_the_members_of_a_family_are_evaluated_on_their_corpora(checkpoint, prepared, tmp_path):
    loco = evaluate(str(checkpoint), prepared, "loco:beta", tmp_path).report
    assert loco["protocol"]["protocol"] == "loco:beta"
    assert {name: row["clips"] for name, row in loco["tasks"]["emotion"]["corpora"].items()} == {"beta": 32}
    assert all(part in format_report(loco).splitlines()[0] for part in (" test ", " loco:beta ", "seed 0"))
    assert loco["protocol"]["description"] in format_report(loco)
    alpha, beta = (evaluate(str(checkpoint), prepared, f"cross:{name}", tmp_path).report for name in ("alpha", "beta"))
    paper = evaluate(str(checkpoint), prepared, "paper", tmp_path).report
    assert alpha["tasks"] == beta["tasks"] == paper["tasks"]
    assert "alpha" in alpha["protocol"]["description"]


@pytest.mark.slow
def test_a_corpus_without_test_clips_of_other_speakers_is_noted(checkpoint, user_table, tmp_path):
    table = pd.read_csv(user_table).iloc[:40]
    table.loc[table["corpus"] == "beta", "speaker"] = "s0"
    table.to_csv(user_table.with_name("one_speaker.csv"), index=False)
    prepare(scan([Source("table", user_table.with_name("one_speaker.csv"))]), tmp_path / "prepared", num_proc=1)
    report = evaluate(str(checkpoint), tmp_path / "prepared", "speaker", tmp_path).report
    note = "beta: wholly in training, because it has 1 speakers; it has no test clips, but the folds of folds:K test it"
    assert note in report["protocol"]["notes"]
    assert report["tasks"]["emotion"]["corpora"].keys() == {"alpha"}
    assert report["without_clips"] == {"corpora": ["beta"], "locales": ["pl-PL"]}
    assert note in format_report(report)


def test_the_protocol_is_by_default_that_of_the_training(broken, prepared, tmp_path):
    with pytest.raises(ValueError, match=r"train_config\.yaml.*--protocol"):
        evaluate(str(broken), prepared, None, tmp_path)
    (broken / "train_config.yaml").write_text("protocol: speaker\n", encoding="utf-8")
    evaluation = evaluate(str(broken), prepared, None, tmp_path)
    assert evaluation.report["protocol"]["protocol"] == "speaker"
    assert evaluation.clips == {*load_prepared(prepared, "speaker")["test"]["id"]}
    assert evaluation.resampled_means[ALL]["weighted_f1"].std() > 0
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert {*predictions["id"]} == evaluation.clips
    right = predictions["emotion"] == predictions["emotion_predicted"]
    assert right.mean() == pytest.approx(evaluation.main["pooled"]["weighted_recall"])
    metric = ClassificationMetric(cache_dir=str(tmp_path), keep_in_memory=True)
    found = metric.compute(references=predictions["emotion"], predictions=predictions["emotion_predicted"])
    assert found == pytest.approx({name: evaluation.main["pooled"][name] for name in found}, abs=1e-12)


def test_a_head_that_the_data_have_no_column_for_is_named(prepared, feature_extractor, tmp_path):
    tasks = [*TASKS, Task("arousal", "regression", "arousal")]
    report = evaluate(
        str(save_checkpoint(tmp_path / "four", feature_extractor, tasks)), prepared, "paper", tmp_path
    ).report
    assert report["heads_without_labels"] == ["arousal"]
    assert report["tasks"].keys() == {task.name for task in TASKS}


def test_a_users_own_labels_are_evaluated(prepared, feature_extractor, tmp_path, splits):
    tasks = [
        Task("valence", "regression", "valence"),
        Task("recorded", "classification", "recorded", labels=("evening", "morning")),
        replace(TASKS[0], name="feeling", labels=("angry", "happy"), class_weights=()),
    ]
    report = evaluate(
        str(save_checkpoint(tmp_path / "own", feature_extractor, tasks)), prepared, "paper", tmp_path
    ).report
    assert report["main_task"] == "valence"
    assert report["tasks"]["valence"]["corpora"].keys() == {"alpha"}
    assert report["tasks"]["recorded"]["clips"] == len(splits["test"])
    assert report["tasks"]["feeling"]["unknown_labels"] == {"sad": splits["test"]["emotion"][:].count("sad")}
    assert format_report(report).count("MAE") == 1


def test_what_is_not_a_checkpoint(prepared, tmp_path):
    with pytest.raises(ValueError, match="nowhere"):
        evaluate(str(tmp_path / "nowhere"), prepared, "paper", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty"):
        evaluate(str(tmp_path / "empty"), prepared, "paper", tmp_path)
    Wav2Vec2Model(Wav2Vec2Config(**TINY)).save_pretrained(tmp_path / "backbone")
    with pytest.raises(ValueError, match=r"backbone .*'wav2vec2'"):
        evaluate(str(tmp_path / "backbone"), prepared, "paper", tmp_path)


def test_a_head_without_weights_is_an_error(broken, prepared, tmp_path):
    weights = load_file(broken / "model.safetensors")
    del weights["heads.gender.weight"]
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"heads\.gender\.weight"):
        evaluate(str(broken), prepared, "paper", tmp_path)


@pytest.mark.parametrize("file", ["model.safetensors", "preprocessor_config.json"])
def test_a_checkpoint_that_lacks_a_file_is_an_error_that_the_script_can_show(broken, prepared, tmp_path, file):
    (broken / file).unlink()
    with pytest.raises(ValueError, match="broken"):
        evaluate(str(broken), prepared, "paper", tmp_path)


def test_data_that_do_not_fit(checkpoint, prepared, tmp_path):
    with pytest.raises(ValueError, match=r"'newspaper'.*paper, paper-20, speaker"):
        evaluate(str(checkpoint), prepared, "newspaper", tmp_path)
    with pytest.raises(ValueError, match=r"report\.json"):
        evaluate(str(checkpoint), tmp_path, "paper", tmp_path)
    copy = shutil.copytree(prepared, tmp_path / "copy")
    protocol = json.loads((copy / "splits" / "paper.json").read_text(encoding="utf-8"))
    protocol["clips"] = dict.fromkeys(protocol["clips"], "train")
    (copy / "splits" / "all.json").write_text(json.dumps(protocol), encoding="utf-8")
    with pytest.raises(ValueError, match=r"\btest\b.*\btrain\b"):
        evaluate(str(checkpoint), copy, "all", tmp_path)
