"""Checks the name of a checkpoint, before anything is imported or loaded."""

from __future__ import annotations

import os


def check_checkpoint(name: str) -> None:
    """Raises a `ValueError` where a name can only be that of a folder, and the folder does not exist.

    Args:
        name: folder or Hub id, which is `NAME` or `NAMESPACE/NAME`.
    """
    may_be_on_the_hub = name.count("/") <= 1 and not name.startswith((".", "/", "~"))
    if not may_be_on_the_hub and not os.path.isdir(name):  # noqa: PTH112
        raise ValueError(f"The checkpoint folder {name} does not exist.")
