"""Which code wrote a result: the project's version and commit, and the libraries'."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROJECT = "multilingual-multitask-ser"
UNKNOWN = "unknown"
_ROOT = Path(__file__).resolve().parent.parent


def versions(*packages: str) -> dict[str, str]:
    """The versions to record with a result.

    Args:
        packages: libraries that it depends on.

    Returns:
        The project's version under its name, its `commit`, and the version of each package. For code outside a git
        checkout the commit is `unknown`; the suffix `-dirty` means that files differ from it.
    """
    try:
        project = version(PROJECT)
    except PackageNotFoundError:  # run from a folder, without an installation
        project = UNKNOWN
    return {PROJECT: project, "commit": _commit(_ROOT), **{name: version(name) for name in packages}}


@cache
def _commit(root: Path) -> str:
    if not (root / ".git").exists():  # a folder in another project's checkout does not have its commit
        return UNKNOWN
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):  # git is missing, or may not read the checkout
        return UNKNOWN
