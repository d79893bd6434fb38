"""Which clips a checkpoint was trained on, and under which protocol."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from .files import write_text

TRAINING_CLIPS = "training_clips.txt"


def training_protocol(checkpoint: str) -> str:
    """The protocol that a checkpoint was trained under.

    Raises:
        ValueError: its train_config.yaml is missing, or does not name one.
    """
    path = Path(checkpoint, "train_config.yaml")
    if not path.is_file():
        raise ValueError(f"{checkpoint} has no train_config.yaml, which would name its protocol: give --protocol.")
    try:
        return str(yaml.safe_load(path.read_text(encoding="utf-8"))["protocol"])
    except (UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(f"{path} does not name the checkpoint's protocol: give --protocol.") from error


def write_training_clips(checkpoint: Path, ids: Iterable[str], before: Iterable[str] | None = ()) -> None:
    """Records in a checkpoint's folder the clips that it was trained on; nothing, unless all of them are known.

    Args:
        checkpoint: its folder.
        ids: of the clips of its training.
        before: of those that the checkpoint it started from was trained on, `None` where unknown.
    """
    path = checkpoint / TRAINING_CLIPS
    seen = union(ids, before)
    if seen is None:
        path.unlink(missing_ok=True)
    else:
        write_text(path, "\n".join(sorted(seen)) + "\n")


def union(*ids: Iterable[str] | None) -> set[str] | None:
    """All of several sets of clips, `None` where one of them is unknown."""
    known = [each for each in ids if each is not None]
    return set[str]().union(*known) if len(known) == len(ids) else None


def read_training_clips(checkpoint: str) -> set[str] | None:
    """Ids of the clips that a checkpoint was trained on, `None` where unknown."""
    path = Path(checkpoint, TRAINING_CLIPS)
    return set(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else None
