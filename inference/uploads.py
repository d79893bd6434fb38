"""What visitors send -> a folder that is emptied of each file some minutes later, and is gone with the process."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary_uploads(keep_s: float, every_s: float = 15.0) -> Iterator[Path]:
    """A folder of which every file goes when nobody has touched it for `keep_s` seconds, and the whole at the end.

    Files go by their age and not with the answer: what two visitors send is one file if its content is the same.

    Args:
        keep_s: how long a file is kept.
        every_s: how often that is looked at.
    """
    with tempfile.TemporaryDirectory(prefix="recordings-", ignore_cleanup_errors=True) as folder:
        ended = threading.Event()

        def sweep() -> None:
            while not ended.wait(every_s):
                remove_older(Path(folder), keep_s)

        sweeper = threading.Thread(target=sweep, daemon=True)
        sweeper.start()
        try:
            yield Path(folder)
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
