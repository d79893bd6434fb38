"""Augmentation of a training: random transforms of each clip, other ones in every epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from .babble import Voices
from .transforms import TRANSFORMS, ClipContext, seeded_generator, transform_clip


class Augmentation:
    """Applies each of some transforms with a probability.

    Choices depend on seed, epoch, clip and transform alone: they are the same after a resume, in any worker process,
    and whatever other transforms there are.

    Args:
        names: names of the transforms.
        probability: probability of each of them, for each clip.
        seed: seed of the choices.
        clips: the training clips, which babble is made of.
    """

    def __init__(self, names: Sequence[str], probability: float, seed: int, clips: Dataset):
        self.names = [name for name in TRANSFORMS if name in names]  # in the order of application
        self.probability = probability
        self.seed = seed
        self.voices = Voices(clips) if "babble" in names else None
        # Worker processes that outlive an epoch have a copy of this object, but share this number.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch that begins, here and in the worker processes that have a copy."""
        self._epoch.fill_(epoch)

    def __call__(self, row: Mapping[str, Any], waveform: np.ndarray) -> tuple[Mapping[str, Any], np.ndarray]:
        for name in self.names:
            random = seeded_generator(self.seed, self._epoch.item(), row["id"], name)
            if random.random() < self.probability:
                context = ClipContext(random, row["id"], self.voices)
                row, waveform = transform_clip(name, TRANSFORMS[name].draw(random), row, waveform, context)
        return row, waveform
