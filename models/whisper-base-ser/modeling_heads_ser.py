"""What all networks share after their backbone: pooling over time, one linear head per task, the multi-task loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from transformers.utils.generic import ModelOutput

from .tasks_ser import IGNORE_INDEX, Task


@dataclass
class MultiTaskSEROutput(ModelOutput):
    """
    Output of a multi-task speech emotion recognition model.

    Args:
        loss (`torch.Tensor` of shape `(1,)`, *optional*, returned when `labels` are given):
            Sum of the task losses, each times the weight of its task.
        logits (`torch.Tensor` of shape `(batch_size, num_labels)`):
            Scores of the main task, emotion, before softmax: what an ordinary audio classifier returns.
        task_logits (`ModelOutput`):
            Task name to its head's output of shape `(batch_size, num_outputs)`. [`Task.decode`] turns it into
            probabilities or physical units.
        task_losses (`ModelOutput`, *optional*, returned when `labels` are given):
            Task name to its loss before the task's weight.
        embeddings (`torch.Tensor` of shape `(batch_size, pooled_size)`):
            Features of a clip, pooled over time: the input of the heads.
        hidden_states, attentions (`tuple(torch.Tensor)`, *optional*):
            As the backbone returns them.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    task_logits: ModelOutput | None = None
    task_losses: ModelOutput | None = None
    embeddings: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


def masked_mean(hidden_states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over time of `hidden_states` `(batch, frames, features)` where `mask` `(batch, frames)` is true.

    It sums in float32, because three hundred bfloat16 frames would lose digits.
    """
    weights = mask.unsqueeze(-1).float()
    return ((hidden_states.float() * weights).sum(dim=1) / weights.sum(dim=1)).to(hidden_states.dtype)


class AttentiveStatisticsPooling(nn.Module):
    """Weighted mean and standard deviation over time, with learned weights of frames (Okabe et al. 2018).

    One score per frame, from a layer of 128 units with tanh; its softmax over the clip's own frames are the weights.
    """

    def __init__(self, features: int):
        super().__init__()
        self.hidden = nn.Linear(features, 128)
        self.score = nn.Linear(128, 1)

    def forward(self, hidden_states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """`(batch, frames, features)`, true where `mask` `(batch, frames)` has audio -> `(batch, 2 * features)`."""
        scores = self.score(self.hidden(hidden_states).tanh()).float()
        weights = scores.masked_fill(mask.unsqueeze(-1) == 0, -torch.inf).softmax(dim=1)
        states = hidden_states.float().masked_fill(mask.unsqueeze(-1) == 0, 0.0)
        mean = (weights * states).sum(dim=1)
        variance = (weights * (states - mean.unsqueeze(1)).square()).sum(dim=1)
        # The root of zero has no finite gradient: one frame has no deviation.
        return torch.cat([mean, variance.clamp(min=1e-6).sqrt()], dim=1).to(hidden_states.dtype)


class MultiTaskHeads(nn.ModuleDict):
    """One linear layer per task (paper, section 4), by the task's name."""

    def __init__(self, hidden_size: int, tasks: Sequence[Task]):
        super().__init__({task.name: nn.Linear(hidden_size, task.num_outputs) for task in tasks})

    def forward(self, pooled: torch.Tensor) -> ModelOutput:
        """`pooled` `(batch, hidden_size)` -> task name to logits `(batch, num_outputs)`."""
        return ModelOutput({name: head(pooled) for name, head in self.items()})

    @torch.no_grad()
    def apply_temperature(self, temperatures: Mapping[str, float]) -> None:
        """Divides the logits of heads by temperatures (Guo et al. 2017), which become part of the heads' weights.

        Args:
            temperatures: task name to what its logits are divided by, above 0.
        """
        for name, temperature in temperatures.items():
            for parameter in self[name].parameters():
                parameter.div_(temperature)


def multi_task_loss(
    task_logits: Mapping[str, torch.Tensor],
    labels: Mapping[str, torch.Tensor],
    tasks: Sequence[Task],
    num_items_in_batch: Mapping[str, torch.Tensor | int] | None = None,
) -> tuple[torch.Tensor, ModelOutput]:
    """Weighted cross entropy and standardized L2 over the labeled clips (paper, section 4); concordance; soft labels.

    The cross entropy of soft labels is the mean of those of its labels by their shares, class weights included, so that
    a clip whose annotators agree has the loss of a single label.

    A class weight stays with its clip: the sum of `weight * nll` is divided by the number of labeled clips, not by
    their weights, which in small batches would cancel. The concordance loss alone is not a sum over clips: it depends
    on how the effective batch is divided, each part of which counts by its labeled clips.

    Args:
        task_logits: task name to `(batch, num_outputs)`.
        labels: task name to `(batch,)`: int64 with -100, or float32 with NaN, where the label is missing; of soft
            labels their shares, `(batch, labels)`, float32 with NaN. Tasks that it lacks, and entries that are not a
            task, are left out.
        tasks: what the heads predict.
        num_items_in_batch: task name to the labeled clips of the effective batch, over all accumulated batches and
            processes; by default those of this batch.

    Returns:
        The total and, per task, its loss before the task's weight. A task without a label has the loss 0.
    """
    # Zero, but it keeps every head in the graph.
    total = torch.stack([logits.sum() for logits in task_logits.values()]).sum() * 0.0
    losses = ModelOutput()
    for task in tasks:
        if task.name not in labels:
            continue
        logits, target = task_logits[task.name].float(), labels[task.name]
        if num_items_in_batch is None:
            count = labeled(target).sum()
        else:
            count = torch.as_tensor(num_items_in_batch[task.name], device=logits.device)
        loss = _loss_sum(task, logits, target) / count.clamp(min=1)
        losses[task.name] = loss
        total = total + task.weight * loss
    return total, losses


def labeled(target: torch.Tensor) -> torch.Tensor:
    """Where a target `(batch,)`, or of soft labels `(batch, labels)`, holds a label: boolean `(batch,)`."""
    known = ~target.isnan() if target.is_floating_point() else target != IGNORE_INDEX
    return known.flatten(1).all(dim=1) if target.ndim > 1 else known


def _loss_sum(task: Task, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    if task.is_classification:
        weight = logits.new_tensor(task.class_weights) if task.class_weights else None
        if target.is_floating_point():  # shares; those of a missing label are 0, and so is its loss
            return F.cross_entropy(logits, target.nan_to_num(), weight, reduction="sum")
        return F.cross_entropy(logits, target, weight, ignore_index=IGNORE_INDEX, reduction="sum")
    standardized = (target.float() - task.mean) / task.std
    known = labeled(target)
    if task.loss == "ccc":
        return known.sum() * (1 - _concordance(logits.squeeze(-1)[known], standardized[known]))
    # Replaced before squaring: a NaN behind a mask of zeros would still reach the gradient.
    error = torch.where(known, logits.squeeze(-1) - standardized.nan_to_num(), 0.0)
    return error.square().sum()


def _concordance(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Lin's concordance correlation (1989) of two tensors `(clips,)`; 0 where nothing varies."""
    if not predicted.numel():
        return predicted.sum()
    bias = predicted.mean() - target.mean()
    covariance = ((predicted - predicted.mean()) * (target - target.mean())).mean()
    spread = predicted.var(correction=0) + target.var(correction=0) + bias.square()
    return 2 * covariance / (spread + torch.finfo(spread.dtype).eps)
