"""A checkpoint or a prepared folder -> an empty folder beside it, to export to."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory


def staging_folder(source: Path) -> TemporaryDirectory:
    """A folder that is gone at the end of its `with`.

    It is on the file system of `source`, where weights are linked and take no room; where nothing may be written there,
    or `source` is no path, among the system's temporary files.
    """
    parent = source.resolve().parent
    return TemporaryDirectory(prefix=".publication-", dir=parent if os.access(parent, os.W_OK) else None)
