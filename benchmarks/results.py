"""What was measured, a file per kind of processor, and the page that is rendered from all of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import Machine
from benchmarks.measure import Line
from benchmarks.rates import Rate, format_rates
from common.files import write_json, write_text
from common.text_tables import format_table
from common.versions import versions

PAGE, FOLDER = "RESULTS.md", "measured"  # in the folder of results
_PACKAGES = ("torch", "transformers", "datasets", "accelerate", "numpy", "librosa", "numba", "soundfile", "onnxruntime")
_ROOT = Path(__file__).parent.parent
_DIRTY = "-dirty"
_NO_GPU = "No GPU was measured; `python -m benchmarks --only gpu` measures one."


@dataclass(frozen=True)
class Stamp:
    """The commit and the day of a measurement; the commit ends in `-dirty` where the code differed from it."""

    commit: str
    date: str

    def __str__(self) -> str:
        commit, dirty, _ = self.commit.partition(_DIRTY)
        return f"{commit[:7]}{dirty} on {self.date}"


@dataclass(frozen=True)
class Measured:
    """A line, the benchmark that it is of, and when it was measured."""

    benchmark: str
    line: Line
    stamp: Stamp

    @property
    def key(self) -> tuple[str, str]:
        """By which lines of several processors are in one row."""
        return self.line.claim, self.line.peer


@dataclass(frozen=True)
class Results:
    """What was measured on one kind of processor.

    Args:
        machine: the processor.
        versions: of the packages in the latest run.
        lines: in the order of the benchmarks.
        gpu: `device`, `rates` and the stamp of `benchmarks.gpu`; `None` where it found none.
    """

    machine: Machine
    versions: Mapping[str, str]
    lines: Sequence[Measured] = ()
    gpu: Mapping[str, Any] | None = None

    def updated(self, benchmark: str, lines: Sequence[Line], stamp: Stamp) -> Results:
        """With the lines of a benchmark in place of its earlier ones; those of others remain."""
        others = [measured for measured in self.lines if measured.benchmark != benchmark]
        return replace(self, lines=[*others, *(Measured(benchmark, line, stamp) for line in lines)])


def current_stamp() -> Stamp:
    """The commit of this code and today's date."""
    commit = versions()["commit"]
    if commit.endswith(_DIRTY) and not _code_differs():
        commit = commit.removesuffix(_DIRTY)
    return Stamp(commit, f"{datetime.now(UTC):%Y-%m-%d}")


def _code_differs() -> bool:
    """Whether tracked files beside the results themselves differ from the commit."""
    others = [f":(exclude)benchmarks/{name}" for name in (PAGE, FOLDER)]
    command = ["git", "diff", "--quiet", "HEAD", "--", ".", *others]
    return bool(subprocess.run(command, cwd=_ROOT).returncode)


def used_versions() -> dict[str, str]:
    """The versions of the packages that figures depend on."""
    used = versions(*_PACKAGES)
    return {name: used[name] for name in _PACKAGES}


def read_results(file: Path) -> Results:
    """Reads what [`write_results`] wrote."""
    content = json.loads(file.read_text(encoding="utf-8"))
    lines = [
        Measured(fields.pop("benchmark"), stamp=Stamp(fields.pop("commit"), fields.pop("date")), line=Line(**fields))
        for fields in content["lines"]
    ]
    return Results(Machine(**content["machine"]), content["versions"], lines, content["gpu"])


def write_results(results: Results, file: Path) -> None:
    """Writes the file of a processor."""
    lines = [
        {"benchmark": measured.benchmark, **asdict(measured.line), **asdict(measured.stamp)}
        for measured in results.lines
    ]
    content = {
        "machine": asdict(results.machine),
        "versions": dict(results.versions),
        "lines": lines,
        "gpu": results.gpu,
    }
    write_json(file, content)


def write_page(folder: Path, benchmarks: Sequence[str]) -> None:
    """Renders the page from all files of results.

    Args:
        folder: with the files in its folder of results; the page is written to it.
        benchmarks: names of the benchmarks, in the order of their lines.
    """
    found = [read_results(file) for file in sorted((folder / FOLDER).glob("*.json"))]
    write_text(folder / PAGE, format_page(found, benchmarks))


def format_page(found: Sequence[Results], benchmarks: Sequence[str]) -> str:
    """The table claim × processor, and per processor what was run and where the time went."""
    with_lines = [results for results in found if results.lines]
    text = [
        "# Speed and memory, measured",
        "",
        "Written by `make bench` from the files of `benchmarks/measured`, one per kind of processor.",
        "",
        "- Where there is a peer, ours and it run in turns on the same clips, each in a process of its own; what is",
        "  equal, and to which digit, is stated below. A figure is the median over rounds, in brackets the smallest",
        "  and the largest. It is followed by its target on that processor, where it has one, and whether it is met.",
        "- An empty cell was not measured there.",
        "",
        format_table(*_table(with_lines, benchmarks), align="ll" + "l" * len(with_lines), style="github"),
        "",
        *(line for results in with_lines for line in _details(results, benchmarks)),
        "## On a GPU",
        "",
        "\n\n".join(_format_gpu(results.gpu) for results in found if results.gpu) or _NO_GPU,
    ]
    return "\n".join(text) + "\n"


def _table(found: Sequence[Results], benchmarks: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """Rows and headings: a row per claim and peer, a column per processor."""
    columns = [{measured.key: format_figure(measured.line) for measured in results.lines} for results in found]
    everything = [measured for results in found for measured in results.lines]
    keys = dict.fromkeys(measured.key for measured in _in_order(everything, benchmarks))
    rows = [[*key, *(column.get(key, "") for column in columns)] for key in keys]
    return rows, ["claim", "peer in the same run", *(results.machine.kind for results in found)]


def _in_order(lines: Sequence[Measured], benchmarks: Sequence[str]) -> list[Measured]:
    places = {name: place for place, name in enumerate(benchmarks)}
    return sorted(lines, key=lambda measured: places.get(measured.benchmark, len(places)))


def format_figure(line: Line) -> str:
    """The figure of a line, its target, and whether it is met."""
    figure = f"{line.value:.3g}{line.unit} ({line.low:.3g}–{line.high:.3g})"
    if line.target is None:
        return figure
    return f"{figure}; {'≥' if line.at_least else '≤'} {line.target:g} {'met' if line.met else '**not met**'}"


def _details(results: Results, benchmarks: Sequence[str]) -> list[str]:
    machine = results.machine
    return [
        f"## {machine.kind}: what was run, and where the time went",
        "",
        f"{machine.memory_gb} GB of memory; {machine.system}. Versions in the latest run: "
        f"{', '.join(f'{name} {version}' for name, version in results.versions.items())}.",
        "",
        *(_detail(measured) for measured in _in_order(results.lines, benchmarks)),
        "",
    ]


def _detail(measured: Measured) -> str:
    line = measured.line
    peer = "" if line.peer == "–" else f", beside {line.peer}"
    return f"- **{line.claim}**{peer}, at {measured.stamp}: {line.note or 'see above.'}"


def _format_gpu(gpu: Mapping[str, Any]) -> str:
    rates = format_rates([Rate(**rate) for rate in gpu["rates"]], gpu["device"])
    return f"{rates}\n\nMeasured at {Stamp(gpu['commit'], gpu['date'])}."
