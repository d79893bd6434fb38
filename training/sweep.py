"""A grid of trainings shared by any number of processes, and the best of them as the result: `--sweep`.

An Optuna study holds the state of every point, in a file of the output folder or in the database of `--sweep_storage`.
Points are queued rather than sampled by Optuna's `GridSampler`, which may give the same point to two processes that ask
at the same time.
"""

from __future__ import annotations

import copy
import json
import math
import uuid
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import optuna
from accelerate.utils import broadcast_object_list
from filelock import FileLock
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils.logging import get_logger

from common.checkpoint import load_checkpoint
from common.files import write_json, write_text
from evaluation.metrics.compute import DivergedError

from .arguments.settings import SERTrainingArguments
from .best import best_log_entry
from .job import TrainingJob
from .resume import STUDY_NAME, SWEEP, checkpoint_to_resume, differences
from .run import build_trainer, finalize
from .sweep_report import Point, format_sweep, summarize

logger = get_logger(__name__)

RESULT = "result"  # name of the last entry of the queue, which makes the best point the result
_WAIT, _DONE = "wait", "done"  # signals to the other processes of a command, beside names of entries
_POLL_S = 1.0
# A process records a heartbeat for its point; without one for the grace period, the point goes to another process.
HEARTBEAT_S, GRACE_S = 10, 60


class Sweep:
    """A grid of trainings, shared by all processes that were started with the same settings.

    Args:
        job: the training of which each point is a variant; its `output_dir` gets the result.

    Raises:
        ValueError: `output_dir` holds a sweep of another grid or with other settings, or the storage does not work.
    """

    def __init__(self, job: TrainingJob):
        self.job = job
        self.folder = job.output_dir / SWEEP
        self.report_path = job.output_dir / "sweep.json"
        grid = [Point(rate, decay) for rate in job.sweep.sweep_learning_rate for decay in job.sweep.sweep_weight_decay]
        self.points = {point.name: point for point in grid}
        self._wrote_result = False
        warnings.simplefilter("ignore", ExperimentalWarning)  # of Optuna's heartbeats
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # it warns of a point that fails, which the report lists
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.folder / "study.lock")
        with self._lock:  # processes that start together would all create the tables
            self.study = self._open_study()
            self._check_settings()

    def _open_study(self) -> optuna.Study:
        name_file = self.folder / STUDY_NAME
        if not name_file.is_file():
            write_text(name_file, f"{SWEEP}-{uuid.uuid4().hex}")  # several sweeps may share a database
        url = self.job.sweep.sweep_storage or f"sqlite:///{(self.folder / 'study.db').absolute()}"
        is_file = url.startswith("sqlite")
        try:
            return optuna.create_study(
                study_name=name_file.read_text(encoding="utf-8"),
                direction="maximize" if self.job.args.greater_is_better else "minimize",
                load_if_exists=True,
                storage=optuna.storages.RDBStorage(
                    url,
                    engine_kwargs={"connect_args": {"timeout": 60}} if is_file else {"pool_pre_ping": True},
                    heartbeat_interval=HEARTBEAT_S,
                    grace_period=GRACE_S,
                ),
            )
        except (ImportError, SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            # The address is not repeated: it may hold a password.
            raise ValueError(f"--sweep_storage cannot be opened: {type(error).__name__} of its driver.") from error

    def _check_settings(self) -> None:
        grid = {name: value for name, value in asdict(self.job.sweep).items() if name not in ("sweep", "sweep_storage")}
        settings = {
            name: value
            for name, value in self.job.settings.items()
            if name not in ("output_dir", "learning_rate", "weight_decay")
        }
        ours = json.loads(json.dumps({**settings, **grid}))
        if "settings" not in self.study.user_attrs:
            self.study.set_user_attr("resume_settings", self.job.resume_settings)
            self.study.set_user_attr("settings", ours)
        known = self.study.user_attrs
        changes = differences(known["settings"], ours)
        changes = changes or differences(
            known["resume_settings"], self.job.resume_settings, ignored=("learning_rate", "weight_decay")
        )
        if changes:
            raise ValueError(
                f"{self.job.output_dir} holds another sweep: {'; '.join(changes)}. Resume it with the same settings, "
                "or choose another --output_dir."
            )

    def run(self) -> dict[str, Any]:
        """Trains the remaining points, and returns when the result is written, by whichever process.

        Returns:
            The content of `sweep.json`: `best`, the name of the best point or `None` if all failed, and all `points`
            with their values.
        """
        if self.job.args.process_index > 0:
            return self._follow()
        while not self.report_path.exists():
            if not self._run_next():
                logger.warning_once(
                    "Waiting for the processes that train the remaining points of the sweep; a point of a process that "
                    f"was killed is free after {GRACE_S} s."
                )
                self._share(_WAIT)
                sleep(_POLL_S)
        if not self._wrote_result:  # which ends the process group
            self._share(_DONE)
        report = self._read_report()
        print("\n" + format_sweep(report))
        return report

    def _follow(self) -> dict[str, Any]:
        """Takes part in what the first process of this command runs."""
        while (name := self._share()) not in (_DONE, RESULT):
            if name != _WAIT:
                with suppress(DivergedError):
                    self._train(self.points[name])
        return self._write_result() if name == RESULT else self._read_report()

    def _share(self, content: Any = None) -> Any:
        """What the first process of this command passes to all of them."""
        return broadcast_object_list([content])[0]

    def _read_report(self) -> dict[str, Any]:
        return json.loads(self.report_path.read_text(encoding="utf-8"))

    def _run_next(self) -> bool:
        """Runs an entry of the queue, and returns whether there was one."""
        with self._lock:
            self._queue_missing()
        if not self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            return False
        self.study.optimize(self._run_trial, n_trials=1, gc_after_trial=True)
        return True

    def _queue_missing(self) -> None:
        """Queues what was not trained yet, or not to its end, and finally the result."""
        optuna.storages.fail_stale_trials(self.study)
        oldest = datetime.now() - timedelta(seconds=GRACE_S)
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            # It was stopped before its first heartbeat.
            if not trial.user_attrs.get("started") and (trial.datetime_start or oldest) < oldest:
                self.study.tell(trial.number, state=TrialState.FAIL)
        ended = self._ended()
        live = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING, TrialState.WAITING))
        for name in [name for name in self.points if name not in ended] or [RESULT]:
            if name not in {trial.user_attrs.get("name") for trial in live}:
                point = self.points.get(name)
                self.study.enqueue_trial(asdict(point) if point else {}, user_attrs={"name": name})

    def _ended(self) -> dict[str, FrozenTrial]:
        """The points that have a value, or a reason for their failure; not those whose process was stopped."""
        trials = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))
        ended = [trial for trial in trials if trial.state == TrialState.COMPLETE or "reason" in trial.user_attrs]
        return {trial.user_attrs["name"]: trial for trial in ended}

    def _run_trial(self, trial: optuna.Trial) -> float:
        if "name" not in trial.user_attrs:  # another process took the last entry of the queue
            raise optuna.TrialPruned
        trial.set_user_attr("started", True)
        name = self._share(trial.user_attrs["name"])
        if name == RESULT:
            report = self._write_result()
            return max((entry["value"] for entry in report["points"] if entry["name"] == report["best"]), default=0.0)
        print(f"\nPoint {name} of the sweep:")
        trial.suggest_categorical("learning_rate", self.job.sweep.sweep_learning_rate)
        trial.suggest_categorical("weight_decay", self.job.sweep.sweep_weight_decay)
        try:
            best, checkpoint = self._train(self.points[name], [_Ownership(self.study, trial)])
        except DivergedError as error:
            trial.set_user_attr("reason", str(error))
            return math.nan  # which Optuna counts as a failure
        trial.set_user_attr("epoch", best["epoch"])
        trial.set_user_attr("checkpoint", checkpoint)
        return best[f"eval_{self.job.args.metric_for_best_model}"]

    def _train(self, point: Point, callbacks: Sequence[TrainerCallback] = ()) -> tuple[dict[str, float], str]:
        """Trains a point from its last complete checkpoint.

        Returns:
            The log entry of its best evaluation, and the name of the checkpoint.

        Raises:
            DivergedError: a loss is not finite, or no evaluation has a value of the metric.
        """
        job = self._job_of(point, copy.deepcopy(self.job.model), self.folder / point.name)
        trainer = build_trainer(job)
        for callback in callbacks:
            trainer.add_callback(callback)
        if trainer.is_world_process_zero():
            trainer.write_settings(job.output_dir)
        trainer.train(resume_from_checkpoint=checkpoint_to_resume(job.output_dir, "latest"))
        best = best_log_entry(trainer.state, job.args.metric_for_best_model)
        if best is None or trainer.state.best_model_checkpoint is None:
            raise DivergedError(f"No evaluation has a finite {job.args.metric_for_best_model}.")
        return best, Path(trainer.state.best_model_checkpoint).name

    def _job_of(self, point: Point, model: Any, output_dir: Path) -> TrainingJob:
        args: SERTrainingArguments = copy.copy(self.job.args)
        for name, value in {**asdict(point), "output_dir": str(output_dir)}.items():
            setattr(args, name, value)
        settings = {**self.job.settings, **asdict(point)}
        resume_settings = {**self.job.resume_settings, **asdict(point)}
        return replace(self.job, model=model, args=args, settings=settings, resume_settings=resume_settings)

    def _write_result(self) -> dict[str, Any]:
        """Makes the best point the result, and at last writes the report, whose existence marks the end."""
        is_first = self.job.args.process_index == 0
        report = None
        if is_first:
            metric, greater = str(self.job.args.metric_for_best_model), bool(self.job.args.greater_is_better)
            report = summarize(self.points.values(), self._ended(), metric, greater)
        report = self._share(report)
        self._wrote_result = True
        for entry in report["points"]:
            if entry["name"] == report["best"]:
                model, _ = load_checkpoint(self.folder / entry["name"] / entry["checkpoint"])
                job = self._job_of(self.points[entry["name"]], model, self.job.output_dir)
                finalize(build_trainer(job), job)
        if is_first:
            for state in self.folder.glob("*/checkpoint-*/*.pt*"):  # of optimizers and the like, two thirds of the disk
                state.unlink(missing_ok=True)
            write_json(self.report_path, report)
        return report


class _Ownership(TrainerCallback):
    """Stops a process whose point was given to another one, because it was suspended or lost its connection."""

    def __init__(self, study: optuna.Study, trial: optuna.Trial):
        self.study = study
        self.trial = trial

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Called by the Trainer before it saves a checkpoint."""
        if self.study.get_trials(deepcopy=False)[self.trial.number].state != TrialState.RUNNING:
            name = self.trial.user_attrs["name"]
            raise SystemExit(f"train.py: another process resumed {name}, because this one was inactive.")
