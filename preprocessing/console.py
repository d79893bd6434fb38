"""What all commands share: how they print, and how they read `A=B`."""

from __future__ import annotations

import argparse
import io
import sys


def print_any_text() -> None:
    """Has a console that lacks a character show its code point, so that printing never ends a command.

    A console is ASCII or a code page in many containers, pipes and schedulers; names of files may be no text at all.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # some callers put others in their place, or none
            stream.reconfigure(errors="backslashreplace")


def pair(text: str) -> tuple[str, str]:
    """Reads `A=B`, an argument of a command.

    Raises:
        argparse.ArgumentTypeError: one of the two is missing.
    """
    left, separator, right = text.partition("=")
    if not (left and separator and right):
        raise argparse.ArgumentTypeError(f"expected A=B, got {text!r}")
    return left, right
