"""Suppresses what C libraries print, such as mpg123 about a damaged MP3: the rows have the reason."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache


@cache
def quiet_c_libraries() -> None:
    """Discards what C libraries print on stderr, unless stderr is a terminal.

    Python's own stderr, and the system's messages about a crash, are not affected: of the two ways to the same file,
    C's `stderr` and file descriptor 2, the first alone is changed. Where that has another name than in the C
    libraries of Linux, nothing is changed.
    """
    if sys.stderr.isatty():
        return
    try:
        stderr = ctypes.c_void_p.in_dll(ctypes.CDLL(None), "stderr")
    except (OSError, TypeError, ValueError):  # not there
        return
    open_file = ctypes.CDLL(None).fopen
    open_file.restype = ctypes.c_void_p
    stderr.value = open_file(os.devnull.encode(), b"w") or stderr.value
