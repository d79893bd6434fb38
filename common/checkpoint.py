"""Loading checkpoints of the project's architectures, their weight files, and their identity."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    PreTrainedConfig,
    PreTrainedModel,
    SequenceFeatureExtractor,
)
from transformers.utils import SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME
from transformers.utils.hub import cached_file
from transformers.utils.logging import disable_progress_bar

from modeling.auto_ser import architecture_of
from modeling.configuration_ser import SER_FORMAT
from modeling.modeling_base_ser import IncompleteCheckpointError


def load_config(checkpoint: str | os.PathLike[str], revision: str = "main") -> PreTrainedConfig:
    """The configuration of a checkpoint of any architecture.

    Raises:
        ValueError: the checkpoint does not exist, or has the format of another version of this project.
    """
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(checkpoint, revision=revision, trust_remote_code=False)
        content, _ = PreTrainedConfig.get_config_dict(checkpoint, revision=revision)
    except Exception as error:  # the errors of invalid files have no common class
        raise ValueError(f"{checkpoint} is not a checkpoint: {_first_line(error)}") from error
    if architecture_of(config) is not None:
        _check_format(checkpoint, content.get("ser_format", 1))  # format 1 had no number
    return config


def _check_format(checkpoint: str | os.PathLike[str], number: int) -> None:
    if number == SER_FORMAT:
        return
    settings = Path(checkpoint, "train_config.yaml")
    source = f"--config {settings}" if settings.is_file() else "--data PREPARED --model_name_or_path BACKBONE"
    raise ValueError(
        f"{checkpoint} has checkpoint format {number}, but this version reads format {SER_FORMAT}. Train it again: "
        f"python train.py {source} --output_dir NEW_FOLDER"
    )


def load_checkpoint(
    checkpoint: str | os.PathLike[str], revision: str = "main"
) -> tuple[PreTrainedModel, SequenceFeatureExtractor]:
    """The model of a fine-tuned checkpoint in float32, ready to predict, and its feature extractor.

    Code beside the checkpoint is not run.

    Args:
        checkpoint: folder or Hub id.
        revision: branch, tag or commit of a Hub repository.

    Raises:
        ValueError: it is not a complete checkpoint that `train.py` wrote.
    """
    config = load_config(checkpoint, revision)
    if architecture_of(config) is None:
        raise ValueError(f"{checkpoint} is a {config.model_type!r} checkpoint, not one that train.py wrote.")
    where = {"revision": revision, "trust_remote_code": False}
    if not sys.stderr.isatty():
        disable_progress_bar()  # the one of loading weights fills logs
    try:
        feature_extractor = AutoFeatureExtractor.from_pretrained(checkpoint, **where)
        model = AutoModelForAudioClassification.from_pretrained(
            checkpoint, dtype="float32", use_safetensors=True, **where
        )
    except IncompleteCheckpointError:
        raise
    except Exception as error:
        raise ValueError(f"{checkpoint} is not a complete checkpoint: {_first_line(error)}") from error
    return model.eval(), feature_extractor


def weight_files(checkpoint: str | os.PathLike[str]) -> list[Path]:
    """The weight files of a checkpoint in a folder: one, or the shards that their index lists.

    Raises:
        ValueError: the index cannot be read.
    """
    single, index = Path(checkpoint, SAFE_WEIGHTS_NAME), Path(checkpoint, SAFE_WEIGHTS_INDEX_NAME)
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
    try:
        config = cached_file(checkpoint, "config.json", local_files_only=True)
    except (OSError, ValueError):  # not in the cache, or not a valid Hub id
        return None
    return Path(config).parent if config else None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
