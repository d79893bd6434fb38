"""How the clips of an update are divided into batches: among processes, and one after the other on each of them."""

from __future__ import annotations

from dataclasses import dataclass

EFFECTIVE_BATCH_SIZE = 32
STRATEGIES = ("group_by_length", "random", "sequential")
_AT_ONCE = 8  # clips of 6 s for which a GPU of 24 GB has room while XLSR-53 trains


@dataclass(frozen=True)
class BatchSettings:
    """What a user says of the batches; `None` is left to us.

    Args:
        effective_batch_size: clips of an update, over all processes and accumulated batches.
        per_device_train_batch_size: clips of a batch.
        gradient_accumulation_steps: batches of an update in each process.
        train_sampling_strategy: one of `STRATEGIES`.

    Raises:
        ValueError: a number is below 1, or there is no such strategy.
    """

    effective_batch_size: int | None = None
    per_device_train_batch_size: int | None = None
    gradient_accumulation_steps: int | None = None
    train_sampling_strategy: str | None = None

    def __post_init__(self) -> None:
        for name in ("effective_batch_size", "per_device_train_batch_size", "gradient_accumulation_steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"--{name} has to be 1 or more; got {value}.")
        if self.train_sampling_strategy not in (None, *STRATEGIES):
            raise ValueError(
                f"--train_sampling_strategy takes {', '.join(STRATEGIES)}; got {self.train_sampling_strategy!r}."
            )

    def divide(self, processes: int, *, batch_statistics: bool = False) -> BatchSettings:
        """The same with nothing left open, so that an update has the same clips however many processes share them.

        Args:
            processes: that train together.
            batch_statistics: whether the network computes statistics over a batch, as batch norm does. Then a batch is
                by default the whole share of its process, drawn at random: few clips, or clips of one length, are not
                like the data.

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
        at_once = self.per_device_train_batch_size or _clips_at_once(share, steps, batch_statistics)
        steps = steps or max(1, share // at_once)
        if at_once * steps != share:
            raise ValueError(
                f"The effective batch of {effective} clips (--effective_batch_size) is {share} for each process "
                f"(processes: {processes}), but --per_device_train_batch_size {at_once} and "
                f"--gradient_accumulation_steps {steps} make {at_once * steps}. Leave one of them out, or give "
                f"--effective_batch_size {at_once * steps * processes}."
            )
        sampling = self.train_sampling_strategy or ("random" if batch_statistics else "group_by_length")
        return BatchSettings(effective, at_once, steps, sampling)

    def _effective(self, processes: int) -> int:
        if self.effective_batch_size is not None:
            return self.effective_batch_size
        sizes = (self.per_device_train_batch_size, self.gradient_accumulation_steps)
        if processes == 1 and None not in sizes:  # which tells it as well; of several processes it would tell another
            return sizes[0] * sizes[1]
        return EFFECTIVE_BATCH_SIZE


def _clips_at_once(share: int, steps: int | None, batch_statistics: bool) -> int:
    if steps is not None:
        return max(1, share // steps)
    return share if batch_statistics else _largest_divisor(share, _AT_ONCE)


def _largest_divisor(number: int, at_most: int) -> int:
    return max(divisor for divisor in range(1, at_most + 1) if number % divisor == 0)
