"""Sweeps: alone, shared, killed and taken over, with a point that diverges; and what is refused."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
import sqlalchemy
import torch
import yaml
from optuna.trial import TrialState
from safetensors.torch import load_file

from tests.conftest import ROOT
from training.arguments.parse import parse_args
from training.job import prepare_job
from training.resume import STUDY_NAME, SWEEP
from training.run import score, train
from training.sweep import Sweep
from training.sweep_report import format_sweep
from training.trainer import MultiTaskSERTrainer

pytestmark = pytest.mark.slow

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


@pytest.fixture
def arguments(prepared, backbone_config, tmp_path) -> list[str]:
    """Flags of a sweep of two points, of one short epoch each."""
    return [
        *("--data", str(prepared), "--config_name", str(backbone_config), "--output_dir", str(tmp_path / "run")),
        *("--tasks", "emotion", "--freeze", "none", "--report_to", "none"),
        *("--disable_tqdm", "true", "--dataloader_num_workers", "0", "--logging_steps", "1"),
        *("--num_train_epochs", "1", "--sweep"),
        *("--sweep_learning_rate", "1e-2", "1e-4", "--sweep_weight_decay", "0"),
    ]


@pytest.fixture
def trained(monkeypatch) -> list[str]:
    """The names of the points that this process trains, once per batch."""
    batches = []
    step = MultiTaskSERTrainer.training_step

    def counted(self, *args, **kwargs):
        batches.append(Path(self.args.output_dir).name)
        return step(self, *args, **kwargs)

    monkeypatch.setattr(MultiTaskSERTrainer, "training_step", counted)
    return batches


def sweep(arguments) -> Sweep:
    return Sweep(prepare_job(*parse_args(arguments)))


def start(arguments) -> subprocess.Popen:
    silent = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "train.py", *arguments], cwd=ROOT, env=ENVIRONMENT, **silent)


def study(output: Path) -> optuna.Study:
    name = (output / SWEEP / STUDY_NAME).read_text()
    return optuna.load_study(study_name=name, storage=f"sqlite:///{output / SWEEP / 'study.db'}")


def states(output: Path) -> list[TrialState]:
    """States of the trials of points, a point that was resumed having two."""
    return sorted(trial.state for trial in study(output).get_trials() if trial.user_attrs["name"] != "result")


def let_grace_period_pass(output: Path) -> None:
    """Makes the last heartbeat of every point an old one."""
    with sqlalchemy.create_engine(f"sqlite:///{output / SWEEP / 'study.db'}").begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'"))


def state_of(checkpoint: Path) -> dict:
    return json.loads((checkpoint / "trainer_state.json").read_text())


def last_checkpoint(folder: Path) -> Path:
    return max(folder.glob("checkpoint-*"), key=lambda path: int(path.name.partition("-")[2]))


@pytest.fixture
def best_in_the_middle(monkeypatch):
    """Lets the second of each three evaluations be the best, whatever three epochs of training come to."""
    evaluations = itertools.count()

    def scored(*evaluation):
        training_number, epoch = divmod(next(evaluations), 3)
        return {**score(*evaluation), "emotion_weighted_f1": (0.2, 0.6, 0.4)[epoch] + 0.01 * training_number}

    monkeypatch.setattr("training.run.score", scored)


@pytest.mark.usefixtures("best_in_the_middle")
def test_the_best_point_becomes_what_an_ordinary_training_with_its_settings_leaves(
    arguments, tmp_path, trained, capsys
):
    arguments += ["--num_train_epochs", "3", "--sweep_learning_rate", "1e-2", "1e-3"]
    report = sweep(arguments).run()
    output = tmp_path / "run"
    assert json.loads((output / "sweep.json").read_text()) == report
    assert [entry["name"] for entry in report["points"]] == ["lr1e-2-wd0", "lr1e-3-wd0"]
    assert states(output) == [TrialState.COMPLETE] * 2
    last = []
    for entry in report["points"]:
        history = state_of(last_checkpoint(output / SWEEP / entry["name"]))["log_history"]
        scores = {line["epoch"]: line[f"eval_{report['metric']}"] for line in history if "eval_loss" in line}
        assert len(scores) == 3
        assert entry["value"] == max(scores.values()) == scores[entry["epoch"]]
        last.append(scores[3])
    assert last != [entry["value"] for entry in report["points"]]  # which the Trainer would have reported
    best = max(report["points"], key=lambda entry: entry["value"])
    assert report["best"] == best["name"]
    marked = [line for line in capsys.readouterr().out.splitlines() if line.endswith(" best")]
    assert [line.split()[0] for line in marked] == [best["name"]]

    settings = yaml.safe_load((output / "train_config.yaml").read_text())
    assert (settings["learning_rate"], settings["weight_decay"]) == (best["learning_rate"], best["weight_decay"])
    again = tmp_path / "again"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({**settings, "output_dir": str(again)}))
    metrics = train(prepare_job(*parse_args(["--config", str(tmp_path / "config.yaml")])))
    mine, ordinary = (load_file(folder / "model.safetensors") for folder in (output, again))
    assert all(torch.equal(mine[name], ordinary[name]) for name in ordinary)
    assert json.loads((output / "metrics.json").read_text())["tasks"] == metrics["tasks"]
    left = {path.name for path in again.iterdir() if not path.name.startswith("checkpoint-")}
    assert {path.name for path in output.iterdir()} == {*left, SWEEP, "sweep.json"}

    trained.clear()
    assert sweep(arguments).run() == report  # a second call returns the same
    kept = {path.name for path in output.glob(f"{SWEEP}/*/checkpoint-*/*")}
    assert {"model.safetensors", "trainer_state.json"} <= kept
    assert not {"optimizer.pt", "scheduler.pt", "rng_state.pth"} & kept
    assert trained == []
    with pytest.raises(ValueError, match="--sweep"):
        prepare_job(*parse_args([argument for argument in arguments if argument != "--sweep"]))


def test_a_sweep_has_the_same_result_twice(arguments, tmp_path):
    reports, weights = [], []
    for name in ("first", "second"):
        report = sweep([*arguments, "--output_dir", str(tmp_path / name)]).run()
        reports.append({**report, "points": [{**point, "seconds": None} for point in report["points"]]})
        weights.append(load_file(tmp_path / name / "model.safetensors"))
    assert reports[0] == reports[1]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def written(folder: Path) -> dict[Path, int]:
    """When each model and state of a point was written; optimizers go when the sweep is done."""
    files = [path for path in folder.rglob("*") if path.suffix in (".safetensors", ".json")]
    assert files
    return {path: path.stat().st_mtime_ns for path in files}


def test_a_living_process_keeps_its_point_and_a_killed_one_leaves_it(arguments, tmp_path, trained, monkeypatch):
    arguments += ["--sweep_learning_rate", "1e-2", "1e-3", "1e-4"]
    # 18 batches make an epoch: the first process is in its second point for as long as this test needs it to be.
    arguments += ["--num_train_epochs", "4", "--per_device_train_batch_size", "4", "--gradient_accumulation_steps", "1"]
    arguments += ["--metric_for_best_model", "loss"]
    output = tmp_path / "run"
    finished, interrupted, free = (output / SWEEP / name for name in ("lr1e-2-wd0", "lr1e-3-wd0", "lr1e-4-wd0"))
    process = start(arguments)
    deadline = time.monotonic() + 120
    while not list(interrupted.glob("checkpoint-*/trainer_state.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGSTOP)  # alive, but no longer racing with what follows
    files = written(finished)
    assert states(output) == [TrialState.RUNNING, TrialState.COMPLETE, TrialState.WAITING]

    def kill(seconds: float) -> None:
        assert set(trained) == {free.name}  # the free point was trained, and that of the other left alone
        process.kill()
        process.wait()
        steps.append(state_of(last_checkpoint(interrupted))["global_step"])
        let_grace_period_pass(output)

    steps: list[int] = []
    monkeypatch.setattr("training.sweep.sleep", kill)
    report = sweep(arguments).run()
    assert [(entry["name"], entry["state"]) for entry in report["points"]] == [
        (folder.name, "complete") for folder in (finished, interrupted, free)
    ]
    assert report["best"] == min(report["points"], key=lambda entry: entry["value"])["name"]
    whole = trained.count(free.name)
    assert whole == state_of(last_checkpoint(free))["global_step"]
    assert 0 < steps[0] < whole
    assert trained.count(interrupted.name) == whole - steps[0]  # it went on from its last checkpoint
    assert finished.name not in trained
    assert written(finished) == files
    assert states(output) == [TrialState.COMPLETE] * 3 + [TrialState.FAIL]
    assert (output / "model.safetensors").exists()


def test_two_processes_that_start_at_once_train_each_point_once(arguments, tmp_path):
    arguments += ["--sweep_weight_decay", "0", "1e-4"]
    processes = [start(arguments) for _ in range(2)]
    printed_by_process = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed_by_process
    output = tmp_path / "run"
    assert states(output) == [TrialState.COMPLETE] * 4
    report = json.loads((output / "sweep.json").read_text())
    assert len({entry["name"] for entry in report["points"]}) == 4
    for printed, _ in printed_by_process:  # both return when the result is there, one of them having written it
        assert format_sweep(report) in printed
    assert sum(printed.count("emotion by corpus") for printed, _ in printed_by_process) == 1
    assert (output / "metrics.json").exists()


def test_a_point_that_diverges_is_reported_and_the_others_are_trained(arguments, tmp_path, trained, capsys):
    report = sweep([*arguments, "--sweep_learning_rate", "1e30", "1e-3", "--num_train_epochs", "2"]).run()
    bad, good = report["points"]
    assert (bad["state"], bad["value"]) == ("failed", None)
    assert "diverged" in bad["reason"]
    assert (good["state"], report["best"]) == ("complete", good["name"])
    assert bad["reason"] in capsys.readouterr().out
    assert states(tmp_path / "run") == [TrialState.COMPLETE, TrialState.FAIL]
    assert trained.count(bad["name"]) < trained.count(good["name"])  # it ended when the loss was not finite


def test_a_sweep_without_a_value_has_no_best(arguments, tmp_path):
    report = sweep([*arguments, "--sweep_learning_rate", "1e30", "--logging_steps", "1000"]).run()
    assert report["best"] is None
    assert "diverged" in report["points"][0]["reason"]
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_a_point_whose_process_died_when_it_had_failed_is_not_trained_again(arguments, tmp_path, trained):
    ready = sweep([*arguments, "--sweep_learning_rate", "1e-3"])
    ready.study.enqueue_trial({"learning_rate": 1e-3, "weight_decay": 0.0}, user_attrs={"name": "lr1e-3-wd0"})

    def die(trial):
        trial.set_user_attr("reason", "the training has diverged")
        raise SystemExit

    with pytest.raises(SystemExit):
        ready.study.optimize(die, n_trials=1)
    let_grace_period_pass(tmp_path / "run")
    (point,) = ready.run()["points"]
    assert (point["state"], point["reason"]) == ("failed", "the training has diverged")
    assert trained == []


def test_an_error_is_not_taken_for_a_failed_point(arguments, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ValueError("the disk is full")

    monkeypatch.setattr(MultiTaskSERTrainer, "training_step", fail)
    with pytest.raises(ValueError, match="disk"):
        sweep(arguments).run()
    monkeypatch.undo()
    assert not (tmp_path / "run" / "sweep.json").exists()


def test_a_result_that_was_cut_short_is_written_again(arguments, tmp_path, trained, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    arguments += ["--sweep_learning_rate", "1e-3", "--num_train_epochs", "1"]
    monkeypatch.setattr("training.sweep.finalize", stop)
    with pytest.raises(KeyboardInterrupt):
        sweep(arguments).run()
    monkeypatch.undo()
    batches = len(trained)
    assert sweep(arguments).run()["best"] == "lr1e-3-wd0"
    assert len(trained) == batches
    assert (tmp_path / "run" / "metrics.json").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--resume_from_checkpoint", "latest"], "--resume_from_checkpoint"),
        (["--load_best_model_at_end", "false"], "--load_best_model_at_end"),
        (["--metric_for_best_model", "f1"], "--metric_for_best_model f1"),
    ],
)
def test_a_sweep_that_cannot_choose_or_resume_is_refused(arguments, tmp_path, flags, message):
    with pytest.raises(ValueError, match=message):
        sweep([*arguments, *flags])
    assert not (tmp_path / "run").exists()


def test_the_folder_of_an_ordinary_training_is_refused(arguments, tmp_path):
    (tmp_path / "run" / "checkpoint-3").mkdir(parents=True)
    with pytest.raises(ValueError, match="run"):
        sweep(arguments)


def test_another_grid_or_other_settings_are_refused(arguments):
    sweep(arguments)
    sweep([*arguments, "--weight_decay", "0.5"])  # which the grid overrules
    with pytest.raises(ValueError, match=r"sweep_weight_decay.*0\.0.*0\.1"):
        sweep([*arguments, "--sweep_weight_decay", "0.1"])
    with pytest.raises(ValueError, match=r"seed.*None.*7"):
        sweep([*arguments, "--seed", "7"])


def test_a_storage_that_cannot_be_opened_is_refused_without_its_password(arguments):
    with pytest.raises(ValueError, match="--sweep_storage") as error:
        sweep([*arguments, "--sweep_storage", "no_such_database://user:secret@host/name"])
    assert "secret" not in str(error.value)


def test_sweeps_share_a_database_without_mixing(arguments, tmp_path, trained):
    storage = ["--sweep_storage", f"sqlite:///{tmp_path / 'shared.db'}", "--sweep_learning_rate", "1e-3"]
    for name in ("first", "second"):
        assert sweep([*arguments, *storage, "--output_dir", str(tmp_path / name)]).run()["best"] == "lr1e-3-wd0"
        assert not (tmp_path / name / SWEEP / "study.db").exists()
    assert len(optuna.get_all_study_names(storage[1])) == 2
    assert trained[: len(trained) // 2] == trained[len(trained) // 2 :] != []


def test_an_interrupted_point_is_free_at_once(arguments, tmp_path, monkeypatch, trained):
    def stop(*_, **__):
        raise KeyboardInterrupt

    arguments += ["--sweep_learning_rate", "1e-3"]
    monkeypatch.setattr("training.trainer.MultiTaskSERTrainer.training_step", stop)
    with pytest.raises(KeyboardInterrupt):
        sweep(arguments).run()
    monkeypatch.undo()
    assert sweep(arguments).run()["best"] == "lr1e-3-wd0"


def test_a_process_whose_point_was_given_to_another_stops(arguments, tmp_path, monkeypatch):
    shared = sweep([*arguments, "--sweep_learning_rate", "1e-3"])

    def lose_point(*evaluation):
        let_grace_period_pass(tmp_path / "run")
        optuna.storages.fail_stale_trials(shared.study)  # as another process does
        return score(*evaluation)

    monkeypatch.setattr("training.run.score", lose_point)
    with pytest.raises(SystemExit, match="lr1e-3-wd0"):
        shared.run()
    assert not list((tmp_path / "run").glob("sweep/*/checkpoint-*"))
