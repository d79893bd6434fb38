"""How many threads compute, and the threads that process batches side by side; both without importing PyTorch."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import joblib


def num_threads() -> int:
    """Threads to compute with: PyTorch's, if the process has imported it, or as many as it would use.

    `OMP_NUM_THREADS` bounds both; by default they are the cores.
    """
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) > 0 else joblib.cpu_count(only_physical_cores=True)


def start_threads(count: int) -> ThreadPoolExecutor:
    """Starts `count` threads and divides those of PyTorch's operators among them; other threads keep theirs.

    Each gets at least one, and where they do not divide evenly, some get one more than others.

    A thread that uses PyTorch for the first time meanwhile may get their share: start such threads before.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return ThreadPoolExecutor(count)
    num_threads = torch.get_num_threads()
    shares = iter([max(1, (num_threads + place) // count) for place in range(count)])
    started = threading.Barrier(count + 1)

    def start() -> None:
        torch.get_num_threads()  # initializes the thread's own number, which the first operator would reset later
        torch.set_num_threads(next(shares))
        started.wait()

    threads = ThreadPoolExecutor(count, initializer=start)
    try:
        for _ in range(count):
            threads.submit(int)  # starts a thread, for none is idle before all have begun
        started.wait()
    except BaseException:
        started.abort()  # those that have begun wait for the others
        raise
    finally:
        # PyTorch's number belongs to the thread that sets it, and to threads that start later.
        torch.set_num_threads(num_threads)
    return threads
