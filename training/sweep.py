"""A grid of trainings shared by any number of processes, and the best of them as the result: `--sweep`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from common.checkpoint import load_checkpoint
from common.files import write_json
from evaluation.metrics.compute import DivergedError

from .arguments.training_arguments import SERTrainingArguments
from .best import best_log_entry
from .job import TrainingJob
from .queue import Outcome, TrainingQueue
from .resume import SWEEP, checkpoint_to_resume
from .run import build_trainer, finalize
from .sweep_report import Point, format_sweep, summarize

_POINT = ("learning_rate", "weight_decay")  # settings that distinguish the points


class Sweep(TrainingQueue):
    """A grid of trainings, shared by all processes that were started with the same settings.

    Args:
        job: the training of which each point is a variant; its `output_dir` gets the result, and `sweep.json`: `best`,
            the name of the best point or `None` if all failed, and all `points` with their values.

    Raises:
        ValueError: `output_dir` holds a sweep of another grid or with other settings, or the storage does not work.
    """

    kind = "sweep"

    def __init__(self, job: TrainingJob):
        self.job = job
        queue = job.queue
        grid = [Point(rate, decay) for rate in queue.sweep_learning_rate for decay in queue.sweep_weight_decay]
        self.points = {point.name: point for point in grid}
        values = {name: getattr(queue, name) for name in ("sweep_learning_rate", "sweep_weight_decay")}
        super().__init__(
            list(self.points),
            job.args,
            folder=job.output_dir / SWEEP,
            report_path=job.output_dir / "sweep.json",
            storage=queue.sweep_storage,
            settings={
                "settings": {**_without(job.settings, "output_dir", *_POINT), **values},
                "resume_settings": _without(job.resume_settings, *_POINT),
            },
        )

    def parameters(self, name: str) -> dict[str, float | int]:
        """Learning rate and weight decay."""
        return asdict(self.points[name])

    def format_report(self, report: Mapping[str, Any]) -> str:
        """The points as a table."""
        return format_sweep(report)

    def train(self, name: str, callbacks: Sequence[TrainerCallback] = ()) -> Outcome:
        """Trains a point from its last complete checkpoint.

        Returns:
            The score of its best evaluation, with the epoch and the name of the checkpoint.

        Raises:
            DivergedError: a loss is not finite, or no evaluation has a value of the metric.
        """
        job = self._job_of(self.points[name], copy.deepcopy(self.job.model), self.folder / name)
        trainer = build_trainer(job)
        for callback in callbacks:
            trainer.add_callback(callback)
        if trainer.is_world_process_zero():
            trainer.write_settings(job.output_dir)
        trainer.train(resume_from_checkpoint=checkpoint_to_resume(job.output_dir, "latest"))
        metric = job.args.metric_for_best_model
        best = best_log_entry(trainer.state, metric)
        if best is None or trainer.state.best_model_checkpoint is None:
            raise DivergedError(f"No evaluation has a finite {metric}.")
        checkpoint = Path(trainer.state.best_model_checkpoint).name
        return Outcome(best[f"eval_{metric}"], {"epoch": best["epoch"], "checkpoint": checkpoint})

    def _job_of(self, point: Point, model: Any, output_dir: Path) -> TrainingJob:
        args: SERTrainingArguments = copy.copy(self.job.args)
        for name, value in {**asdict(point), "output_dir": str(output_dir)}.items():
            setattr(args, name, value)
        settings = {**self.job.settings, **asdict(point)}
        resume_settings = {**self.job.resume_settings, **asdict(point)}
        return replace(self.job, model=model, args=args, settings=settings, resume_settings=resume_settings)

    def write_result(self) -> dict[str, Any]:
        """Makes the best point the result, and at last writes the report, whose existence marks the end."""
        is_first = self.args.process_index == 0
        report = None
        if is_first:
            metric, greater = str(self.args.metric_for_best_model), bool(self.args.greater_is_better)
            report = summarize(self.points.values(), self.ended(), metric, greater)
        report = self.share(report)
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


def _without(settings: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in names}
