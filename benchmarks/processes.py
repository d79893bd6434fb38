"""Training with two processes over one, a thread each: `python -m benchmarks.processes`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.corpus import prepare_training_clips
from benchmarks.measure import Line, command_line, spread, torch_profile
from benchmarks.models import backbone
from benchmarks.training import StepClock, trainer

LAYERS, CLIPS = 2, 320
CLAIM = "training with two processes over one, a thread each, the feature encoder frozen"
PROFILE = "profile"
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Part:
    """A process's part of a step.

    Args:
        seconds: of the step.
        waiting_s: of them, those in which no core computes for the process: for the network, and for the other one.
        optimizer_s: of them, those of the optimizer, which updates all weights in each process.
        exchange_s: of the gradients alone, when all processes are ready for it; 0 in a single one.
        megabytes: of gradients.
    """

    seconds: float
    waiting_s: float
    optimizer_s: float
    exchange_s: float
    megabytes: float


def train(asked: str, prepared: Path, config: Path) -> None:
    """One process's part of a training; it prints its `Part` of the second step, or the first one its profile.

    The first step has costs of its own: the first memory that is allocated, and the optimizer's state.
    """
    batches = 4 // int(os.environ["WORLD_SIZE"])  # of 8 clips in each process, so that a step is of the same 32
    steps = "1" if asked == PROFILE else asked
    flags = ("--use_cpu", "true", "--max_steps", steps, "--gradient_accumulation_steps", str(batches))
    built = trainer(prepared, config, *flags)
    if asked == PROFILE:
        found: Any = torch_profile(built.train)
    else:
        clock = StepClock()
        built.add_callback(clock)
        built.train()
        took_s, processor_s = clock.step(1)
        found = asdict(Part(took_s, took_s - processor_s, clock.optimizer_s[1], *exchange(built)))
    built.accelerator.wait_for_everyone()
    if asked != PROFILE or built.is_world_process_zero():
        # In one piece: `print` writes the end of the line apart where Python does not buffer, and processes mix theirs.
        sys.stdout.write(f"found: {json.dumps(found)}\n")
        sys.stdout.flush()


def exchange(trainer: Any) -> tuple[float, float]:
    """The median seconds of summing all gradients over the processes, and their megabytes."""
    gradients = [torch.zeros_like(weight) for weight in trainer.model.parameters() if weight.requires_grad]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    if trainer.args.world_size == 1:
        return 0.0, flat.nbytes / 1e6
    taken = []
    for _ in range(3):
        trainer.accelerator.wait_for_everyone()
        start = time.perf_counter()
        torch.distributed.all_reduce(flat)
        taken.append(time.perf_counter() - start)
    return median(taken), flat.nbytes / 1e6


def start(asked: str, processes: int, prepared: Path, config: Path) -> subprocess.Popen:
    """Starts [`train`] with this number of processes."""
    # `accelerate launch --cpu` starts a single process, whatever their number.
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(processes)]
    launch += ["--rdzv_backend", "c10d", "--rdzv_endpoint", "localhost:0"]  # a port that is free, for two side by side
    launch += ["--module", "benchmarks.processes"]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "SER_BENCHMARK": os.pathsep.join((asked, str(prepared), str(config))),
    }
    return subprocess.Popen(
        launch, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def found(started: subprocess.Popen) -> list[Any]:
    """What the processes printed, when they have ended.

    Raises:
        RuntimeError: they failed.
    """
    output, errors = started.communicate()
    if started.returncode:
        raise RuntimeError(errors[-2000:])
    lines = [line.partition("found: ") for line in output.splitlines()]
    return [json.loads(text) for _, sign, text in lines if sign]


def parts(asked: str, processes: int, prepared: Path, config: Path, trainings: int = 1) -> list[Part]:
    """The parts of all processes of some trainings that run side by side."""
    started = [start(asked, processes, prepared, config) for _ in range(trainings)]
    return [Part(**fields) for process in started for fields in found(process)]


def measure(quick: bool) -> list[Line]:
    """One process, two, and two that do not exchange anything, in turns."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = folder / "config.json"
        backbone(LAYERS, quick=quick).to_json_file(config)
        prepared = prepare_training_clips(folder / "corpus", 40 if quick else CLIPS)
        rounds = [
            (
                parts("2", 1, prepared, config),
                parts("2", 2, prepared, config),
                parts("3", 1, prepared, config, trainings=2),  # a step more, so that none computes alone in its second
            )
            for _ in range(1 if quick else 2)
        ]
        (profile,) = found(start(PROFILE, 2, prepared, config))
    return _lines(rounds, profile)


def _lines(rounds: Sequence[tuple[list[Part], list[Part], list[Part]]], profile: str) -> list[Line]:
    one, two, apart = ([_seconds(way) for way in ways] for ways in zip(*rounds, strict=True))
    shared, own = rounds[-1][1], rounds[-1][2]
    waiting = " and ".join(f"{part.waiting_s / part.seconds:.0%}" for part in shared)
    note = (
        f"The second step, of the same 32 of {CLIPS} clips, {LAYERS} layers, {os.cpu_count()} cores: one process "
        f"{median(one):.3g} s, two {median(two):.3g} s, two trainings that exchange nothing {median(apart):.3g} s for "
        f"64 clips. Of a step of two processes, each waits {waiting} for the other or the network, its optimizer takes "
        f"{shared[0].optimizer_s / shared[0].seconds:.0%}, of a step of the others "
        f"{own[0].optimizer_s / own[0].seconds:.0%}. Summing {shared[0].megabytes:.0f} MB of gradients alone takes "
        f"{shared[0].exchange_s:.2g} s. Time of the first of two in a training of one step: {profile}."
    )
    return [
        Line(CLAIM, "one process", **spread([a / b for a, b in zip(one, two, strict=True)]), target=1.8, note=note),
        Line(
            "two trainings side by side that exchange nothing, a thread each",
            "one process",
            **spread([2 * a / b for a, b in zip(one, apart, strict=True)]),
            target=None,
            note="The same run: what memory and cores of this machine leave of 2 ×.",
        ),
    ]


def _seconds(parts: Sequence[Part]) -> float:
    """Of a step whose processes end at different times."""
    return max(part.seconds for part in parts)


if __name__ == "__main__":
    if "SER_BENCHMARK" in os.environ:
        asked, *paths = os.environ["SER_BENCHMARK"].split(os.pathsep)
        train(asked, *map(Path, paths))
    else:
        command_line(measure, __doc__)
