"""Ways of doing the same thing, timed in turns -> lines of the table of results."""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from common.command_line import FlagParser

Run = Callable[[], Any]


class Spread(TypedDict):
    """Median, smallest and largest of the rounds, as a [`Line`] takes them."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """One claim and its measurement.

    Args:
        claim: what is measured.
        peer: what it is measured beside, in the same run.
        value, low, high: the figure, and the smallest and the largest of the rounds.
        target: what was promised, `None` where nothing was.
        at_least: whether the target is a lower bound.
        unit: of the figures.
        note: what was run, and where the time went.
    """

    claim: str
    peer: str
    value: float
    low: float
    high: float
    target: float | None
    at_least: bool = True
    unit: str = " ×"
    note: str = ""

    @property
    def met(self) -> bool:
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass
class Laps:
    """The rounds of one way: seconds of each, and what each returned."""

    seconds: list[float] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)

    @property
    def result(self) -> Any:
        return self.results[-1]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def race(
    ways: Mapping[str, Callable[[], Run]], *, budget_s: float = 60.0, min_rounds: int = 3, max_rounds: int = 9
) -> dict[str, Laps]:
    """Times each way in a process of its own, in turns in every round, so that a busy machine slows all of them.

    Args:
        ways: name to a function of a module that loads what is needed and returns what is timed.
        budget_s: no further round begins after as many seconds.
        min_rounds, max_rounds: how many there are in any case, and at most.

    Returns:
        Name to its laps. The results were pickled by the other process.

    Raises:
        RuntimeError: a process died; it has printed why.
    """
    spawn = multiprocessing.get_context("spawn")
    pipes, processes = {}, []
    for name, prepare in ways.items():
        pipes[name], theirs = spawn.Pipe()
        processes.append(spawn.Process(target=_serve, args=(prepare, theirs), daemon=False))
        processes[-1].start()
        theirs.close()
    laps = {name: Laps() for name in ways}
    try:
        for name, pipe in pipes.items():
            _receive(name, pipe)
        start = time.perf_counter()
        for number in range(max_rounds):
            if number >= min_rounds and time.perf_counter() - start > budget_s:
                break
            for name in ways if number % 2 == 0 else reversed([*ways]):  # each way comes first in turn
                pipes[name].send(True)
                seconds, result = _receive(name, pipes[name])
                laps[name].seconds.append(seconds)
                laps[name].results.append(result)
    finally:
        for pipe in pipes.values():
            pipe.close()  # which ends the process
        for process in processes:
            process.join()
    return laps


def _serve(prepare: Callable[[], Run], pipe: Connection) -> None:
    run = prepare()
    pipe.send(None)
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        start = time.perf_counter()
        result = run()
        pipe.send((time.perf_counter() - start, result))


def _receive(name: str, pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except (EOFError, ConnectionError):
        raise RuntimeError(f"The process of {name!r} died.") from None


# A small process between: the peak of a command begins with that of the process that started it.
_RUN = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([status, time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""


class Usage(NamedTuple):
    """What a command took: seconds of the clock, seconds of processors, and its peak of resident memory in MB."""

    seconds: float
    processor_s: float
    peak_mb: float


def run_command(arguments: Sequence[str], cwd: Path) -> Usage:
    """Runs a command of Python to its end.

    Raises:
        RuntimeError: it ended with another status than 0.
    """
    command = [sys.executable, "-c", _RUN, sys.executable, *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
    status, took_s, processor_s, peak = json.loads(done.stdout)
    if status:
        raise RuntimeError(f"{' '.join(arguments[:2])} ended with status {status}.")
    return Usage(took_s, processor_s, peak / (2**20 if sys.platform == "darwin" else 2**10))


def one_core() -> None:
    """Keeps this process, and those that it will start, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def ratio(laps: Mapping[str, Laps], ours: str, peer: str, *, per_result: bool = False) -> Spread:
    """How many times as fast ours is: `value`, the median over rounds, `low` and `high`.

    Args:
        laps: of a [`race`].
        ours, peer: two of its ways.
        per_result: whether the rounds returned the amount of their work, and the speed is that amount per second.
    """
    speeds = [
        [(done if per_result else 1) / seconds for done, seconds in zip(lap.results, lap.seconds, strict=True)]
        for lap in (laps[ours], laps[peer])
    ]
    return spread([mine / theirs for mine, theirs in zip(*speeds, strict=True)])


def spread(values: Sequence[float]) -> Spread:
    """Median, smallest and largest, as a [`Line`] takes them."""
    return {"value": statistics.median(values), "low": min(values), "high": max(values)}


def seconds(laps: Mapping[str, Laps]) -> str:
    """The median seconds of each way, for a note."""
    return ", ".join(f"{name} {lap.median:.3g} s" for name, lap in laps.items())


def torch_profile(run: Run) -> str:
    """The operators in which a run spends its time, the longest first, with their shares."""
    import torch
    from torch._C._profiler import _ExperimentalConfig  # no public name shows the threads of a pool

    all_threads = _ExperimentalConfig(profile_all_threads=True)
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], experimental_config=all_threads
    ) as profiler:
        run()
    return shares({event.key.removeprefix("aten::"): event.self_cpu_time_total for event in profiler.key_averages()})


def shares(times: Mapping[str, float], count: int = 8) -> str:
    """Where the time goes, the longest first, as shares of the whole."""
    longest = sorted(times, key=lambda name: times[name], reverse=True)[:count]
    return ", ".join(f"{name} {times[name] / sum(times.values()):.0%}" for name in longest)


def command_line(measure: Callable[[bool], list[Line]], description: str) -> None:
    """The command line of a benchmark: it measures, prints its lines, and writes them to `--output`."""
    parser = FlagParser(description=description)
    parser.add_argument("--quick", action="store_true", help="toy sizes: shows that it works, not how fast it is")
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="where the lines go")
    args = parser.parse_args()
    lines = measure(args.quick)
    for line in lines:
        promised = (
            "" if line.target is None else f", target {line.target:g}{line.unit}: {'met' if line.met else 'NOT MET'}"
        )
        found = f"{line.value:.3g}{line.unit} ({line.low:.3g}–{line.high:.3g})"
        print(f"{line.claim}, beside {line.peer}: {found}{promised}\n  {line.note}", flush=True)
    if args.output:
        args.output.write_text(json.dumps([asdict(line) for line in lines]), encoding="utf-8")
