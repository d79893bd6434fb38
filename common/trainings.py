"""Several trainings of one model: a folder with a folder of each, `seed-1/fold-2`, or `seed-1` without folds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

TRAININGS_FILE = "trainings.json"  # in the same folder: how each ended


@dataclass(frozen=True, order=True)
class Training:
    """One of several trainings of a model.

    Args:
        seed: of the training.
        fold: whose test clips it is tested on, from 1; `None` without folds.
    """

    seed: int
    fold: int | None = None

    @property
    def name(self) -> str:
        """Its folder, within that of all."""
        return f"seed-{self.seed}" if self.fold is None else f"seed-{self.seed}/fold-{self.fold}"


def find_trainings(folder: str | Path) -> dict[int, list[Training]]:
    """The finished trainings in a folder, by seed, sorted; empty if it does not hold several."""
    found: dict[int, list[Training]] = {}
    for path in sorted(Path(folder).glob("seed-*")):
        if seed := re.fullmatch(r"seed-(\d+)", path.name):
            folds = [int(part.name[5:]) for part in path.glob("fold-*") if re.fullmatch(r"fold-\d+", part.name)]
            trainings = [Training(int(seed[1]), fold) for fold in sorted(folds)] or [Training(int(seed[1]))]
            done = [each for each in trainings if Path(folder, each.name, "model.safetensors").is_file()]
            if done:
                found[int(seed[1])] = done
    return dict(sorted(found.items()))
