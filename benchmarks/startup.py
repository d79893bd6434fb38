"""How long `--help` takes: `python -m benchmarks.startup`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Line, command_line, spread

ROOT = Path(__file__).parent.parent
LIMITS_S = {"train.py": 5.0, "predict.py": 1.0}


def measure(quick: bool) -> list[Line]:
    """Each script's help, several times."""
    lines = []
    for script, limit in LIMITS_S.items():
        taken = []
        for _ in range(1 if quick else 5):
            start = time.perf_counter()
            subprocess.run([sys.executable, script, "--help"], cwd=ROOT, check=True, capture_output=True)
            taken.append(time.perf_counter() - start)
        lines.append(Line(f"`{script} --help`", "–", **spread(taken), target=limit, at_least=False, unit=" s"))
    return lines


if __name__ == "__main__":
    command_line(measure, __doc__)
