"""A command line of train.py -> where it asks to publish, found before the libraries of training are imported."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

# The words of transformers' HfArgumentParser.
_YES = ("yes", "true", "t", "y", "1")
_NO = ("no", "false", "f", "n", "0")
_DEFAULTS = {"push_to_hub": False, "hub_private_repo": True}


class PushTarget(NamedTuple):
    """A repository that is to be published to.

    Attributes:
        repo_id: `NAMESPACE/NAME`.
        public: whether all may see it.
    """

    repo_id: str
    public: bool


def find_push_target(argv: Sequence[str]) -> PushTarget | None:
    """Where `--push_to_hub`, `--hub_model_id` and `--hub_private_repo` lead, be they flags or in `--config` files.

    What is wrong with a file or a flag is left to train.py's own parser, which says it in full, and so is a call for
    help: nothing is created for either.

    Args:
        argv: the words behind `train.py`.

    Returns:
        `None` where nothing is to be published, or train.py will stop with a message.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-h", "--help", action="store_true")
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
    push, private = (_truth(settings.get(name, default)) for name, default in _DEFAULTS.items())
    if flags.help or not push or private is None or not settings.get("hub_model_id"):
        return None
    return PushTarget(settings["hub_model_id"], public=not private)


def _truth(value: object) -> bool | None:
    """What a word says; `None` if it is neither a yes nor a no."""
    word = str(value).lower()
    return True if word in _YES else False if word in _NO else None
