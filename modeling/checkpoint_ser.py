"""Loads a checkpoint with this project's code, and says in a sentence what is wrong with one that does not load."""

from __future__ import annotations

import os

from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    PreTrainedConfig,
    PreTrainedModel,
    SequenceFeatureExtractor,
)

from .configuration_ser import Wav2Vec2MultiTaskSERConfig


def load_config(checkpoint: str | os.PathLike, revision: str = "main") -> PreTrainedConfig:
    """The configuration of a checkpoint of any architecture.

    Raises:
        ValueError: there is none.
    """
    try:
        return AutoConfig.from_pretrained(checkpoint, revision=revision, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{checkpoint} is not a checkpoint: {_first_line(error)}") from error


def load_checkpoint(
    checkpoint: str | os.PathLike, revision: str = "main"
) -> tuple[PreTrainedModel, SequenceFeatureExtractor]:
    """The model of a fine-tuned checkpoint in float32, ready to predict, and its feature extractor.

    No code that lies beside the checkpoint is run.

    Args:
        checkpoint: folder or Hub id.
        revision: branch, tag or commit of a Hub repository.

    Raises:
        ValueError: it is none that `train.py` wrote, or not whole.
    """
    config = load_config(checkpoint, revision)
    if not isinstance(config, Wav2Vec2MultiTaskSERConfig):
        raise ValueError(f"{checkpoint} is a {config.model_type!r} checkpoint, not one that train.py wrote.")
    try:
        where = {"revision": revision, "trust_remote_code": False}
        model = AutoModelForAudioClassification.from_pretrained(checkpoint, dtype="float32", **where)
        return model.eval(), AutoFeatureExtractor.from_pretrained(checkpoint, **where)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{checkpoint} is not a whole checkpoint: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
