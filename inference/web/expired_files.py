"""A folder for uploads, whose files are deleted some minutes after their last use, and which ends with the process.

Gradio's `Blocks(delete_cache=…)` deletes what an event has used. An upload that no event follows is not on its list,
nor is what a killed process leaves, so that this folder is cleared instead. Nor does it spare files in use:
https://github.com/gradio-app/gradio/issues/8098
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "recordings-"
_LOCK = "lock"  # held by the process that owns the folder; the system releases it when that ends, however it ends


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is deleted when this process ends. Folders of killed processes are deleted first."""
    _remove_abandoned(Path(tempfile.gettempdir()))
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder,
        FileLock(Path(folder, _LOCK)),
    ):
        yield Path(folder)


@contextmanager
def deleting_expired_files(folder: Path, keep_s: float, every_s: float = 15.0) -> Iterator[None]:
    """Deletes every file of a folder that has not been used for `keep_s` seconds.

    Files are deleted by age and not with the response, because two visitors who send the same content share one file.

    Args:
        folder: may not exist yet.
        keep_s: how long a file is kept.
        every_s: seconds between two checks.
    """
    ended = threading.Event()

    def delete_repeatedly() -> None:
        while not ended.wait(every_s):
            remove_older(folder, keep_s)

    deleter = threading.Thread(target=delete_repeatedly, daemon=True)
    deleter.start()
    try:
        yield
    finally:
        ended.set()
        deleter.join()


def remove_older(folder: Path, age_s: float) -> None:
    """Deletes files that have not been used for `age_s` seconds, and the folders that this leaves empty."""
    oldest = time.time() - age_s
    for path in sorted(folder.rglob("*"), reverse=True):  # a folder comes after what is in it
        try:
            if path.lstat().st_ctime > oldest:  # ctime: copies keep the mtime of what they were copied from
                continue
            path.rmdir() if path.is_dir() else path.unlink()
        except OSError:  # it is not empty, or has gone meanwhile
            continue


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # it has gone meanwhile
            total += path.lstat().st_size
    return total


def _remove_abandoned(above: Path) -> None:
    for lock in above.glob(f"{_PREFIX}*/{_LOCK}"):
        with suppress(Timeout, OSError), FileLock(lock, blocking=False):  # otherwise it is in use, or another user's
            shutil.rmtree(lock.parent, ignore_errors=True)
