import hashlib
import importlib.metadata
import json
from collections import Counter
from dataclasses import replace

import pytest
from datasets import DatasetDict

from common.training_clips import write_training_clips
from evaluation.checkpoint import evaluate_checkpoint
from evaluation.plan import plan_evaluation
from evaluation.reporting.console import format_report
from preprocessing.prepared.load import load_prepared
from tests.conftest import TASKS
from tests.publishing.conftest import training_record
from tests.support.checkpoints import evaluate


def test_the_report_records_what_was_evaluated_on_what(report, checkpoint, prepared, splits):
    protocol = json.loads((prepared / "splits" / "paper.json").read_text(encoding="utf-8"))
    assert (report["checkpoint"], report["split"], report["main_task"]) == (str(checkpoint), "test", "emotion")
    del protocol["clips"]
    assert report["protocol"] == {**protocol, "family": "paper", "corpus": None}
    assert (report["row"], report["clips"]) == ("w2v + Em + Ge + F0-me", len(load_prepared(prepared, "paper")["test"]))
    assert report["versions"]["transformers"] == importlib.metadata.version("transformers")
    libraries = {"transformers", "torch", "datasets", "evaluate", "accelerate", "scikit-learn"}
    assert {"multilingual-multitask-ser", "commit", *libraries} <= report["versions"].keys()
    assert report["heads_without_labels"] == []
    weights = (checkpoint / "model.safetensors").read_bytes()
    assert report["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    clips = splits["test"]
    for task in TASKS:
        labeled = len(clips) - clips[task.column][:].count(None)
        assert report["tasks"][task.name]["clips"] == report["tasks"][task.name]["pooled"]["clips"] == labeled
    counts = {name: row["clips"] for name, row in report["tasks"]["emotion"]["corpora"].items()}
    assert counts == {name: clips["corpus"][:].count(name) for name in ("alpha", "beta")}
    assert sum(counts.values()) == len(clips)


def test_the_clips_are_counted_by_the_authors_labels(report, splits):
    clips = splits["test"]
    for corpus, emotions in report["raw_labels"].items():
        mine = clips.filter(lambda row, corpus=corpus: row["corpus"] == corpus)
        assert {emotion: sum(names.values()) for emotion, names in emotions.items()} == Counter(mine["emotion"][:])
    assert report["merged_labels"] == {}  # they are the emotions' own names


def test_the_baseline_is_evaluated_on_the_same_clips(report, splits):
    assert report["baseline"]["clips"] == report["tasks"]["emotion"]["clips"]
    assert report["baseline"]["num_training_clips"] == len(splits["train"])
    assert "calibration" not in report["baseline"]
    f1 = report["baseline"]["mean_over_corpora"]["weighted_f1"]
    assert format_report(report).splitlines()[-1].endswith(f"{f1:.3f}")


@pytest.mark.slow
def test_clips_that_the_checkpoint_was_trained_on_are_counted(broken, prepared, splits, tmp_path):
    assert evaluate(str(broken), prepared, "paper", tmp_path).report["num_clips_seen_in_training"] is None
    write_training_clips(broken, splits["train"]["id"])
    assert evaluate(str(broken), prepared, "paper", tmp_path).report["num_clips_seen_in_training"] == 0
    others = load_prepared(prepared, "speaker")["test"]["id"]
    seen = evaluate(str(broken), prepared, "speaker", tmp_path).report["num_clips_seen_in_training"]
    assert seen == len(set(others) & set(splits["train"]["id"])) > 0


@pytest.mark.parametrize(
    ("record", "expected"), [(training_record(start="hub"), True), (training_record(), False), ({}, None), (None, None)]
)
def test_it_says_whether_the_network_was_pretrained(broken, prepared, tmp_path, record, expected):
    if record is not None:
        (broken / "training.json").write_text(json.dumps(record), encoding="utf-8")
    assert evaluate(str(broken), prepared, "paper", tmp_path).report["pretrained"] is expected


@pytest.mark.parametrize("unnamed", ["test", "train"])
def test_of_clips_without_a_named_speaker_it_is_unknown_who_was_in_the_training(broken, prepared, tmp_path, unnamed):
    by_speaker = plan_evaluation(str(broken), prepared, "speaker")
    write_training_clips(broken, by_speaker.splits["train"]["id"])
    assert evaluate_checkpoint(by_speaker, tmp_path).report["num_speakers_seen_in_training"] == 0
    clips = by_speaker.splits[unnamed]
    anonymous = clips.remove_columns("speaker").add_column("speaker", [None] * len(clips))
    plan = replace(by_speaker, splits=DatasetDict({**by_speaker.splits, unnamed: anonymous}))
    assert evaluate_checkpoint(plan, tmp_path).report["num_speakers_seen_in_training"] is None
