"""What a command may write: what is not there, and what the same command wrote before.

Whatever else lies where it is to write is left alone unless it is called with --overwrite. Commands that write a folder
keep a record in it of what is theirs; those that write a file replace none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from .files import write_json

RECORD = ".outputs.json"  # name of a file or folder beside it -> the command that wrote it


def check_new(paths: Iterable[Path], overwrite: bool = False) -> None:
    """Raises a `ValueError` where one of the files that a command is to write exists already.

    Args:
        paths: of the files.
        overwrite: whether they may be replaced. A folder is replaced by no file.
    """
    for path in paths:
        if path.is_dir():
            raise ValueError(f"{path} is a folder; expected is the name of a file to write.")
        if path.exists() and not overwrite:
            raise ValueError(f"{path} exists already: choose another name, or replace it with --overwrite.")


def check_empty(folder: Path, overwrite: bool = False) -> None:
    """Raises a `ValueError` where a folder to write to is a file, or holds any and `overwrite` is not set."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not overwrite)):
        raise ValueError(f"{folder} holds files already: export to an empty folder, or add --overwrite.")


def check_outputs(folder: Path, names: Iterable[str], command: str, overwrite: bool = False) -> None:
    """Raises a `ValueError` where something in a folder is in the way that the command did not write.

    Args:
        folder: to write to; it need not exist.
        names: of the files and folders that the command writes in it.
        command: its name.
        overwrite: whether they may be replaced.
    """
    owners = _owners(folder)
    others = [name for name in names if (folder / name).exists() and owners.get(name) != command]
    if others and not overwrite:
        raise ValueError(
            f"{folder} holds {', '.join(sorted(others))}, which {command} has not written: choose another --output, or "
            "replace it with --overwrite."
        )


def record_outputs(folder: Path, names: Iterable[str], command: str) -> None:
    """Writes into a folder, which it makes, what the command is about to write there."""
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
