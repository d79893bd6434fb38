"""Every point of a grid trained once, by any number of processes, and the best of them made the result: `--sweep`."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from accelerate.utils import broadcast_object_list
from filelock import FileLock, Timeout
from optuna.trial import FrozenTrial, TrialState
from transformers import PreTrainedModel
from transformers.utils.logging import get_logger

from common.checkpoint import load_checkpoint
from common.files import write_json
from evaluation.metrics.compute import DivergedError

from .best import best_line
from .job import Job
from .resume import STUDY, SWEEP, checkpoint_to_resume
from .resume_settings import differences
from .run import build_trainer, finish
from .trainer import MultiTaskSERTrainer

logger = get_logger(__name__)

_RESULT, _WAIT, _DONE = "result", "wait", "done"  # what a process does next, where it is not to train a point
_POLL_S = 1.0


@dataclass(frozen=True)
class Point:
    """A point of the grid."""

    learning_rate: float
    weight_decay: float

    @property
    def name(self) -> str:
        """Of its folder, such as `lr1e-3-wd1e-5`."""
        return f"lr{_short(self.learning_rate)}-wd{_short(self.weight_decay)}"


_POINT = tuple(field.name for field in fields(Point))


def _short(value: float) -> str:
    return np.format_float_scientific(value, trim="-", exp_digits=1) if value else "0"


class SweepTrainer(MultiTaskSERTrainer):
    """Trains one point: from its last whole checkpoint, and with the value of the checkpoint that is kept.

    The Trainer itself would start each trial anew, and report the last evaluation, whichever model it keeps.

    Args:
        model: what training starts from; it is left as it is.
        args, kwargs: of [`MultiTaskSERTrainer`].
    """

    def __init__(self, model: PreTrainedModel, *args: Any, **kwargs: Any):
        super().__init__(None, *args, model_init=lambda: copy.deepcopy(model), **kwargs)

    def search(self, point: Point, greater_is_better: bool, **study: Any) -> None:
        """Trains `point` as a trial of a study, and tells the study its value, or why it has none."""
        metric = f"eval_{self.args.metric_for_best_model}"
        self.failed = False
        try:
            self.hyperparameter_search(
                # A range of a single number: who trains what is settled by locks, and Optuna keeps the record.
                hp_space=lambda trial: {
                    name: trial.suggest_float(name, value, value) for name, value in asdict(point).items()
                },
                compute_objective=lambda metrics: metrics[metric],
                n_trials=1,
                direction="maximize" if greater_is_better else "minimize",
                backend="optuna",
                hp_name=lambda trial: point.name,
                pruner=optuna.pruners.NopPruner(),  # by default a sixth trial may be cut short
                load_if_exists=True,
                **study,
            )
        except ValueError:
            if not self.failed:  # else: no trial of the study has a value yet, and so none is the best
                raise

    def train(self, resume_from_checkpoint: Any = None, trial: Any = None, ignore_keys_for_eval: Any = None) -> None:
        """Trains a trial, on from its last whole checkpoint, and sets `objective`."""
        folder = Path(self._get_output_dir(trial))
        checkpoint = checkpoint_to_resume(folder, "latest")
        if self.is_world_process_zero():
            self.write_record(folder)
        try:
            super().train(checkpoint, trial, ignore_keys_for_eval)
            line = self._line_of_kept_checkpoint()
        except DivergedError as error:
            self.failed, self.objective = True, math.nan  # which Optuna takes for a failure
            trial.set_user_attr("reason", str(error))
        else:
            self.objective = line[f"eval_{self.args.metric_for_best_model}"]
            trial.set_user_attr("epoch", line["epoch"])
            trial.set_user_attr("checkpoint", Path(self.state.best_model_checkpoint).name)

    def _line_of_kept_checkpoint(self) -> dict:
        line = best_line(self.state, self.args.metric_for_best_model)
        if line is None:
            raise DivergedError(f"No evaluation had a {self.args.metric_for_best_model} to choose a checkpoint by.")
        return line


class Sweep:
    """A grid of trainings, shared by all processes that were started with the same settings.

    Who trains a point, or writes the result, holds a lock on a file, which the operating system drops when the
    process ends, in whatever way. So a point without a value whose lock is free is free itself, at once.

    Args:
        job: the training of which each point is a variant; its `output_dir` gets the result.

    Raises:
        ValueError: `output_dir` holds a sweep of another grid or with other settings.
    """

    def __init__(self, job: Job):
        self.job = job
        self.folder = Path(job.args.output_dir) / SWEEP
        self.report = Path(job.args.output_dir) / "sweep.json"
        rates, decays = job.sweep.sweep_learning_rate, job.sweep.sweep_weight_decay
        self.points = [Point(rate, decay) for rate in rates for decay in decays]
        self._lock: FileLock | None = None
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / "study.lock"):  # two that start at once would both make its tables
            self._in_study = {
                "study_name": SWEEP,
                "storage": optuna.storages.RDBStorage(
                    f"sqlite:///{(self.folder / STUDY).absolute()}", engine_kwargs={"connect_args": {"timeout": 60}}
                ),
            }
            direction = "maximize" if job.args.greater_is_better else "minimize"
            self.study = optuna.create_study(direction=direction, load_if_exists=True, **self._in_study)
            self._check_settings()

    def _check_settings(self) -> None:
        grid = {name: value for name, value in asdict(self.job.sweep).items() if name != "sweep"}
        settings = {name: value for name, value in self.job.settings.items() if name not in ("output_dir", *_POINT)}
        mine = json.loads(json.dumps({**settings, **grid}))
        if "settings" not in self.study.user_attrs:
            self.study.set_user_attr("record", self.job.resume_settings)
            self.study.set_user_attr("settings", mine)
        known = self.study.user_attrs
        theirs = known["settings"]
        changes = [
            f"{name} {theirs.get(name, 'by default')}, not {mine.get(name, 'by default')}"
            for name in sorted(mine.keys() | theirs)
            if mine.get(name) != theirs.get(name)
        ]
        changes = changes or differences(known.get("record", {}), self.job.resume_settings, ignored=_POINT)
        if changes:
            raise ValueError(
                f"{self.job.args.output_dir} holds another sweep, with {'; '.join(changes)}. Go on with the same "
                "settings, or choose another --output_dir."
            )

    def run(self) -> dict:
        """Trains what is left of the grid, and returns when the result is there, whoever wrote it.

        Returns:
            What is in `sweep.json`: `best`, the name of the best point or `None` where none has a value, and all
            `points` with their values.
        """
        while (what := self._shared(self._claim)) not in (_RESULT, _DONE):
            if what == _WAIT:
                logger.warning_once("Other processes have what is left of the sweep: waiting for them.")
                time.sleep(_POLL_S)
            else:
                self._train(what)
                self._release()
        if what == _RESULT:
            report = self._shared(self._summary)
            self._write_result(report)  # which ends the group of processes
            self._release()
        else:
            report = json.loads(self.report.read_text(encoding="utf-8"))
        if self.job.args.process_index == 0:
            print("\n" + format_sweep(report))
        return report

    def _shared(self, decide: Callable[[], Any]) -> Any:
        """What the first of the processes of this command decides."""
        return broadcast_object_list([decide() if self.job.args.process_index == 0 else None])[0]

    def _claim(self) -> Point | str:
        """What is to be done next, with its lock, where there is something to do."""
        if self.report.exists():
            return _DONE
        ended = self._ended()
        for what in [point for point in self.points if point not in ended] or [_RESULT]:
            lock = FileLock(self.folder / f"{what if what == _RESULT else what.name}.lock")
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            if not self._was_done(what):
                self._lock = lock
                return what
            lock.release()
        return _WAIT

    def _was_done(self, what: Point | str) -> bool:
        """Whether another process did this before its lock came to us."""
        if what == _RESULT:
            return self.report.exists()
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if trial.params == asdict(what):  # without a lock: its process is dead
                self.study.tell(trial.number, state=TrialState.FAIL)
        return what in self._ended()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _ended(self) -> dict[Point, FrozenTrial]:
        """The points that have a value, or a reason why they have none; not those whose process was stopped."""
        trials = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))
        ended = [trial for trial in trials if trial.state == TrialState.COMPLETE or "reason" in trial.user_attrs]
        return {Point(**trial.params): trial for trial in ended}

    def _train(self, point: Point) -> None:
        if self.job.args.process_index == 0:
            print(f"\nPoint {point.name} of the sweep:")
        job = replace(self.job, args=self._args(output_dir=str(self.folder)))
        build_trainer(job, SweepTrainer).search(point, self.job.args.greater_is_better, **self._in_study)

    def _args(self, **changes: Any) -> Any:
        args = copy.copy(self.job.args)  # a Trainer sets a point in its arguments
        for name, value in changes.items():
            setattr(args, name, value)
        return args

    def _summary(self) -> dict:
        ended = self._ended()
        points = []
        for point in self.points:
            trial = ended[point]
            complete = trial.state == TrialState.COMPLETE
            points.append(
                {
                    "name": point.name,
                    **asdict(point),
                    "state": "complete" if complete else "failed",
                    "value": trial.value if complete else None,
                    "epoch": trial.user_attrs.get("epoch"),
                    "checkpoint": trial.user_attrs.get("checkpoint"),
                    "seconds": round(trial.duration.total_seconds(), 1),
                    "reason": trial.user_attrs.get("reason"),
                }
            )
        complete = [entry for entry in points if entry["state"] == "complete"]
        sign = 1 if self.job.args.greater_is_better else -1
        best = max(complete, key=lambda entry: sign * entry["value"])["name"] if complete else None
        metric, greater = self.job.args.metric_for_best_model, self.job.args.greater_is_better
        return {"metric": metric, "greater_is_better": greater, "best": best, "points": points}

    def _write_result(self, report: dict) -> None:
        """Makes the best point's model the result, and last of all, as a sign that it is whole, the report."""
        for entry in report["points"]:
            if entry["name"] == report["best"]:
                model, _ = load_checkpoint(str(self.folder / entry["name"] / entry["checkpoint"]))
                point = {name: entry[name] for name in _POINT}
                args, settings = self._args(**point), {**self.job.settings, **point}
                job = replace(self.job, model=model, args=args, settings=settings)
                finish(build_trainer(job), job)
        if self.job.args.process_index == 0:
            for state in self.folder.glob("*/checkpoint-*/*.pt*"):  # optimizers and the like, two thirds of the disk
                state.unlink(missing_ok=True)
            write_json(self.report, report)


def format_sweep(report: dict) -> str:
    """The points and their values as a table, with the best marked."""
    width = max(len(entry["name"]) for entry in report["points"]) + 2
    lines = [f"{'point':<{width}}{report['metric']:>24}{'epoch':>8}{'seconds':>10}"]
    for entry in report["points"]:
        line = f"{entry['name']:<{width}}"
        if entry["state"] == "failed":
            lines.append(f"{line}{'failed':>24}{'':>8}{entry['seconds']:>10.1f}  {entry['reason']}")
        else:
            mark = "  best" if entry["name"] == report["best"] else ""
            lines.append(f"{line}{entry['value']:>24.4f}{entry['epoch']:>8.3g}{entry['seconds']:>10.1f}{mark}")
    return "\n".join(lines)
