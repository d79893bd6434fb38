"""Settings -> what a command trains: one model, the points of a sweep, or several seeds and folds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evaluation.metrics.compute import DivergedError
from preprocessing.prepared.split_files import num_folds

from .arguments.settings import DataArguments, ModelArguments, QueueArguments
from .arguments.training_arguments import SERTrainingArguments
from .cross_validation import CrossValidation
from .job import prepare_job
from .resume import SWEEP
from .run import propose_bfloat16, train
from .sweep import Sweep


def plan_training(
    data: DataArguments,
    model: ModelArguments,
    args: SERTrainingArguments,
    queue: QueueArguments,
    settings: dict[str, Any],
) -> Callable[[], str]:
    """Checks everything that can be wrong before the first step.

    Returns:
        A function that trains, and returns a sentence on where the result is. It raises a
        [`~evaluation.metrics.compute.DivergedError`] where nothing was trained to its end.

    Raises:
        ValueError: a setting is not valid, or does not fit the data, the checkpoint or another setting.
    """
    several = bool(queue.seeds) or num_folds(data.data, data.protocol) is not None
    if several and queue.sweep:
        raise ValueError(
            f"--sweep searches with one seed and on one division, not with --seeds {queue.seeds} --protocol "
            f"{data.protocol}: give one of its folds, such as --protocol folds:5/1, and --seed."
        )
    if several and args.publish_to is not None:
        raise ValueError("--push_to_hub publishes one model: train it with one --seed, on one division of the clips.")
    if several:
        trainings = CrossValidation(data, model, args, queue, settings)
        return lambda: _run_cross_validation(trainings)
    job = prepare_job(data, model, args, queue, settings)
    if not (job.output_dir / SWEEP).exists():  # otherwise its points have a precision
        propose_bfloat16(job)
    if queue.sweep:
        sweep = Sweep(job)
        return lambda: _run_sweep(sweep)

    def run() -> str:
        train(job)
        return f"The checkpoint is in {args.output_dir}."

    return run


def _run_sweep(sweep: Sweep) -> str:
    if sweep.run()["best"] is None:
        raise DivergedError(f"Every point of the sweep failed, for the reasons in {sweep.report_path}.")
    return f"The checkpoint is in {sweep.job.output_dir}."


def _run_cross_validation(trainings: CrossValidation) -> str:
    report = trainings.run()
    failed = [entry["name"] for entry in report["trainings"] if entry["state"] == "failed"]
    if failed:
        raise DivergedError(f"{', '.join(failed)} failed, for the reasons in {trainings.report_path}.")
    return f"The report is {trainings.output_dir / 'report.md'}."
