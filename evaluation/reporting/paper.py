"""What the paper prints (Sharma 2022, tables 2 to 4, figure 1), and its names for tasks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from transformers import PreTrainedConfig

# In the order in which Table 2 names them.
TASK_NAMES = {
    "emotion": "Em",
    "gender": "Ge",
    "language": "La",
    "f0_mean": "F0-me",
    "f0_std": "F0-st",
    "energy_mean": "En-me",
    "energy_std": "En-st",
    "voiced_ratio": "Vr",
}
BEST = "w2v + Em + Ge + La + F0-me"  # the paper's best row
SINGLE_TASK = "w2v + Em"


@cache
def load_paper() -> Mapping[str, Any]:
    """The content of `paper.yaml`."""
    return yaml.safe_load(Path(__file__).with_name("paper.yaml").read_text(encoding="utf-8"))


def row_name(config: PreTrainedConfig) -> str:
    """A model's name as in Table 2: `w2v + Em + Ge`. A task that the paper does not have goes by its own name.

    A network that pads clips as in the paper, where others of its kind mask the padding, is `w2v (padded)`.
    """
    network = f"{config.paper_name} (padded)" if config.to_dict().get("padding") == "paper" else config.paper_name
    names: list[str] = [task.name for task in config.get_tasks()]
    ordered = [name for name in TASK_NAMES if name in names] + [name for name in names if name not in TASK_NAMES]
    return " + ".join([network, *(TASK_NAMES.get(name, name) for name in ordered)])
