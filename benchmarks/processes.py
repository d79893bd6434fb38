"""Training with two processes over one, a thread each: `python -m benchmarks.processes`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.corpus import prepare_training_clips
from benchmarks.measure import Line, command_line, spread, torch_profile
from benchmarks.models import backbone
from benchmarks.training import trainer

LAYERS, CLIPS = 2, 320
ROOT = Path(__file__).parent.parent


def train(asked: str, prepared: Path, config: Path) -> None:
    """One process's part of a step; the first process prints its `seconds` or its `profile`."""
    batches = 4 // int(os.environ["WORLD_SIZE"])  # of 8 clips in each process, so that a step is of the same 32
    flags = ("--use_cpu", "true", "--max_steps", "1", "--gradient_accumulation_steps", str(batches))
    built = trainer(prepared, config, *flags)
    built.accelerator.wait_for_everyone()
    start = time.perf_counter()
    profile = torch_profile(built.train) if asked == "profile" else built.train()
    built.accelerator.wait_for_everyone()
    if built.is_world_process_zero():
        print(f"found: {profile if asked == 'profile' else time.perf_counter() - start}")


def run(asked: str, processes: int, prepared: Path, config: Path) -> str:
    """The output of [`train`] with this number of processes."""
    # `accelerate launch --cpu` starts a single process, whatever their number.
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(processes)]
    launch += ["--module", "benchmarks.processes"]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "SER_BENCHMARK": os.pathsep.join((asked, str(prepared), str(config))),
    }
    done = subprocess.run(launch, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("found: "))
    return line.partition(" ")[2]


def measure(quick: bool) -> list[Line]:
    """One process and two, in turns."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = folder / "config.json"
        backbone(LAYERS, quick=quick).to_json_file(config)
        prepared = prepare_training_clips(folder / "corpus", 40 if quick else CLIPS)
        taken = [
            [float(run("seconds", processes, prepared, config)) for processes in (1, 2)]
            for _ in range(1 if quick else 2)
        ]
        profile = run("profile", 2, prepared, config)
    ones, twos = zip(*taken, strict=True)
    return [
        Line(
            "training with two processes over one, a thread each",
            "one process",
            **spread([one / two for one, two in taken]),
            target=1.8,
            note=f"A step of the same 32 of {CLIPS} clips, {LAYERS} layers, {os.cpu_count()} cores: one process "
            f"{spread(ones)['value']:.3g} s, two {spread(twos)['value']:.3g} s. Time of the first of two: "
            f"{profile}.",
        )
    ]


if __name__ == "__main__":
    if "SER_BENCHMARK" in os.environ:
        asked, *paths = os.environ["SER_BENCHMARK"].split(os.pathsep)
        train(asked, *map(Path, paths))
    else:
        command_line(measure, __doc__)
