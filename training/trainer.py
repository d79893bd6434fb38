"""Hugging Face's Trainer for several heads: losses over the effective batch, and errors for losses that diverge."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from accelerate.utils import gather_object
from torch.utils.data import DataLoader, Sampler, SequentialSampler
from transformers import Trainer, TrainerCallback

from evaluation.metrics.compute import DivergedError
from modeling import Task
from modeling.modeling_heads_ser import labeled, multi_task_loss
from preprocessing.augmentation.augment import Augmentation
from preprocessing.prepared.rows import ROW

from .arguments.training_arguments import SERTrainingArguments
from .corpus_sampling import CorpusSampling
from .learning_rates import learning_rates, split_by_rate
from .sampler import LengthGroupedBatches, ShuffledClips


class _EpochCallback(TrainerCallback):
    """Sets the epoch of an augmentation."""

    def __init__(self, augmentation: Augmentation):
        self.augmentation = augmentation

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.augmentation.set_epoch(int(state.epoch or 0))


class MultiTaskSERTrainer(Trainer):
    """A [`~transformers.Trainer`] for models with several heads.

    `num_items_in_batch` is the number of labeled clips of each task over all accumulated batches and all processes, so
    that the gradient of 32 clips does not depend on how they are divided.

    Args:
        tasks: tasks of the heads.
        write_settings: writes the settings of the training to a folder; called for every checkpoint.
        augmentation: of the training clips; evaluations during the training do without it.
        sampling: draws the training clips of an epoch; `None` for each clip once.
        args, kwargs: of [`~transformers.Trainer`]. `eval_dataset` is evaluated in its own order.
    """

    args: SERTrainingArguments

    def __init__(
        self,
        *args: Any,
        tasks: Sequence[Task],
        write_settings: Callable[[Path], None],
        augmentation: Augmentation | None = None,
        sampling: CorpusSampling | None = None,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.tasks = tasks
        self.write_settings = write_settings
        self.augmentation = augmentation
        self.sampling = sampling
        if augmentation is not None:
            self.add_callback(_EpochCallback(augmentation))
        # Per task: sum of the clips' losses, and number of clips, since the last log entry.
        self._logged = torch.zeros(2, len(tasks), dtype=torch.float64)

    def get_train_dataloader(self) -> DataLoader:
        """The loader of the training clips, which are augmented."""
        plain: Any = self.data_collator  # which the loaders of evaluations keep
        self.data_collator = replace(plain, transform=self.augmentation)
        try:
            return super().get_train_dataloader()
        finally:
            self.data_collator = plain

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler | None:
        clips: Any = train_dataset or self.train_dataset
        order: dict[str, Any] = {
            "seed": self.args.seed,
            "epoch": lambda: int(self.state.epoch or 0),
            "sampling": self.sampling,
        }
        if self.args.train_sampling_strategy == "group_by_length":
            batch_size = cast(int, self.args.effective_batch_size)  # which is set once the arguments are made
            return LengthGroupedBatches(clips["duration_s"][:], batch_size, **order)
        if self.sampling is not None:
            return ShuffledClips(len(clips), **order)
        return super()._get_train_sampler(train_dataset)

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler:
        return SequentialSampler(eval_dataset)

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """The Trainer's optimizer, with a parameter group for each learning rate."""
        is_new = self.optimizer is None
        optimizer = super().create_optimizer(model)
        if is_new:
            network: Any = self.model
            names = {parameter: name for name, parameter in network.named_parameters()}
            optimizer.param_groups = split_by_rate(optimizer.param_groups, names, learning_rates(network, self.args))
        return optimizer

    def _get_num_items_in_batch(self, batch_samples: list[dict], device: torch.device) -> Any:
        counts = torch.zeros(len(self.tasks), dtype=torch.int64, device=device)
        for batch in batch_samples:
            counts += self._count_labeled(batch).to(device)
        if self.args.world_size > 1:
            counts = self.accelerator.reduce(counts, reduction="sum")
        return {task.name: count for task, count in zip(self.tasks, counts, strict=True)}

    def _count_labeled(self, batch: dict) -> torch.Tensor:
        return torch.stack([labeled(batch["labels"][task.name]).sum() for task in self.tasks])

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict,
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Computes the loss, and accumulates the task losses for the log."""
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if model.training:
            # A task's loss is the sum over clips, divided by the number of clips of the effective batch.
            sums = [outputs.task_losses[task.name].detach() * num_items_in_batch[task.name] for task in self.tasks]
            self._logged += torch.stack([torch.stack(sums), self._count_labeled(inputs)]).to(self._logged)
        return (loss, outputs) if return_outputs else loss

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict,
        num_items_in_batch: Any = None,
    ) -> torch.Tensor:
        """Computes the gradient of a batch.

        Raises:
            DivergedError: the loss is not finite; raised in all processes if it is not finite in one of them.
        """
        loss = super().training_step(model, inputs, num_items_in_batch)
        has_diverged = ~loss.isfinite()
        if self.accelerator.reduce(has_diverged.float(), reduction="sum"):
            batch, diverged = self._find_diverged_clips(model, inputs) if has_diverged else ([], [])
            batch, diverged = gather_object(batch), gather_object(diverged)
            message = (
                f"The loss of step {self.state.global_step + 1} is not finite, in the batch of {', '.join(batch)}: "
            )
            if 0 < len(diverged) < len(batch):
                raise DivergedError(
                    f"{message}that of {', '.join(diverged)} is not finite, that of the other clips is."
                )
            raise DivergedError(f"{message}the training has diverged; try a lower --learning_rate.")
        return loss

    @torch.no_grad()
    def _find_diverged_clips(self, model: torch.nn.Module, inputs: dict) -> tuple[list[str], list[str]]:
        """Ids of the clips of a batch, and of those whose own loss is not finite."""
        inputs = self._prepare_inputs(inputs)
        labels = inputs.pop("labels")
        task_logits = self.accelerator.unwrap_model(model).eval()(**inputs).task_logits
        clips: Any = self.train_dataset
        ids = dict(zip(clips[ROW][:], clips["id"][:], strict=True))
        batch = [ids[row] for row in labels[ROW].tolist()]
        diverged = []
        for place, id_ in enumerate(batch):
            own_logits, own_labels = (
                {name: values[place, None] for name, values in batched.items()} for batched in (task_logits, labels)
            )
            if not multi_task_loss(own_logits, own_labels, self.tasks)[0].isfinite():
                diverged.append(id_)
        return batch, diverged

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        super()._save(output_dir, state_dict)
        self.write_settings(Path(output_dir or str(self.args.output_dir)))

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds to a training log entry the mean loss over labeled clips of each task, as `loss_TASK`.

        Raises:
            DivergedError: a loss of an evaluation is not finite.
        """
        if "loss" in logs:
            sums, counts = self.accelerator.reduce(self._logged.to(self.args.device), reduction="sum").cpu()
            logs |= {
                f"loss_{task.name}": round((total / count).item(), 4)
                for task, total, count in zip(self.tasks, sums, counts, strict=True)
                if count > 0
            }
            self._logged.zero_()
        super().log(logs, start_time)
        for name, value in logs.items():
            if name.startswith("eval_loss") and not math.isfinite(value):
                step = self.state.global_step
                raise DivergedError(f"{name} is {value} at step {step}: the training has diverged.")
