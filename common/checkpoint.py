"""Loading checkpoints of the project's architectures."""

from __future__ import annotations

import os
import sys

from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    PreTrainedConfig,
    PreTrainedModel,
    SequenceFeatureExtractor,
)
from transformers.utils.logging import disable_progress_bar

from modeling.auto_ser import architecture_of
from modeling.modeling_base_ser import IncompleteCheckpointError

from .checkpoint_files import check_format


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
        check_format(checkpoint, content.get("ser_format", 1))  # format 1 had no number
    return config


def load_checkpoint(
    checkpoint: str | os.PathLike[str], revision: str = "main"
) -> tuple[PreTrainedModel, SequenceFeatureExtractor]:
    """The model of a fine-tuned checkpoint in float32, ready to predict, and its feature extractor.

    Code in the folder of the checkpoint is not run.

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


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
