"""The name of a checkpoint: its flag, and a check before anything is imported or loaded."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

# The repository's own model, which labels speech where no other is named.
DEFAULT_CHECKPOINT = str(Path(__file__).resolve().parents[1] / "models" / "whisper-base-ser")


def default_checkpoint() -> str:
    """The environment variable `SER_MODEL`, or else the repository's own model."""
    return os.environ.get("SER_MODEL") or DEFAULT_CHECKPOINT


def add_model_flag(parser: argparse.ArgumentParser) -> None:
    """Adds `--model`, which may be left out."""
    parser.add_argument(
        "--model",
        default=default_checkpoint(),
        metavar="CHECKPOINT",
        help="folder or Hub id of a checkpoint (default: SER_MODEL, or the repository's models/whisper-base-ser)",
    )


def check_checkpoint(name: str) -> None:
    """Raises a `ValueError` where a name can only be that of a folder, and the folder does not exist.

    Args:
        name: folder or Hub id, which is `NAME` or `NAMESPACE/NAME`.
    """
    may_be_on_the_hub = name.count("/") <= 1 and not name.startswith((".", "/", "~"))
    if not may_be_on_the_hub and not os.path.isdir(name):  # noqa: PTH112
        raise ValueError(f"The checkpoint folder {name} does not exist.")
