"""Sampling over corpora with a temperature: how many clips of each corpus an epoch has, and which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch


def clips_per_epoch(counts: Mapping[str, int], temperature: float) -> dict[str, int]:
    """Number of clips of each corpus in an epoch that has as many clips as all corpora together.

    Shares are proportional to `count ** temperature`; what rounding down leaves goes to the largest remainders. With a
    temperature from 0 to 1, no corpus is left without a clip.

    Args:
        counts: corpus to its number of clips.
        temperature: 1 for the corpora as they are, 0 for the same number of clips of each.
    """
    weights = np.array(list(counts.values()), dtype=float) ** temperature
    exact = sum(counts.values()) * weights / weights.sum()
    whole = np.floor(exact).astype(int)
    missing = sum(counts.values()) - whole.sum()
    whole[np.argsort(whole - exact, kind="stable")[:missing]] += 1
    return dict(zip(counts, whole.tolist(), strict=True))


class CorpusSampling:
    """Draws the clips of an epoch, of each corpus as many as [`clips_per_epoch`] gives.

    A corpus that has fewer clips repeats them, each floor or ceil of the same number of times; one that has more
    contributes a random subset without repetition.

    Args:
        corpora: corpus of each clip.
        temperature: of [`clips_per_epoch`].

    Attributes:
        counts, per_epoch: corpus to its number of clips, and to that in an epoch.
    """

    def __init__(self, corpora: Sequence[str], temperature: float):
        self.counts = dict(sorted(Counter(corpora).items()))
        self.per_epoch = clips_per_epoch(self.counts, temperature)
        names = np.array(corpora)
        self._clips = {corpus: torch.from_numpy(np.flatnonzero(names == corpus)) for corpus in self.counts}

    def draw(self, generator: torch.Generator) -> torch.Tensor:
        """Indices of the clips of an epoch, int64 `(clips,)`, corpus by corpus; they depend on the generator alone."""
        drawn = []
        for corpus, clips in self._clips.items():
            repetitions, rest = divmod(self.per_epoch[corpus], len(clips))
            some = clips[torch.randperm(len(clips), generator=generator)[:rest]]
            drawn += [*[clips] * repetitions, some]
        return torch.cat(drawn)


def describe_sampling(sampling: CorpusSampling, temperature: float) -> str:
    """The clips of each corpus in an epoch, a line each, for the log."""
    total = sum(sampling.counts.values())
    lines = [f"--corpus_temperature {temperature:g}: each epoch of {total:,} clips has"]
    for corpus, count in sampling.counts.items():
        drawn = sampling.per_epoch[corpus]
        lines.append(f"  {drawn:,} of {corpus}, which has {count:,} (each {drawn / count:.2f} times)")
    return "\n".join(lines)
