"""The scripts in processes of their own that start at once, to be killed in the middle of their work."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import runpy
import signal
import sys
import time
from fnmatch import fnmatch
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # not by conftest, which sets the environment of tests
# A server that has imported what scripts need, and forks: a kill then meets work, and not the ten seconds of imports.
SERVER = multiprocessing.get_context("forkserver")
PRELOADED = (
    "tests.support.crash_recovery",
    "training.run",
    "training.queue",
    "training.sweep",
    "inference.batch.run",
    "publishing.export",
    "publishing.hub",
)
HOLDS = 12_000  # bytes that a file of a full disk can have


def restart_server() -> None:
    """Lets the next script start the server anew, with the environment that is set then."""
    forkserver._forkserver._stop()


def start(*arguments: object, log: Path, full: bool = False) -> BaseProcess:
    """Starts a script, with what it prints in `log`; on a disk that is `full`, no file of it grows beyond [`HOLDS`]."""
    SERVER.set_forkserver_preload(list(PRELOADED))
    process = SERVER.Process(target=_run, args=([str(argument) for argument in arguments], log, full))
    process.start()
    return process


def run(*arguments: object, log: Path, full: bool = False) -> tuple[int, str]:
    """How a script ends, and what it printed."""
    process = start(*arguments, log=log, full=full)
    process.join()
    return process.exitcode, log.read_text(encoding="utf-8")


def kill(process: BaseProcess) -> None:
    """Ends a script and its workers as a machine does that goes down."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.join()


def kill_workers(process: BaseProcess) -> None:
    """Kills each process that a script starts, until the script has ended: a single one may be done with its work."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.is_alive():
        with contextlib.suppress(OSError):  # the script or a worker has ended meanwhile
            for worker in children.read_text().split():
                os.kill(int(worker), signal.SIGKILL)
        time.sleep(0.001)
    process.join()


def contents(folder: Path, leave_out: str = "") -> dict[str, bytes]:
    """Each file below a folder but those of a pattern, with the folder's own path taken out of it."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    own = os.fsencode(folder)
    return {
        name: path.read_bytes().replace(own, b"FOLDER") for name, path in files.items() if not fnmatch(name, leave_out)
    }


def _run(arguments: list[str], log: Path, full: bool) -> None:
    os.setsid()
    multiprocessing.set_start_method("fork", force=True)  # as in a process that was not forked
    os.chdir(ROOT)
    with log.open("wb") as file:
        for printed in (1, 2):
            os.dup2(file.fileno(), printed)
    if full:
        resource.setrlimit(resource.RLIMIT_FSIZE, (HOLDS, HOLDS))
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")
