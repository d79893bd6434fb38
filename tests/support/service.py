"""The HTTP service in a process of its own, on a free port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


class ServiceProcess:
    """`python -m inference.web serve`, until the block ends.

    Args:
        model: checkpoint or export.
        temporary: folder for its temporary files.
        flags: further ones.
        keys: API keys.
    """

    def __init__(self, model: Path, temporary: Path, *flags: str, keys: str = ""):
        self.temporary = temporary
        command = [sys.executable, "-m", "inference.web", "serve", "--model", str(model), "--port", "0", *flags]
        environment = {**os.environ, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1", "SER_API_KEYS": keys}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        self.log = [self.process.stdout.readline()]
        assert self.log[0].startswith("http"), self.log[0] + self.process.stdout.read()
        self.url = self.log[0].removesuffix("/docs\n")

    def __enter__(self) -> ServiceProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def ask_to_end(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> str:
        """What it printed until it ended."""
        return "".join(self.log) + self.process.communicate(timeout=60)[0]
