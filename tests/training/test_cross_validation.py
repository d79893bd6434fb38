"""Several seeds and folds of one model: trained, shared, resumed, and reported together."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from optuna.trial import TrialState

from common.checkpoint import load_config
from evaluation.run import evaluate_checkpoints
from preprocessing.prepared.load import load_prepared
from preprocessing.prepared.table import load_table
from tests.conftest import ROOT
from training.arguments.parse import parse_args
from training.cross_validation import CrossValidation
from training.plan import plan_training
from training.trainer import MultiTaskSERTrainer

pytestmark = pytest.mark.slow

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


@pytest.fixture
def arguments(prepared, backbone_config, tmp_path) -> list[str]:
    """Flags of a training of one short epoch."""
    return [
        *("--data", str(prepared), "--config_name", str(backbone_config), "--output_dir", str(tmp_path / "run")),
        *("--tasks", "emotion", "f0_mean", "--freeze", "none", "--report_to", "none"),
        *("--disable_tqdm", "true", "--dataloader_num_workers", "0", "--num_train_epochs", "1"),
    ]


def cross_validation(arguments) -> CrossValidation:
    return CrossValidation(*parse_args(arguments))


@pytest.fixture
def trained(monkeypatch, tmp_path) -> list[str]:
    """The names of the trainings that this process runs, once per batch."""
    batches = []
    step = MultiTaskSERTrainer.training_step

    def counted(self, *args, **kwargs):
        batches.append(os.path.relpath(self.args.output_dir, tmp_path / "run"))
        return step(self, *args, **kwargs)

    monkeypatch.setattr(MultiTaskSERTrainer, "training_step", counted)
    return batches


def test_several_trainings_of_a_process_keep_their_precision(arguments, tmp_path):
    report = cross_validation([*arguments, "--protocol", "folds:2", "--bf16", "--use_cpu"]).run()
    assert [entry["state"] for entry in report["trainings"]] == ["complete", "complete"]
    for fold in (1, 2):
        record = json.loads((tmp_path / f"run/seed-42/fold-{fold}/training.json").read_text())
        assert record["precision"] == "bfloat16, mixed"


def test_a_model_of_all_clips_gets_the_temperatures_and_figures_of_the_folds(arguments, tmp_path):
    arguments += ["--eval_strategy", "no", "--load_best_model_at_end", "false"]
    cross_validation([*arguments, "--protocol", "folds:2"]).run()
    released = tmp_path / "released"
    given = ["--protocol", "all", "--recipe_of", str(tmp_path / "run"), "--output_dir", str(released)]
    plan_training(*parse_args([*arguments, *given]))()
    assert len((released / "training_clips.txt").read_text().split()) >= 96
    metrics, tested = (
        json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("released", "run/seed-42")
    )
    assert metrics["tasks"] == tested["tasks"]
    assert metrics["tested"] == tested["weights_sha256"]
    for task in load_config(str(released)).get_tasks():
        if task.is_classification:
            assert task.temperature == pytest.approx(tested["tasks"][task.name]["calibration"]["temperature"], rel=1e-5)
    assert load_config(str(released)).main_task.temperature != 1


def test_conditions_are_evaluated_by_the_models_of_all_folds(arguments, prepared, tmp_path):
    cross_validation([*arguments, "--protocol", "folds:2"]).run()
    evaluate_checkpoints([str(tmp_path / "run")], prepared, tmp_path / "out", conditions=["noise:10", "gain:-20"])
    (metrics,) = (json.loads(path.read_text()) for path in (tmp_path / "out").glob("seed-42/metrics.json"))
    assert metrics["clips"] == 96
    assert list(metrics["conditions"]) == ["clean", "noise:10", "gain:-20"]
    labeled = sum(value is not None for value in load_table(prepared)["emotion"])
    for rows in metrics["conditions"].values():
        assert sum(row["clips"] for row in rows["corpora"].values()) == labeled
    of_row = metrics["tasks"]["emotion"]["mean_over_corpora"]["weighted_f1"]
    assert metrics["conditions"]["clean"]["mean_over_corpora"]["weighted_f1"] == pytest.approx(of_row)


def test_every_clip_is_tested_once_by_a_model_that_was_not_trained_on_its_speaker(
    arguments, prepared, tmp_path, trained, monkeypatch
):
    arguments += ["--protocol", "folds:2", "--seeds", "1", "2"]
    report = cross_validation(arguments).run()
    output = tmp_path / "run"
    names = ["seed-1/fold-1", "seed-1/fold-2", "seed-2/fold-1", "seed-2/fold-2"]
    assert [entry["name"] for entry in report["trainings"]] == names == list(dict.fromkeys(trained))
    assert json.loads((output / "trainings.json").read_text()) == report
    assert not list(output.rglob("checkpoint-*"))
    every = {id_ for clips in load_prepared(prepared, "paper").values() for id_ in clips["id"]}
    for seed in (1, 2):
        pooled = pd.read_csv(output / f"seed-{seed}/predictions.csv")
        assert set(pooled["id"]) == every
        assert len(pooled) == len(every)
        for fold in (1, 2):
            folder = output / f"seed-{seed}/fold-{fold}"
            own = pd.read_csv(folder / "predictions.csv")
            merged = own.merge(pooled, on="id", suffixes=("", "_pooled"))
            assert len(merged) == len(own)
            assert (merged["emotion_predicted"] == merged["emotion_predicted_pooled"]).all()
            assert merged["f0_mean_predicted"].tolist() == pytest.approx(
                merged["f0_mean_predicted_pooled"].tolist(), abs=1e-3
            )
            metrics = json.loads((folder / "metrics.json").read_text())
            assert (metrics["num_clips_seen_in_training"], metrics["num_speakers_seen_in_training"]) == (0, 0)
            settings = yaml.safe_load((folder / "train_config.yaml").read_text())
            assert (settings["protocol"], settings["seed"]) == (f"folds:2/{fold}", seed)
    row = json.loads((output / "metrics.json").read_text())
    assert [seed["seed"] for seed in row["seeds"]] == [1, 2]
    assert [len(training["folds"]) for training in row["folds"]] == [2, 2]
    pooled = [json.loads((output / f"seed-{seed}/metrics.json").read_text()) for seed in (1, 2)]
    f1 = [metrics["tasks"]["emotion"]["mean_over_corpora"]["weighted_f1"] for metrics in pooled]
    assert row["mean_over_corpora"]["weighted_f1"] == pytest.approx(sum(f1) / 2)
    assert "2 seeds" in (output / "report.md").read_text()

    trained.clear()
    (output / "trainings.json").unlink()  # as if its process had been stopped before the last file
    assert cross_validation(arguments).run()["trainings"] == report["trainings"]
    assert trained == []

    def compute(*_, **__):
        raise AssertionError("the predictions that the trainings wrote are not computed again")

    monkeypatch.setattr("evaluation.checkpoint.predict", compute)
    evaluate_checkpoints([str(output)], prepared, tmp_path / "again")
    again = json.loads((tmp_path / "again/metrics.json").read_text())
    assert again["mean_over_corpora"] == row["mean_over_corpora"]


@pytest.mark.stress
def test_seeds_without_folds_are_ordinary_trainings(arguments, tmp_path):
    report = cross_validation([*arguments, "--protocol", "speaker", "--seeds", "3", "4"]).run()
    assert [entry["name"] for entry in report["trainings"]] == ["seed-3", "seed-4"]
    row = json.loads((tmp_path / "run/metrics.json").read_text())
    assert [seed["seed"] for seed in row["seeds"]] == [3, 4]
    assert row["folds"] == []


@pytest.mark.stress  # the queue is the sweep's, which `make test` shares among processes
def test_processes_that_start_at_once_share_the_trainings(arguments, tmp_path):
    arguments += ["--protocol", "folds:2", "--seeds", "1", "2"]
    silent = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "train.py", *arguments]
    processes = [subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, **silent) for _ in range(2)]
    printed = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed
    states = [trial.state for trial in cross_validation(arguments).study.get_trials()]
    assert states == [TrialState.COMPLETE] * 5  # with the result
    for text, _ in printed:
        assert "report.md" in text


def test_a_training_that_diverges_is_named(arguments, tmp_path):
    trainings = cross_validation([*arguments, "--protocol", "folds:2", "--learning_rate", "1e30"])
    report = trainings.run()
    assert {entry["state"] for entry in report["trainings"]} == {"failed"}
    assert not (tmp_path / "run/report.md").exists()


def test_an_interrupted_training_is_resumed(arguments, trained, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    arguments += ["--protocol", "speaker", "--seeds", "1"]
    monkeypatch.setattr("training.run.finalize", stop)
    with pytest.raises(KeyboardInterrupt):
        cross_validation(arguments).run()
    monkeypatch.undo()
    steps = len(trained)
    assert cross_validation(arguments).run()["trainings"][0]["state"] == "complete"
    assert len(trained) == steps


def test_other_seeds_folds_or_settings_are_refused(arguments):
    cross_validation([*arguments, "--seeds", "1", "2"])
    with pytest.raises(ValueError, match="seed-3"):
        cross_validation([*arguments, "--seeds", "1", "3"])
    with pytest.raises(ValueError, match="learning_rate"):
        cross_validation([*arguments, "--seeds", "1", "2", "--learning_rate", "3e-3"])
    with pytest.raises(ValueError, match="--seeds"):
        plan_training(*parse_args(arguments))
