"""The files of a checkpoint, without PyTorch: its weights, its format, and its identity."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from modeling.tasks_ser import SER_FORMAT

_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"  # as transformers names them


def check_format(checkpoint: str | os.PathLike[str], number: int) -> None:
    """Raises a `ValueError` where a checkpoint has the format of another version of this project."""
    if number == SER_FORMAT:
        return
    settings = Path(checkpoint, "train_config.yaml")
    source = f"--config {settings}" if settings.is_file() else "--data PREPARED --model_name_or_path BACKBONE"
    raise ValueError(
        f"{checkpoint} has checkpoint format {number}, but this version reads format {SER_FORMAT}. Train it again: "
        f"python train.py {source} --output_dir NEW_FOLDER"
    )


def weight_files(checkpoint: str | os.PathLike[str]) -> list[Path]:
    """The weight files of a checkpoint in a folder: one, or the shards that their index lists.

    Raises:
        ValueError: the index cannot be read.
    """
    single, index = Path(checkpoint, _WEIGHTS), Path(checkpoint, _INDEX)
    if single.is_file() or not index.is_file():
        return [single]
    try:
        names = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return sorted({Path(checkpoint, Path(name).name) for name in names})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{index} does not list the files of the weights.") from error


def weights_sha256(checkpoint: str | os.PathLike[str]) -> str | None:
    """The identity of a model: the SHA-256 of its weights, shards or ONNX files one behind another.

    It ties predictions and metrics to the weights that they were computed with, wherever these lie.

    Args:
        checkpoint: folder, or Hub id of a model that has been loaded.

    Returns:
        `None` for a Hub id whose weights are not in the local cache.
    """
    folder = _local_folder(checkpoint)
    if folder is None:
        return None
    digest = hashlib.sha256()
    files = weight_files(folder)
    for path in files if files[0].is_file() else sorted(folder.glob("*.onnx*")) or files:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)  # updates the same digest
    return digest.hexdigest()


def _local_folder(checkpoint: str | os.PathLike[str]) -> Path | None:
    if Path(checkpoint).is_dir():
        return Path(checkpoint)
    from transformers.utils.hub import cached_file

    try:
        config = cached_file(checkpoint, "config.json", local_files_only=True)
    except (OSError, ValueError):  # not in the cache, or not a valid Hub id
        return None
    return Path(config).parent if config else None
