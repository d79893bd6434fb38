"""The batches of `train.py` among its settings: the effective batch is one, and the others follow from it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from .batches import BatchSettings
from .publishing import PublishingArguments


@dataclass
class BatchArguments(PublishingArguments):
    """[`PublishingArguments`] whose batches fit together: see [`BatchSettings`].

    Once made, the settings have no `None`, as for a network without batch statistics.
    """

    effective_batch_size: int | None = field(
        default=None,
        metadata={
            "help": "Clips of an update, over all processes and accumulated batches. Default: 32, or in a single "
            "process the product of the next two settings where both are given."
        },
    )
    per_device_train_batch_size: int | None = field(
        default=None,
        metadata={
            "help": "Clips of a batch on one device. Default: 8, or for a network with batch norm all that an update "
            "has for the device."
        },
    )
    gradient_accumulation_steps: int | None = field(
        default=None,
        metadata={"help": "Batches of an update on one device. Default: what the effective batch leaves."},
    )
    train_sampling_strategy: str | None = field(
        default=None,
        metadata={
            "help": "group_by_length, random or sequential. Default: group_by_length, or random for a network with "
            "batch norm."
        },
    )

    def __post_init__(self) -> None:
        self._batches = BatchSettings(*(getattr(self, entry.name) for entry in dataclasses.fields(BatchSettings)))
        super().__post_init__()
        self.fit_batches(batch_statistics=False)

    def fit_batches(self, *, batch_statistics: bool) -> None:
        """Sets what is not given of the batches as the network needs it: see [`BatchSettings.divide`]."""
        for name, value in vars(self._batches.divide(self.world_size, batch_statistics=batch_statistics)).items():
            setattr(self, name, value)
