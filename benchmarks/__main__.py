"""Runs every benchmark, each in a process of its own, and writes the table: `python -m benchmarks`."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.gpu import Rate, format_rates
from benchmarks.measure import Line
from common.command_line import FlagParser
from common.processor import processor_name
from common.versions import versions

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
CLAIMS = ("training", "augmentation", "lora", "inference", "released", "preparation", "report", "memory", "processes")
GPU = "gpu"
PACKAGES = ("torch", "transformers", "datasets", "accelerate", "numpy", "librosa", "numba", "soundfile")
LIMIT_S = 900.0


def run(name: str, folder: Path, quick: bool) -> str:
    """Runs a benchmark, which writes its lines to `folder`; returns the error, or an empty text."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--output", str(folder / f"{name}.json")]
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


def read(name: str, folder: Path) -> list[Line]:
    """The lines that a benchmark wrote; an empty list if it failed."""
    path = folder / f"{name}.json"
    return [Line(**line) for line in json.loads(path.read_text(encoding="utf-8"))] if path.is_file() else []


def machine() -> str:
    """Processor, cores, memory and instruction set."""
    import torch

    processor = processor_name() or platform.machine()
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return (
        f"{processor}, {len(os.sched_getaffinity(0))} cores, {torch.backends.cpu.get_cpu_capability()}, "
        f"{memory_gb:.0f} GB, {gpu}; {platform.system()}, Python {platform.python_version()}"
    )


def format_results(folder: Path, errors: dict[str, str], took_s: float) -> str:
    """The table, what was run and where the time went, and what was tried."""
    used = ", ".join(f"{name} {version}" for name, version in versions(*PACKAGES).items())
    claims = [line for name in CLAIMS for line in read(name, folder)]
    text = [
        "# Speed and memory, measured",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, in {took_s / 60:.0f} minutes.",
        "",
        f"- Machine: {machine()}.",
        f"- Versions: {used}.",
        "- Where there is a peer, ours and it run in turns on the same clips, each in a process of its own; what is",
        "  equal, and to which digit, stands below. A figure is the median over rounds, in brackets the smallest and",
        "  the largest.",
        "",
        "| claim | peer in the same run | ours | target | met |",
        "|---|---|---|---|---|",
        *(_row(line) for line in claims),
        *(f"| {name} | – | failed: {error} | | no |" for name, error in errors.items() if name in CLAIMS),
        "",
        "## What was run, and where the time went",
        "",
        *(f"- **{line.claim}**, beside {line.peer}: {line.note}" for line in claims if line.note),
        "",
        "## On a GPU",
        "",
        _gpu(folder / f"{GPU}.json", errors.get(GPU)),
    ]
    return "\n".join(text) + "\n"


def _row(line: Line) -> str:
    bound = "≥" if line.at_least else "≤"
    figure = f"{line.value:.3g}{line.unit} ({line.low:.3g}–{line.high:.3g})"
    met = "yes" if line.met else "**no**"
    return f"| {line.claim} | {line.peer} | {figure} | {bound} {line.target:g}{line.unit} | {met} |"


def _gpu(path: Path, error: str | None) -> str:
    if error:
        return f"It failed: {error}."
    if not path.is_file():
        return "This machine has no GPU; `python -m benchmarks.gpu` measures one."
    found = json.loads(path.read_text(encoding="utf-8"))
    return format_rates([Rate(**rate) for rate in found["rates"]], found["device"])


def main() -> None:
    """Runs the command line."""
    parser = FlagParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="toy sizes: shows that all run, not how fast they are")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FILE.md")
    parser.add_argument("--only", nargs="+", choices=(*CLAIMS, GPU), help="some of them")
    args = parser.parse_args()
    if args.only and args.output == RESULTS:
        parser.error("--only measures a part: name another file than that of all with --output.")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        outcomes = {name: run(name, folder, args.quick) for name in args.only or (*CLAIMS, GPU)}
        errors = {name: error for name, error in outcomes.items() if error}
        args.output.write_text(format_results(folder, errors, time.perf_counter() - start), encoding="utf-8")
    print(f"Written to {args.output}.")
    if errors:
        sys.exit(f"benchmarks: {', '.join(errors)} failed.")


if __name__ == "__main__":
    main()
