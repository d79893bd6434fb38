"""A command line of train.py -> where it asks to publish, found before the libraries of training are imported."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_YES = ("yes", "true", "t", "y", "1")  # of transformers' HfArgumentParser


class Destination(NamedTuple):
    """A repository that is to be published to.

    Attributes:
        repo_id: `NAMESPACE/NAME`.
        public: whether all may see it.
    """

    repo_id: str
    public: bool


def find_destination(argv: Sequence[str]) -> Destination | None:
    """Where `--push_to_hub`, `--hub_model_id` and `--hub_private_repo` lead, be they flags or in `--config` files.

    What is wrong with a file or a flag is left to train.py's own parser, which says it in full.

    Args:
        argv: the words behind `train.py`.

    Returns:
        `None` where nothing is to be published.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--config", nargs="+", default=[])
    parser.add_argument("--push_to_hub", "--push-to-hub", nargs="?", const="true")
    parser.add_argument("--hub_model_id", "--hub-model-id")
    parser.add_argument("--hub_private_repo", "--hub-private-repo")
    try:
        flags, _ = parser.parse_known_args(argv)
        settings: dict[str, Any] = {}
        for path in flags.config:
            settings |= yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (argparse.ArgumentError, OSError, ValueError, TypeError, yaml.YAMLError):
        return None
    settings |= {name: value for name, value in vars(flags).items() if value is not None}
    if not _is_yes(settings.get("push_to_hub", False)) or not settings.get("hub_model_id"):
        return None
    return Destination(settings["hub_model_id"], public=not _is_yes(settings.get("hub_private_repo", True)))


def _is_yes(value: object) -> bool:
    return str(value).lower() in _YES
