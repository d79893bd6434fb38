"""The order of the clips in a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices


class LengthGroupedBatches(Sampler[int]):
    """Indices in batches of clips of about the same length, in a different order in every epoch.

    Like [`~transformers.trainer_pt_utils.LengthGroupedSampler`], but batches are shuffled rather than sorted from long
    to short within each megabatch (https://github.com/huggingface/transformers/issues/20810), and the order depends on
    seed and epoch alone rather than on the state of a global random generator, which differs after a resume and among
    processes.

    Args:
        lengths: lengths of the clips.
        batch_size: number of clips of an effective batch.
        seed: seed of the order.
        epoch: returns the epoch that begins.
    """

    def __init__(self, lengths: Sequence[float], batch_size: int, seed: int, epoch: Callable[[], int]):
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch())
        indices = get_length_grouped_indices(self.lengths, self.batch_size, generator=generator)
        batches = [indices[i : i + self.batch_size] for i in range(0, len(indices), self.batch_size)]
        full = [batch for batch in batches if len(batch) == self.batch_size]
        for position in torch.randperm(len(full), generator=generator).tolist():
            yield from full[position]
        if len(full) < len(batches):
            yield from batches[-1]
