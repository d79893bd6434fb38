"""Command line and YAML files of `train.py` -> its settings; flags override files."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from transformers import HfArgumentParser, TrainingArguments
from transformers.hf_argparser import string_to_bool

from common.command_line import FlagParser, did_you_mean

from .hub import HUB_SETTINGS
from .settings import DataArguments, ModelArguments, QueueArguments
from .training_arguments import SERTrainingArguments

START = frozenset({"model_name_or_path", "config_name"})  # the two ways to set what a training starts from


def read_configs(paths: Sequence[str], flags: Sequence[str], parser: argparse.ArgumentParser) -> list[str]:
    """YAML files as the equivalent flags, without the settings that later files or `flags` override.

    Raises:
        ValueError: a file is missing or not YAML, or a setting in it is unknown or of the wrong type.
    """
    settings: dict[str, list[str]] = {}
    flagged: dict[str, list[str]] = {
        word.partition("=")[0][2:].replace("-", "_"): [] for word in flags if word.startswith("--")
    }
    for later in [*(_read_config(Path(path), parser) for path in paths), flagged]:
        if not START.isdisjoint(later):
            settings = {name: given for name, given in settings.items() if name not in START}
        settings |= later
    return [flag for name, given in settings.items() if name not in flagged for flag in given]


def _read_config(path: Path, parser: argparse.ArgumentParser) -> dict[str, list[str]]:
    """The settings of a YAML file, each as command-line arguments."""
    if not path.is_file():
        raise ValueError(f"--config {path}: the file does not exist.")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"--config {path} is not a YAML file: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError(f"{path} is not a valid configuration: expected a YAML mapping of settings to values.")
    actions = {action.dest: action for action in reversed(parser._actions) if action.dest not in ("help", "config")}
    flags = {}
    for name, value in settings.items():
        if name not in actions:
            raise ValueError(f"{path}: unknown setting {name!r}{did_you_mean(str(name), actions)}")
        if value is None:
            raise ValueError(f"{path}: {name} has no value: add one, or remove the line.")
        if value == [] and parser.get_default(name):
            raise ValueError(f"{path}: {name} is empty: add values, or remove the line to use the default.")
        flags[name] = _to_flags(path, actions[name], value)
    return flags


def _to_flags(path: Path, action: argparse.Action, value: Any) -> list[str]:
    if isinstance(value, list) and action.nargs != "+":
        raise ValueError(f"{path}: {action.dest} {value} is a list, but the setting takes one value.")
    values = [_to_text(item) for item in (value if isinstance(value, list) else [value])]
    convert = action.type if callable(action.type) else str
    for text in values:
        try:
            parsed = convert(text)
        except (ValueError, TypeError, argparse.ArgumentTypeError) as error:
            raise ValueError(f"{path}: {action.dest} {text!r} is not a valid value: {error}.") from error
        if action.choices is not None and parsed not in action.choices:
            raise ValueError(f"{path}: {action.dest} {text!r} is not one of {', '.join(map(str, action.choices))}.")
    flag = f"--{action.dest}"
    return [f"{flag}={values[0]}"] if len(values) == 1 else [flag, *values] if values else []


def _to_text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool | float | list | dict) else str(value)  # such as a date


class SettingsParser(FlagParser, HfArgumentParser):
    """The parser of all settings; a boolean flag without a value means true."""

    def __init__(self) -> None:
        super().__init__(
            (DataArguments, ModelArguments, SERTrainingArguments, QueueArguments),  # type: ignore[arg-type]
            prog="train.py",
            usage="train.py --data DIR --output_dir DIR (--model_name_or_path NAME | --config_name FILE) [--FLAG …]\n"
            "       train.py --config FILE … [--FLAG …]\nAll flags: train.py --help",
            description="Prepared folder -> checkpoint.",
            allow_abbrev=False,
        )
        for action in self._actions:
            if action.type is string_to_bool:
                action.nargs, action.const = "?", True
        self.add_argument(
            "--config", nargs="+", metavar="FILE", help="YAML files of the settings above; flags override them"
        )


def parse_args(
    argv: Sequence[str] | None = None,
) -> tuple[DataArguments, ModelArguments, SERTrainingArguments, QueueArguments, dict[str, Any]]:
    """Reads `--config` files and flags; a later file overrides an earlier one, and flags override files.

    `config_name` and `model_name_or_path` exclude each other: the later one overrides the earlier one.

    Returns:
        The four groups of settings, and, as a dictionary, all settings that differ from the defaults of transformers or
        of this project: `--config` with these runs the same training again. They include neither the settings of
        publishing nor those of a sweep or of repetitions.

    Raises:
        ValueError: a file or a setting is not valid; the message names it.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    files = argparse.ArgumentParser(prog="train.py", add_help=False, allow_abbrev=False)
    files.add_argument("--config", nargs="+", default=[])
    config, flags = files.parse_known_args(argv)
    parser = SettingsParser()
    arguments = [*read_configs(config.config, flags, parser), *flags]
    namespace = vars(parser.parse_args(arguments))
    groups: Any = parser.parse_args_into_dataclasses(arguments, look_for_args_file=False)
    data, model, args, queue, _ = groups
    return data, model, args, queue, _changed_settings(namespace)


def _changed_settings(namespace: dict[str, Any]) -> dict[str, Any]:
    """The settings of a training that differ from a default."""
    theirs, ours = (
        {entry.name: entry.default for entry in dataclasses.fields(kind)}
        for kind in (TrainingArguments, SERTrainingArguments)
    )
    left_out = {"config", "resume_from_checkpoint", *HUB_SETTINGS}
    left_out |= {entry.name for entry in dataclasses.fields(QueueArguments)}
    return {
        name: value
        for name, value in namespace.items()
        if name not in left_out and value is not None and not (name in theirs and theirs[name] == ours[name] == value)
    }
