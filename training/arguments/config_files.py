"""YAML files of settings -> the flags that say the same."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from common.command_line import did_you_mean

START = frozenset({"model_name_or_path", "config_name"})  # two names for what a training starts from


def read_configs(paths: Sequence[str], flags: Sequence[str], parser: argparse.ArgumentParser) -> list[str]:
    """YAML files as the flags that say the same, less what later files or `flags` say otherwise.

    Raises:
        ValueError: a file is missing or not YAML, or a setting of it is unknown or of a wrong type.
    """
    settings: dict[str, list[str]] = {}
    flagged = {word.partition("=")[0][2:].replace("-", "_"): [] for word in flags if word.startswith("--")}
    for later in [*(_read_config(Path(path), parser) for path in paths), flagged]:
        if not START.isdisjoint(later):
            settings = {name: words for name, words in settings.items() if name not in START}
        settings |= later
    return [word for name, words in settings.items() if name not in flagged for word in words]


def _read_config(path: Path, parser: argparse.ArgumentParser) -> dict[str, list[str]]:
    """The settings of a YAML file, each as the words of a command line."""
    if not path.is_file():
        raise ValueError(f"--config {path}: no such file.")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"--config {path} is not a YAML file: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError(f"{path} is not a YAML mapping of settings to values.")
    actions = {action.dest: action for action in reversed(parser._actions) if action.dest not in ("help", "config")}
    words = {}
    for name, value in settings.items():
        if name not in actions:
            raise ValueError(f"{path}: there is no setting {name!r}{did_you_mean(str(name), actions)}")
        if value is None:
            raise ValueError(f"{path}: {name} has no value; give one, or leave the line out.")
        if value == [] and parser.get_default(name):
            raise ValueError(f"{path}: {name} is empty; give it values, or leave the line out for its default.")
        words[name] = _words(path, actions[name], value)
    return words


def _words(path: Path, action: argparse.Action, value: Any) -> list[str]:
    if isinstance(value, list) and action.nargs != "+":
        raise ValueError(f"{path}: {action.dest} {value} is a list, and it takes one value.")
    values = [_word(item) for item in (value if isinstance(value, list) else [value])]
    for word in values:
        try:
            parsed = (action.type or str)(word)
        except (ValueError, TypeError, argparse.ArgumentTypeError) as error:
            raise ValueError(f"{path}: {action.dest} {word!r} is not a valid value: {error}.") from error
        if action.choices is not None and parsed not in action.choices:
            raise ValueError(f"{path}: {action.dest} {word!r} is not one of {', '.join(map(str, action.choices))}.")
    flag = f"--{action.dest}"
    return [f"{flag}={values[0]}"] if len(values) == 1 else [flag, *values] if values else []


def _word(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool | float | list | dict) else str(value)  # such as a date
