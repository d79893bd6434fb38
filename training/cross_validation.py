"""One model trained several times, with several seeds or on several folds: `--seeds 1 2 3`, `--protocol folds:5`.

Each training is in a folder of its own, `seed-1/fold-2`, which an ordinary training with its `train_config.yaml` would
fill alike. Their result is one report on all of them.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from optuna.trial import TrialState
from transformers import TrainerCallback

from common.files import write_json
from common.text_tables import format_table
from common.trainings import TRAININGS_FILE, Training
from evaluation.run import evaluate_checkpoints
from preprocessing.prepared.split_files import num_folds

from .arguments.settings import DataArguments, ModelArguments, QueueArguments
from .arguments.training_arguments import SERTrainingArguments
from .job import TrainingJob, prepare_job
from .queue import Outcome, TrainingQueue
from .resume import TRAININGS, check_cross_validation
from .run import propose_bfloat16, train

_OWN = ("protocol", "data", "seed")  # what is each training's own, of the settings that must not change on a resume


class CrossValidation(TrainingQueue):
    """All seeds and folds of one model, shared by all processes that were started with the same settings.

    Args:
        data, model, args, queue, settings: as of [`~training.job.prepare_job`]; a protocol of folds stands for all of
            them. `output_dir` gets a folder of each training, the report on all, and `trainings.json`.

    Raises:
        ValueError: a setting does not fit the data, the model or another setting; or `output_dir` holds something else.
    """

    kind = "set of seeds and folds"

    def __init__(
        self,
        data: DataArguments,
        model: ModelArguments,
        args: SERTrainingArguments,
        queue: QueueArguments,
        settings: dict[str, Any],
    ):
        self._settings = (data, model, args, replace(queue, seeds=[]), settings)
        self.output_dir = Path(str(args.output_dir))
        check_cross_validation(args)
        folds = num_folds(data.data, data.protocol)
        chosen = range(1, folds + 1) if folds else [None]
        trainings = [Training(seed, fold) for seed in queue.seeds or [args.seed] for fold in chosen]
        self.trainings = {training.name: training for training in trainings}
        first = self._job_of(trainings[0], self.output_dir / TRAININGS, resume=None)  # finds what is invalid
        if "test" not in first.splits:
            raise ValueError(f"Protocol {data.protocol} of {data.data} has no test clips, which seeds are compared on.")
        if not (self.output_dir / TRAININGS).exists():  # otherwise the trainings have a precision
            propose_bfloat16(first)
        super().__init__(
            list(self.trainings),
            args,
            folder=self.output_dir / TRAININGS,
            report_path=self.output_dir / TRAININGS_FILE,
            storage=queue.sweep_storage,
            settings={
                "settings": {
                    **{name: value for name, value in settings.items() if name not in ("output_dir", "seed")},
                    "trainings": list(self.trainings),
                },
                "resume_settings": {name: value for name, value in first.resume_settings.items() if name not in _OWN},
            },
        )

    def _job_of(self, training: Training, output_dir: Path, resume: str | None) -> TrainingJob:
        data, model, args, queue, settings = self._settings
        protocol = data.protocol if training.fold is None else f"{data.protocol}/{training.fold}"
        args = copy.copy(args)
        own = {"seed": training.seed, "output_dir": str(output_dir)}
        for name, value in {**own, "resume_from_checkpoint": resume}.items():
            setattr(args, name, value)
        return prepare_job(
            replace(data, protocol=protocol), model, args, queue, {**settings, **own, "protocol": protocol}
        )

    def parameters(self, name: str) -> dict[str, float | int]:
        """Seed and fold."""
        training = self.trainings[name]
        return {"seed": training.seed, **({} if training.fold is None else {"fold": training.fold})}

    def train(self, name: str, callbacks: Sequence[TrainerCallback] = ()) -> Outcome:
        """Trains and evaluates one of them; the Trainer's checkpoints are removed, which nothing needs any more.

        Returns:
            The score of the main task on its test clips.
        """
        output = self.output_dir / name
        if (output / "metrics.json").is_file():  # its process was stopped between the last file and the study's record
            report = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
        else:
            report = train(self._job_of(self.trainings[name], output, resume="latest"), callbacks, summary=False)
        if self.args.process_index > 0:
            return Outcome(0.0, {})
        for checkpoint in output.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
        return Outcome(_main_score(report), {})

    def write_result(self) -> dict[str, Any]:
        """Writes the report on all trainings, and at last `trainings.json`, whose existence marks the end."""
        report: dict[str, Any] | None = None
        if self.args.process_index == 0:
            report = {"protocol": self._settings[0].protocol, "trainings": self._entries()}
            failed = [entry for entry in report["trainings"] if entry["state"] == "failed"]
            if not failed:
                evaluate_checkpoints([str(self.output_dir)], Path(self._settings[0].data), self.output_dir)
            write_json(self.report_path, report)
        return self.share(report)

    def _entries(self) -> list[dict[str, Any]]:
        ended = self.ended()
        entries = []
        for name, training in self.trainings.items():
            trial = ended[name]
            complete = trial.state == TrialState.COMPLETE
            entries.append(
                {
                    "name": name,
                    "seed": training.seed,
                    "fold": training.fold,
                    "state": "complete" if complete else "failed",
                    "score": trial.value if complete else None,
                    "seconds": round(trial.duration.total_seconds(), 1) if trial.duration else None,
                    "reason": trial.user_attrs.get("reason"),
                }
            )
        return entries

    def format_report(self, report: Mapping[str, Any]) -> str:
        """The trainings as a table."""
        rows = [
            [
                entry["name"],
                "failed" if entry["score"] is None else f"{entry['score']:.4f}",
                None if entry["seconds"] is None else f"{entry['seconds']:.1f}",
                entry["reason"] or "",
            ]
            for entry in report["trainings"]
        ]
        return format_table(rows, ["training", "test score", "seconds", ""], "lrrl")


def _main_score(report: Mapping[str, Any]) -> float:
    """Weighted F1 of the main task, or CCC, as mean over corpora; 0 where no test clip has a label for it."""
    row = report["tasks"][report["main_task"]].get("mean_over_corpora", {})
    return row.get("weighted_f1", row.get("ccc")) or 0.0
