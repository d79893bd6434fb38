"""Trainings shared by any number of processes: each is done once, and then the result of all is written.

An Optuna study holds the state of every training, in a file of the output folder or in the database of
`--sweep_storage`. Trainings are queued rather than sampled by Optuna's `GridSampler`, which may give the same one to
two processes that ask at the same time.
"""

from __future__ import annotations

import json
import math
import uuid
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any, NamedTuple

import optuna
from accelerate.utils import broadcast_object_list
from filelock import FileLock
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils.logging import get_logger

from common.files import write_text
from evaluation.metrics.compute import DivergedError

from .resume import STUDY_NAME, differences

logger = get_logger(__name__)

RESULT = "result"  # name of the last entry of the queue, which makes the result of all trainings
_WAIT, _DONE = "wait", "done"  # signals to the other processes of a command, in addition to names of entries
_POLL_S = 1.0
# A process records a heartbeat for its training; without one for the grace period, it goes to another process.
HEARTBEAT_S, GRACE_S = 10, 60


class Outcome(NamedTuple):
    """What a training comes to: a value to compare it by, and what else the study records."""

    value: float
    attributes: Mapping[str, Any]


class TrainingQueue(ABC):
    """A set of trainings, shared by all processes that were started with the same settings.

    Args:
        names: of the trainings.
        args: of each of them, but for what distinguishes them.
        folder: holds the study.
        report_path: the file whose existence marks the end.
        storage: a database for the study; by default a file in `folder`.
        settings: two groups of settings of the whole set, which must not change on a resume.

    Raises:
        ValueError: `folder` holds another set of trainings, or the storage does not work.
    """

    kind = "set of trainings"  # what it is called in messages

    def __init__(
        self,
        names: Sequence[str],
        args: TrainingArguments,
        *,
        folder: Path,
        report_path: Path,
        storage: str | None,
        settings: Mapping[str, Mapping[str, Any]],
    ):
        self.names = list(names)
        self.args = args
        self.folder = folder
        self.report_path = report_path
        self._wrote_result = False
        warnings.simplefilter("ignore", ExperimentalWarning)  # of Optuna's heartbeats
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # it warns of a training that fails, which the report lists
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.folder / "study.lock")
        with self._lock:  # processes that start together would all create the tables
            self.study = self._open_study(storage)
            self._check_settings(settings)

    @abstractmethod
    def train(self, name: str, callbacks: Sequence[TrainerCallback] = ()) -> Outcome:
        """Trains one of them, from its last complete checkpoint, in all processes of a command.

        Raises:
            DivergedError: it has no result.
        """

    @abstractmethod
    def write_result(self) -> dict[str, Any]:
        """Writes the result of all trainings in all processes of a command, and at last the file that marks the end."""

    @abstractmethod
    def format_report(self, report: Mapping[str, Any]) -> str:
        """The content of the file that marks the end as text."""

    def parameters(self, name: str) -> dict[str, float | int]:
        """What distinguishes a training, for those who look at the study."""
        return {}

    def _open_study(self, storage: str | None) -> optuna.Study:
        name_file = self.folder / STUDY_NAME
        if not name_file.is_file():
            write_text(name_file, f"{self.folder.name}-{uuid.uuid4().hex}")  # several may share a database
        url = storage or f"sqlite:///{(self.folder / 'study.db').absolute()}"
        is_file = url.startswith("sqlite")
        try:
            return optuna.create_study(
                study_name=name_file.read_text(encoding="utf-8"),
                direction="maximize" if self.args.greater_is_better else "minimize",
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

    def _check_settings(self, settings: Mapping[str, Mapping[str, Any]]) -> None:
        ours = json.loads(json.dumps(settings))
        for name in ours:
            if name not in self.study.user_attrs:
                self.study.set_user_attr(name, ours[name])
        known = self.study.user_attrs
        for name, values in ours.items():
            if changes := differences(known[name], values):
                raise ValueError(
                    f"{self.report_path.parent} holds another {self.kind}: {'; '.join(changes)}. Resume it with the "
                    "same settings, or choose another --output_dir."
                )

    def run(self) -> dict[str, Any]:
        """Trains what remains, and returns when the result is written, by whichever process.

        Returns:
            The content of the file that marks the end.
        """
        if self.args.process_index > 0:
            return self._follow()
        while not self.report_path.exists():
            if not self._run_next():
                logger.warning_once(
                    "Waiting for the processes that do the remaining trainings; that of a process that was killed is "
                    f"free after {GRACE_S} s."
                )
                self.share(_WAIT)
                sleep(_POLL_S)
        if not self._wrote_result:  # which ends the process group
            self.share(_DONE)
        report = self._read_report()
        print("\n" + self.format_report(report))
        return report

    def _follow(self) -> dict[str, Any]:
        """Takes part in what the first process of this command runs."""
        while (name := self.share()) not in (_DONE, RESULT):
            if name != _WAIT:
                with suppress(DivergedError):
                    self.train(name)
        return self._result() if name == RESULT else self._read_report()

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
        ended = self.ended()
        live = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING, TrialState.WAITING))
        for name in [name for name in self.names if name not in ended] or [RESULT]:
            if name not in {trial.user_attrs.get("name") for trial in live}:
                parameters = {} if name == RESULT else self.parameters(name)
                self.study.enqueue_trial(parameters, user_attrs={"name": name})

    def ended(self) -> dict[str, FrozenTrial]:
        """The trainings that have a value, or a reason for their failure; not those whose process was stopped."""
        trials = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))
        ended = [trial for trial in trials if trial.state == TrialState.COMPLETE or "reason" in trial.user_attrs]
        return {trial.user_attrs["name"]: trial for trial in ended}

    def _run_trial(self, trial: optuna.Trial) -> float:
        if "name" not in trial.user_attrs:  # another process took the last entry of the queue
            raise optuna.TrialPruned
        trial.set_user_attr("started", True)
        name = self.share(trial.user_attrs["name"])
        if name == RESULT:
            self._result()
            return 0.0
        print(f"\nTraining {name}:")
        for parameter in self.parameters(name):
            values = [self.parameters(other)[parameter] for other in self.names]
            trial.suggest_categorical(parameter, list(dict.fromkeys(values)))
        try:
            outcome = self.train(name, [_Ownership(self.study, trial)])
        except DivergedError as error:
            trial.set_user_attr("reason", str(error))
            return math.nan  # which Optuna counts as a failure
        for attribute, value in outcome.attributes.items():
            trial.set_user_attr(attribute, value)
        return outcome.value

    def _result(self) -> dict[str, Any]:
        self._wrote_result = True
        return self.write_result()

    def share(self, content: Any = None) -> Any:
        """What the first process of this command passes to all of them."""
        return broadcast_object_list([content])[0]


class _Ownership(TrainerCallback):
    """Stops a process whose training was given to another one, because it was suspended or lost its connection."""

    def __init__(self, study: optuna.Study, trial: optuna.Trial):
        self.study = study
        self.trial = trial

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Called by the Trainer before it saves a checkpoint."""
        if self.study.get_trials(deepcopy=False)[self.trial.number].state != TrialState.RUNNING:
            name = self.trial.user_attrs["name"]
            raise SystemExit(f"train.py: another process resumed {name}, because this one was inactive.")
