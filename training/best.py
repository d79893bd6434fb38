"""The best evaluation, whose checkpoint is kept: logged after each evaluation and at the end."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils.logging import get_logger

logger = get_logger(__name__)


class BestCallback(TrainerCallback):
    """Logs after every evaluation the metric that chooses the best checkpoint."""

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Called by the Trainer."""
        name = f"eval_{args.metric_for_best_model}"
        if state.is_world_process_zero and metrics and name in metrics:
            logger.warning("Epoch %.4g: %s %.4f.", state.epoch or 0, args.metric_for_best_model, metrics[name])


def best_log_entry(state: TrainerState, metric: str | None) -> dict[str, float] | None:
    """The log entry of the evaluation whose checkpoint is kept as the best, or `None`."""
    if metric is None or state.best_model_checkpoint is None:
        return None
    step = int(state.best_model_checkpoint.rpartition("-")[2])
    return next((line for line in state.log_history if line["step"] == step and f"eval_{metric}" in line), None)


def describe_best(state: TrainerState, metric: str | None, epochs: float) -> str:
    """A sentence about the best evaluation, for the end of a training."""
    line = best_log_entry(state, metric)
    if line is None:
        return "The weights are those of the last step, because no evaluation chose a checkpoint."
    return f"Best checkpoint: epoch {line['epoch']:.4g} of {epochs:.4g}, with {metric} {line[f'eval_{metric}']:.4f}."
