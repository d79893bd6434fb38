"""The page in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

MAX_S, MAX_MB = 30, 2


class App:
    """`app.py` in a process of its own, with a folder of its own for temporary files."""

    def __init__(self, checkpoint: Path, temporary: Path):
        self.temporary = temporary
        self.process = subprocess.Popen(
            [
                sys.executable,
                "app.py",
                "--model",
                checkpoint,
                "--max_minutes",
                str(MAX_S / 60),
                "--max_mb",
                str(MAX_MB),
            ],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.log = []
        for line in self.process.stdout:
            self.log.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.url = found[0]
                return
        raise AssertionError("".join(self.log))

    def end(self) -> str:
        """Ends the process as a supervisor does, and returns all that it printed."""
        self.process.send_signal(signal.SIGTERM)
        return "".join(self.log) + self.process.communicate(timeout=30)[0]
