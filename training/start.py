"""What a training starts from."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError
from transformers.utils import CONFIG_NAME
from transformers.utils.logging import get_logger

from common.training_record import RANDOM_WEIGHTS, TRAINING_RECORD, read_training_record

from .arguments.settings import ModelArguments
from .model import trained_config

logger = get_logger(__name__)

# CNN14 as published at zenodo.org/record/3987831. The names of other local files are not recorded.
_PUBLISHED_FILES = ("Cnn14_16k_mAP=0.438.pth", "Cnn14_mAP=0.431.pth")


def describe_start(arguments: ModelArguments) -> dict[str, Any]:
    """What a training starts from, without local paths.

    - `start`: `"random weights"`, `"hub"`, `"published file"` or `"local checkpoint"`; `"hub"` also for a folder that
      `--base_model` states to be a copy of a backbone;
    - `base_model`: the Hub id or the name of the published file, else `None`;
    - `revision`: the commit on the Hub, else `None`;
    - `before`: the `training.json` of a checkpoint of this project, or `None`.

    Raises:
        ValueError: `--base_model` is given for something else than a folder with a backbone.
    """
    start = {"start": RANDOM_WEIGHTS, "base_model": None, "revision": None, "before": None}
    name = arguments.model_name_or_path
    if name is None:
        return start
    if Path(name).name in _PUBLISHED_FILES:
        return {**start, "start": "published file", "base_model": Path(name).name}
    is_ours = trained_config(arguments) is not None
    if arguments.base_model not in (None, name):
        if is_ours or not Path(name).is_dir():
            raise ValueError(
                f"--base_model {arguments.base_model} states of which backbone a folder is a copy, but "
                f"--model_name_or_path {name} is {'a checkpoint of this project' if is_ours else 'not a folder'}."
            )
        return {**start, "start": "hub", "base_model": arguments.base_model}
    if Path(name).exists():
        return {**start, "start": "local checkpoint", "before": _record_of(name) if is_ours else None}
    # A branch moves; the commit identifies what was loaded.
    commit = hf_hub_download(name, CONFIG_NAME, revision=arguments.model_revision, dry_run=True).commit_hash
    before = _record_of(name, commit) if is_ours else None
    return {**start, "start": "hub", "base_model": name, "revision": commit, "before": before}


def _record_of(checkpoint: str, commit: str | None = None) -> dict[str, Any] | None:
    """`training.json` of a checkpoint of this project: of a folder, or of a commit on the Hub."""
    path = Path(checkpoint, TRAINING_RECORD)
    if commit is not None:
        with suppress(EntryNotFoundError):
            path = Path(hf_hub_download(checkpoint, TRAINING_RECORD, revision=commit))
    if path.is_file():
        return read_training_record(path)
    logger.warning("%s has no %s: its training data are unknown.", checkpoint, TRAINING_RECORD)
    return None
