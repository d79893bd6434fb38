"""The order of the clips in a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices

from .corpus_sampling import CorpusSampling


class ShuffledClips(Sampler[int]):
    """Indices in random order, another one in every epoch.

    Clips and order depend on seed and epoch alone rather than on the state of a global random generator, which differs
    after a resume and among processes.

    Args:
        num_clips: number of clips.
        seed: seed of the order.
        epoch: returns the epoch that begins.
        sampling: draws the clips of an epoch; `None` for each clip once.
    """

    def __init__(self, num_clips: int, seed: int, epoch: Callable[[], int], sampling: CorpusSampling | None = None):
        self.num_clips = num_clips
        self.seed = seed
        self.epoch = epoch
        self.sampling = sampling

    def __len__(self) -> int:
        return self.num_clips

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch())
        clips = torch.arange(self.num_clips) if self.sampling is None else self.sampling.draw(generator)
        yield from clips[self._order(clips, generator)].tolist()

    def _order(self, clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Places in `clips`, in the order of the epoch."""
        return torch.randperm(len(clips), generator=generator)


class LengthGroupedBatches(ShuffledClips):
    """Indices in batches of clips of about the same length, in a different order in every epoch.

    Like [`~transformers.trainer_pt_utils.LengthGroupedSampler`], but batches are shuffled rather than sorted from long
    to short within each megabatch (https://github.com/huggingface/transformers/issues/20810).

    Args:
        lengths: lengths of the clips.
        batch_size: number of clips of an effective batch.
        seed, epoch, sampling: of [`ShuffledClips`].
    """

    def __init__(
        self,
        lengths: Sequence[float],
        batch_size: int,
        seed: int,
        epoch: Callable[[], int],
        sampling: CorpusSampling | None = None,
    ):
        super().__init__(len(lengths), seed, epoch, sampling)
        self.lengths = lengths
        self.batch_size = batch_size

    def _order(self, clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        lengths = [self.lengths[clip] for clip in clips.tolist()]
        indices = get_length_grouped_indices(lengths, self.batch_size, generator=generator)
        batches = torch.tensor(indices).split(self.batch_size)
        num_full = len(indices) // self.batch_size
        shuffled = [batches[position] for position in torch.randperm(num_full, generator=generator).tolist()]
        return torch.cat([*shuffled, *batches[num_full:]])
