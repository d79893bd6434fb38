"""Batch sizes: how the clips of an update are divided among processes, and into accumulated batches on each of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import torch

from .hub import HubArguments

EFFECTIVE_BATCH_SIZE = 32
_SMALL, _LARGE = 8, 32  # clips of a batch
# On a GPU a step of XLSR-53 takes about as long with 32 clips as with 8. In bfloat16, 32 clips of 6 s take 16 GB,
# without SDPA 23 GB (benchmarks/RESULTS.md, On a GPU); other encoders and float32 take more.
_LARGE_FITS = 38e9  # bytes, of a card that is sold as one of 40 GB


@dataclass(frozen=True)
class BatchSettings:
    """The batch sizes that were set; `None` follows from the rest.

    [`~training.arguments.value_checks.check_values`] checks each value.

    Args:
        effective_batch_size: clips of an update, over all processes and accumulated batches.
        per_device_train_batch_size: clips of a batch.
        gradient_accumulation_steps: batches of an update in each process.
        train_sampling_strategy: one of `SAMPLING_STRATEGIES`.
    """

    effective_batch_size: int | None = None
    per_device_train_batch_size: int | None = None
    gradient_accumulation_steps: int | None = None
    train_sampling_strategy: str | None = None

    def divide(self, processes: int, *, batch_statistics: bool = False, at_once: int = _SMALL) -> BatchSettings:
        """The same without `None`, so that an update has the same number of clips however many processes share them.

        Args:
            processes: number of processes that train together.
            batch_statistics: whether the network computes statistics over a batch, as batch norm does. Then a batch is
                by default all clips that an update has for its process, sampled at random: few clips, or clips of one
                length, do not represent the data.
            at_once: clips of a batch at most, where neither batch statistics nor a setting asks for another number.

        Raises:
            ValueError: the processes cannot share an update equally, or the settings contradict each other.
        """
        effective = self._effective(processes)
        share, rest = divmod(effective, processes)
        if rest:
            raise ValueError(
                f"{processes} processes cannot share an effective batch of {effective} clips equally. Start another "
                f"number of processes, or give --effective_batch_size a multiple of {processes}, such as "
                f"{max(1, round(effective / processes)) * processes}."
            )
        steps = self.gradient_accumulation_steps
        per_device = self.per_device_train_batch_size or _default_per_device(share, steps, batch_statistics, at_once)
        steps = steps or max(1, share // per_device)
        if per_device * steps != share:
            raise ValueError(
                f"The effective batch of {effective} clips (--effective_batch_size) is {share} for each process "
                f"(processes: {processes}), but --per_device_train_batch_size {per_device} and "
                f"--gradient_accumulation_steps {steps} make {per_device * steps}. Remove one of them, or set "
                f"--effective_batch_size {per_device * steps * processes}."
            )
        sampling = self.train_sampling_strategy or ("random" if batch_statistics else "group_by_length")
        return BatchSettings(effective, per_device, steps, sampling)

    def _effective(self, processes: int) -> int:
        if self.effective_batch_size is not None:
            return self.effective_batch_size
        sizes = (self.per_device_train_batch_size, self.gradient_accumulation_steps)
        if processes == 1 and sizes[0] is not None and sizes[1] is not None:
            return sizes[0] * sizes[1]  # of several processes it would change with their number
        return EFFECTIVE_BATCH_SIZE


def clips_at_once(device: torch.device) -> int:
    """Clips of a batch: more on a GPU that has the memory for them."""
    if device.type == "cuda" and torch.cuda.get_device_properties(device).total_memory >= _LARGE_FITS:
        return _LARGE
    return _SMALL


def _default_per_device(share: int, steps: int | None, batch_statistics: bool, at_once: int) -> int:
    if steps is not None:
        return max(1, share // steps)
    return share if batch_statistics else _largest_divisor(share, at_once)


def _largest_divisor(number: int, at_most: int) -> int:
    return max(divisor for divisor in range(1, at_most + 1) if number % divisor == 0)


@dataclass
class BatchArguments(HubArguments):
    """[`HubArguments`] with consistent batch sizes, see [`BatchSettings`], and sampling over corpora.

    Initially they are those of a network without batch statistics; none is `None` any more.
    """

    effective_batch_size: int | None = field(
        default=None,
        metadata={
            "help": "Clips of an update, over all processes and accumulated batches. Default: 32, or in a single "
            "process the product of the next two settings where both are given."
        },
    )
    per_device_train_batch_size: int | None = field(  # type: ignore[assignment]
        default=None,
        metadata={
            "help": "Clips of a batch on one device. Default: 8, on a GPU of 40 GB or more 32, and for a network with "
            "batch norm all that an update has for the device."
        },
    )
    gradient_accumulation_steps: int | None = field(  # type: ignore[assignment]
        default=None,
        metadata={"help": "Batches of an update on one device. Default: what the effective batch leaves."},
    )
    train_sampling_strategy: str | None = field(  # type: ignore[assignment]
        default=None,
        metadata={
            "help": "group_by_length, random or sequential. Default: group_by_length, or random for a network with "
            "batch norm."
        },
    )
    corpus_temperature: float = field(
        default=1.0,
        metadata={
            "help": "Sampling over corpora: the share of a corpus of n clips in an epoch is proportional to n to the "
            "power of this number. 1: as they are; 0: the same number of clips of each. The length of an epoch does "
            "not change: small corpora repeat clips, large ones have a random subset in each epoch."
        },
    )

    def __post_init__(self) -> None:
        self._given_batches = BatchSettings(*(getattr(self, entry.name) for entry in dataclasses.fields(BatchSettings)))
        super().__post_init__()
        self.set_batch_sizes(batch_statistics=False)
        if self.corpus_temperature != 1 and self.train_sampling_strategy == "sequential":
            raise ValueError(
                f"--corpus_temperature {self.corpus_temperature} draws clips at random, which "
                "--train_sampling_strategy sequential contradicts: remove one of them."
            )

    def set_batch_sizes(self, *, batch_statistics: bool) -> None:
        """Sets the batch sizes that were not given to what the network needs: see [`BatchSettings.divide`]."""
        divided = self._given_batches.divide(
            self.world_size, batch_statistics=batch_statistics, at_once=clips_at_once(self.device)
        )
        for name, value in vars(divided).items():
            setattr(self, name, value)
