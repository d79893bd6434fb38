"""One error for worker processes that the system kills, whichever library started them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager


class KilledWorkerError(ValueError):
    """A worker process was killed, as the system does where memory runs out."""


@contextmanager
def killed_worker_errors() -> Iterator[None]:
    """Raises a [`KilledWorkerError`] where a worker process was killed in its block.

    joblib raises a `BrokenProcessPool`, and `datasets` a `RuntimeError` that only its message distinguishes
    (`datasets.utils.py_utils.iflatmap_unordered`; no upstream issue found).
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, BrokenProcessPool) or "subprocesses has abruptly died" in str(error):
            raise KilledWorkerError(
                "A worker process was killed, as the system does where memory runs out. The same command resumes with "
                "what is left; with a lower --num_proc it takes less memory."
            ) from error
        raise
