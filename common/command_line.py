"""Shared by all commands: a parser that suggests the closest flags, `A=B`, and the handling of output and Ctrl-C."""

from __future__ import annotations

import argparse
import difflib
import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any


class FlagParser(argparse.ArgumentParser):
    """An [`argparse.ArgumentParser`] that checks first of all that every flag exists.

    A flag that does not exist ends the program with status 2 and one line that names it and the closest ones, whatever
    else is missing. argparse itself would print its whole usage, and a required argument that is missing before it.
    """

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parses the arguments of a command, by default those of this process."""
        arguments = list(sys.argv[1:] if args is None else args)
        for flag in self.unknown_flags(arguments):
            self.exit(2, f"{self.prog}: unknown flag {flag}{did_you_mean(flag, self._flags())}\n")
        return super().parse_args(arguments, namespace)

    def unknown_flags(self, arguments: Sequence[str]) -> list[str]:
        """The arguments before a lone `--` that look like a flag but match no flag, not even as a prefix."""
        end = arguments.index("--") if "--" in arguments else len(arguments)
        flags = [text.partition("=")[0] for text in arguments[:end] if re.match(r"--?[^\W\d]\S*$", text)]
        return [flag for flag in flags if not self._exists(flag)]

    def _exists(self, flag: str) -> bool:
        if not flag.startswith("--"):
            return flag[:2] in self._flags()  # short ones may have their value, or others, behind them
        if self.allow_abbrev:
            return any(known.startswith(flag) for known in self._flags())
        return flag in self._flags()

    def _flags(self) -> list[str]:
        return [flag for action in self._actions for flag in action.option_strings]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: it suggests the closest known ones, if any are close."""
    near = closest(name, known)
    return f"; did you mean {' or '.join(near)}?" if near else "."


def closest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names that an unknown one may stand for, the likeliest first.

    A known name is close if the unknown one is its initials (`lr`: `learning_rate`), its beginning, or some of its
    parts (`batch_size`: `per_device_train_batch_size`), or is spelled similarly. Hyphens count as underscores.

    Args:
        name: unknown one, with or without leading hyphens.
        known: names that exist.
        limit: how many to name at most.
    """
    asked = _parts(name)
    ranks: dict[str, tuple[Any, ...]] = {}
    for place, other in enumerate(known):
        parts = _parts(other)
        ours, theirs = "_".join(asked), "_".join(parts)
        is_initials = len(parts) > 1 and "".join(part[0] for part in parts) == ours
        is_part = set(asked) <= set(parts) or theirs.startswith(ours)
        similarity = difflib.SequenceMatcher(None, ours, theirs).ratio()
        if parts and (is_initials or is_part or similarity >= 0.7):
            ranks.setdefault(theirs, (not is_initials, not is_part, 0 if is_initials else -similarity, place, other))
    return [other for *_, other in sorted(ranks.values())[:limit]]


def _parts(name: str) -> list[str]:
    return [part for part in name.lstrip("-").lower().replace("-", "_").split("_") if part]


def run_command(name: str, main: Callable[[], None], hint: str = "") -> None:
    """Runs a command so that no text can crash its output, and so that Ctrl-C ends it with one line.

    The console uses ASCII or a code page in many containers, pipes and schedulers, and file names may be undecodable:
    characters that the console cannot encode are printed as escapes.

    oneDNN keeps what it prepared for the last 64 shapes of batches, unless `ONEDNN_PRIMITIVE_CACHE_CAPACITY` is set.
    Its own limit of 1,024 takes 400 MB in a prediction and gigabytes in a training.

    Args:
        name: name of the command, with which the line begins.
        main: the command.
        hint: how the command can be resumed, for that line.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # some callers replace them, or set them to `None`
            stream.reconfigure(errors="backslashreplace")
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(f"{name}: stopped.{hint}")


def positive(kind: Callable[[str], float], or_zero: bool = False) -> Callable[[str], float]:
    """What reads a positive finite number, an argument of a command.

    Args:
        kind: `int` or `float`.
        or_zero: whether it may be 0, too.
    """

    def parse(text: str) -> float:
        value = kind(text)
        if not (0 < value < float("inf") or (or_zero and value == 0)):
            raise argparse.ArgumentTypeError(
                f"expected a number {'of 0 or more' if or_zero else 'above 0'}, got {text}"
            )
        return value

    parse.__name__ = kind.__name__  # for argparse's own message
    return parse


def port(text: str) -> int:
    """Reads the number of a port, an argument of a command; 0 is any free one.

    Raises:
        argparse.ArgumentTypeError: it is not a port.
    """
    if not (text.isdecimal() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


def pair(text: str) -> tuple[str, str]:
    """Reads `A=B`, an argument of a command.

    Raises:
        argparse.ArgumentTypeError: one of the two is missing.
    """
    left, separator, right = text.partition("=")
    if not (left and separator and right):
        raise argparse.ArgumentTypeError(f"expected A=B, got {text!r}")
    return left, right
