"""Keeps what libraries written in C print, such as mpg123 of a damaged MP3, out of logs: rows say what is wrong."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache


@cache
def quiet_c_libraries() -> None:
    """Sends what C libraries print on stderr to nowhere, unless stderr is a terminal.

    Python's own stderr, and what the system says of a crash, are not touched: of the process's two ways to the same
    file, C's `stderr` and file descriptor 2, the first alone is changed. Where that has another name than in the C
    libraries of Linux, nothing is.
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
