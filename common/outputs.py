"""Protects files from being overwritten: a command replaces only what it wrote itself, unless --overwrite is given.

Commands that write a folder record in it what they wrote; commands that write a single file do not replace any.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from .files import write_json

RECORD = ".outputs.json"  # name of a file or folder next to it -> the command that wrote it


def check_new(paths: Iterable[Path], overwrite: bool = False) -> None:
    """Raises a `ValueError` if one of the files that a command would write already exists.

    Args:
        paths: the files.
        overwrite: whether to replace them. A folder is never replaced by a file.
    """
    for path in paths:
        if path.is_dir():
            raise ValueError(f"{path} is a folder, expected the name of a file to write.")
        if path.exists() and not overwrite:
            raise ValueError(f"{path} already exists. Choose another name, or replace it with --overwrite.")


def check_empty(folder: Path, overwrite: bool = False) -> None:
    """Raises a `ValueError` if a folder to write to is a file, or holds files and `overwrite` is not set."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not overwrite)):
        raise ValueError(f"{folder} already holds files. Export to an empty folder, or add --overwrite.")


def check_outputs(folder: Path, names: Iterable[str], command: str, overwrite: bool = False) -> None:
    """Raises a `ValueError` if a command would replace files that it did not write.

    Args:
        folder: folder to write to; it need not exist.
        names: names of the files and folders that the command writes in it.
        command: name of the command.
        overwrite: whether to replace files of others.
    """
    owners = _owners(folder)
    others = [name for name in names if (folder / name).exists() and owners.get(name) != command]
    if others and not overwrite:
        raise ValueError(
            f"{folder} holds {', '.join(sorted(others))}, which {command} did not write. Choose another --output, or "
            "replace them with --overwrite."
        )


def record_outputs(folder: Path, names: Iterable[str], command: str) -> None:
    """Records in a folder, which it creates, what the command is about to write there."""
    owners = _owners(folder)
    if changed := dict.fromkeys(names, command).items() - owners.items():
        write_json(folder / RECORD, dict(sorted((owners | dict(changed)).items())))


def claim_outputs(folder: Path, names: Iterable[str], command: str, overwrite: bool = False) -> None:
    """[`check_outputs`], and then [`record_outputs`]."""
    check_outputs(folder, names, command, overwrite)
    record_outputs(folder, names, command)


def _owners(folder: Path) -> dict[str, str]:
    try:
        owners = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return owners if isinstance(owners, dict) else {}
