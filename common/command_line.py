"""What all commands share: a parser that names the closest flags, `A=B`, and the frame in which a command runs."""

from __future__ import annotations

import argparse
import difflib
import io
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
        """Parses the words of a command line, by default those of this process."""
        words = list(sys.argv[1:] if args is None else args)
        for flag in self.unknown_flags(words):
            self.exit(2, f"{self.prog}: there is no flag {flag}{did_you_mean(flag, self._flags())}\n")
        return super().parse_args(words, namespace)

    def unknown_flags(self, words: Sequence[str]) -> list[str]:
        """The words up to a lone `--` that have the form of a flag but name none, nor begin one's name."""
        until = words.index("--") if "--" in words else len(words)
        flags = [word.partition("=")[0] for word in words[:until] if re.match(r"--?[^\W\d]\S*$", word)]
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
    """The end of a sentence about an unknown name: a question with the closest known ones, or a full stop."""
    near = closest(name, known)
    return f"; did you mean {' or '.join(near)}?" if near else "."


def closest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names that an unknown one may stand for, the likeliest first.

    A name is close whose initials it is (`lr`: `learning_rate`), that begins with it or has all of its words
    (`batch_size`: `per_device_train_batch_size`), or whose spelling is similar; hyphens and underscores are alike.

    Args:
        name: unknown one, with or without leading hyphens.
        known: names that exist.
        limit: how many to name at most.
    """
    asked = _words(name)
    ranks: dict[str, tuple[Any, ...]] = {}
    for place, other in enumerate(known):
        words = _words(other)
        ours, theirs = "_".join(asked), "_".join(words)
        is_initials = len(words) > 1 and "".join(word[0] for word in words) == ours
        is_part = set(asked) <= set(words) or theirs.startswith(ours)
        similarity = difflib.SequenceMatcher(None, ours, theirs).ratio()
        if words and (is_initials or is_part or similarity >= 0.7):
            ranks.setdefault(theirs, (not is_initials, not is_part, 0 if is_initials else -similarity, place, other))
    return [other for *_, other in sorted(ranks.values())[:limit]]


def _words(name: str) -> list[str]:
    return [word for word in name.lstrip("-").lower().replace("-", "_").split("_") if word]


def run_command(name: str, main: Callable[[], None], hint: str = "") -> None:
    """Runs a command so that no text ends it, and so that a key ends it with one line.

    A console is ASCII or a code page in many containers, pipes and schedulers, and names of files may be no text at
    all: what the console lacks is printed as its code point.

    Args:
        name: what the line begins with, as errors of the command do.
        main: the command.
        hint: what that line says of resuming.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # some callers put others in their place, or none
            stream.reconfigure(errors="backslashreplace")
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(f"{name}: stopped.{hint}")


def pair(text: str) -> tuple[str, str]:
    """Reads `A=B`, an argument of a command.

    Raises:
        argparse.ArgumentTypeError: one of the two is missing.
    """
    left, separator, right = text.partition("=")
    if not (left and separator and right):
        raise argparse.ArgumentTypeError(f"expected A=B, got {text!r}")
    return left, right
