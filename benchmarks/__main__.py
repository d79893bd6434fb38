"""Runs every benchmark, each in a process of its own, and writes what it measured: `python -m benchmarks`.

The figures go into a file for this kind of processor, beside those of other kinds, and the page is rendered from all of
them. `--only` measures some benchmarks; the lines of the others stay as they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import this_machine
from benchmarks.measure import Line
from benchmarks.results import (
    FOLDER,
    PAGE,
    Results,
    Stamp,
    current_stamp,
    read_results,
    used_versions,
    write_page,
    write_results,
)
from common.command_line import FlagParser

ROOT = Path(__file__).parent.parent
CLAIMS = (
    "training",
    "augmentation",
    "lora",
    "inference",
    "released",
    "scaling",
    "preparation",
    "report",
    "memory",
    "processes",
)
GPU = "gpu"
LIMIT_S = 900.0


def run(name: str, output: Path, quick: bool) -> str:
    """Runs a benchmark, which writes its figures to `output`; returns the error, or an empty text."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--output", str(output)]
    start = time.perf_counter()
    print(f"{datetime.now(UTC):%H:%M:%S} {name} …", flush=True)
    try:
        done = subprocess.run(
            [*command, *(["--quick"] if quick else [])], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S
        )
    except subprocess.TimeoutExpired:
        error = f"it took more than {LIMIT_S:.0f} s"
    else:
        error = done.stderr.strip().splitlines()[-1] if done.returncode else ""
        print(done.stdout if not done.returncode else done.stderr[-3000:], end="", flush=True)
    print(f"{datetime.now(UTC):%H:%M:%S} {name}: {error or 'done'}, {time.perf_counter() - start:.0f} s", flush=True)
    return error


def add(results: Results, name: str, output: Path, stamp: Stamp) -> Results:
    """The results with what a benchmark wrote to `output`, if it measured anything."""
    if not output.is_file():
        return results
    found = json.loads(output.read_text(encoding="utf-8"))
    if name == GPU:
        return replace(results, gpu={**found, **asdict(stamp)})
    return results.updated(name, [Line(**fields) for fields in found], stamp)


def measure(names: list[str], file: Path, quick: bool) -> dict[str, str]:
    """Runs benchmarks and keeps the figures of each as soon as it ends; returns the errors of those that failed.

    Args:
        names: of `CLAIMS`, and `GPU`.
        file: of this kind of processor. The lines in it of other benchmarks, and of those that fail, remain.
        quick: whether to measure at toy size.
    """
    earlier = read_results(file) if file.is_file() else None
    results = replace(earlier or Results(this_machine(), {}), machine=this_machine(), versions=used_versions())
    errors, stamp = {}, current_stamp()
    with tempfile.TemporaryDirectory() as temporary:
        for name in names:
            output = Path(temporary, f"{name}.json")
            error = run(name, output, quick)
            if error:
                errors[name] = error
                continue
            results = add(results, name, output, stamp)
            write_results(results, file)
    return errors


def main() -> None:
    """Runs the command line."""
    parser = FlagParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="toy sizes: shows that all run, not how fast they are")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help=f"where {FOLDER}/ and {PAGE} are (default: benchmarks)"
    )
    parser.add_argument("--only", nargs="+", choices=(*CLAIMS, GPU), help="some of them")
    args = parser.parse_args()
    if args.quick and args.output is None:
        parser.error("--quick needs --output DIR: figures at toy size do not belong into the results.")
    folder = args.output or ROOT / "benchmarks"
    start = time.perf_counter()
    file = folder / FOLDER / f"{this_machine().slug}.json"
    errors = measure(args.only or [*CLAIMS, GPU], file, args.quick)
    write_page(folder, CLAIMS)
    print(f"Written to {file} and {folder / PAGE}, in {(time.perf_counter() - start) / 60:.0f} minutes.")
    if errors:
        sys.exit(f"benchmarks: {', '.join(errors)} failed.")


if __name__ == "__main__":
    main()
