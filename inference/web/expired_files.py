"""What visitors send -> a folder that is emptied of each file some minutes later, and is gone with the process."""

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
_LOCK = "lock"  # held by the process whose folder it is; the system opens it when that ends, however it ends


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder of this process, gone at its end. Those of processes that were killed go first."""
    _remove_abandoned(Path(tempfile.gettempdir()))
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder,
        FileLock(Path(folder, _LOCK)),
    ):
        yield Path(folder)


@contextmanager
def deleting_expired_files(folder: Path, keep_s: float, every_s: float = 15.0) -> Iterator[None]:
    """Removes every file of a folder when nobody has touched it for `keep_s` seconds.

    Files go by their age and not with the answer: what two visitors send is one file if its content is the same.

    Args:
        folder: there, or not yet.
        keep_s: how long a file is kept.
        every_s: how often that is looked at.
    """
    ended = threading.Event()

    def sweep() -> None:
        while not ended.wait(every_s):
            remove_older(folder, keep_s)

    sweeper = threading.Thread(target=sweep, daemon=True)
    sweeper.start()
    try:
        yield
    finally:
        ended.set()
        sweeper.join()


def remove_older(folder: Path, age_s: float) -> None:
    """Removes what has not been touched for so many seconds, and the folders that this leaves empty."""
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
        with suppress(Timeout, OSError), FileLock(lock, blocking=False):  # else it is at work, or another user's
            shutil.rmtree(lock.parent, ignore_errors=True)
