"""What can be told of a checkpoint by its name, in a moment and before anything is loaded."""

from __future__ import annotations

import os


def check_checkpoint(name: str) -> None:
    """Raises a `ValueError` where a checkpoint can only be a folder, by its name, and there is none.

    Args:
        name: folder or Hub id, which is `NAME` or `NAMESPACE/NAME`.
    """
    may_be_on_the_hub = name.count("/") <= 1 and not name.startswith((".", "/", "~"))
    if not may_be_on_the_hub and not os.path.isdir(name):  # noqa: PTH112
        raise ValueError(f"There is no folder {name} with a checkpoint.")
