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
from modeling.cpu_ser import keep_freed_memory

LAYERS, CLIPS = 2, 320
ROOT = Path(__file__).parent.parent


def train(prepared: Path, config: Path) -> None:
    """One process's part of a step; the first process prints the seconds."""
    keep_freed_memory()
    batches = 4 // int(os.environ["WORLD_SIZE"])  # of 8 clips in each process, so that a step is of the same 32
    words = ("--use_cpu", "true", "--max_steps", "1", "--gradient_accumulation_steps", str(batches))
    built = trainer(prepared, config, *words)
    built.accelerator.wait_for_everyone()
    start = time.perf_counter()
    where = torch_profile(built.train)
    built.accelerator.wait_for_everyone()
    if built.is_world_process_zero():
        print(f"seconds: {time.perf_counter() - start}\nwhere: {where}")


def run(processes: int, prepared: Path, config: Path) -> tuple[float, str]:
    """Seconds of the step with so many processes, and where the first of them spent its time."""
    # `accelerate launch --cpu` starts a single process, whatever their number.
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(processes)]
    launch += ["--module", "benchmarks.processes"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "SER_BENCHMARK": f"{prepared}{os.pathsep}{config}"}
    done = subprocess.run(launch, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines() if line.startswith(("seconds: ", "where: ")))
    return float(said["seconds"]), said["where"]


def measure(quick: bool) -> list[Line]:
    """One process and two, in turns."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = folder / "config.json"
        backbone(LAYERS, quick=quick).to_json_file(config)
        prepared = prepare_training_clips(folder / "corpus", 40 if quick else CLIPS)
        rounds = [(run(1, prepared, config), run(2, prepared, config)) for _ in range(1 if quick else 2)]
    (_, where_one), (_, where_two) = rounds[-1]
    taken = [(one, two) for (one, _), (two, _) in rounds]
    ones, twos = zip(*taken, strict=True)
    return [
        Line(
            "training with two processes over one, a thread each",
            "one process",
            **spread([one / two for one, two in taken]),
            target=1.8,
            note=f"A step of the same 32 of {CLIPS} clips, {LAYERS} layers, {os.cpu_count()} cores: one process "
            f"{spread(ones)['value']:.3g} s, two {spread(twos)['value']:.3g} s. Time of one: {where_one}. Of the "
            f"first of two: {where_two}.",
        )
    ]


if __name__ == "__main__":
    if "SER_BENCHMARK" in os.environ:
        train(*map(Path, os.environ["SER_BENCHMARK"].split(os.pathsep)))
    else:
        command_line(measure, __doc__)
