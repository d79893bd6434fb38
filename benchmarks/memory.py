"""Memory of preparation, training and prediction with 1,000 clips and with 20,000: `python -m benchmarks.memory`."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import psutil
import soundfile

from benchmarks.clips import voice
from benchmarks.corpus import write_small_clips
from benchmarks.measure import Line, command_line
from benchmarks.models import backbone, write_checkpoint
from modeling import SAMPLING_RATE

ROOT = Path(__file__).parent.parent
SIZES, QUICK_SIZES = (1_000, 20_000), (50, 100)
_POLL_S = 0.05


def peak(*command: str) -> float:
    """The largest MB of anonymous memory of a command and the processes that it starts, shared pages counted once."""
    with tempfile.TemporaryFile() as log:
        process = psutil.Popen([sys.executable, *command], cwd=ROOT, stdout=log, stderr=log)
        highest = before = 0
        while process.poll() is None:
            now = sum(map(_anonymous_bytes, [process, *process.children(recursive=True)]))
            # The smaller of two successive figures: during a fork, pages are counted for parent and child.
            highest, before = max(highest, min(before, now)), now
            time.sleep(_POLL_S)
        if process.returncode:
            log.seek(0)
            raise RuntimeError(f"{' '.join(command)}: {log.read()[-2000:].decode(errors='replace')}")
    return highest / 2**20


def _anonymous_bytes(process: psutil.Process) -> int:
    """Without mapped files, such as prepared clips, whose pages the system can drop."""
    try:
        return sum(region.pss for region in process.memory_maps() if region.path.startswith("["))
    except psutil.Error:  # it has ended
        return 0


def stages(folder: Path, clips: int) -> dict[str, float]:
    """Stage to its peak in MB, with this number of clips."""
    table = write_small_clips(folder / "corpus", clips)
    prepared, config, run = (str(folder / name) for name in ("prepared", "config.json", "run"))
    peaks = {"preparation": peak("prepare.py", "--corpus", f"table={table}", "--output", prepared)}
    backbone(2, quick=True).to_json_file(config)
    flags = ["--data", prepared, "--config_name", config, "--output_dir", run, "--tasks", "emotion", "gender"]
    flags += ["--max_steps", "20", "--eval_strategy", "no", "--save_strategy", "no", "--report_to", "none"]
    flags += ["--load_best_model_at_end", "false", "--disable_tqdm", "true", "--freeze", "none"]
    peaks["training"] = peak("train.py", *flags)
    checkpoint = write_checkpoint(folder / "checkpoint", 2, quick=True)
    library = folder / "library"
    library.mkdir()
    soundfile.write(folder / "clip.wav", voice(0.6, 0), SAMPLING_RATE)
    for index in range(clips):
        os.link(folder / "clip.wav", library / f"{index:05}.wav")
    flags = [str(library), "--model", str(checkpoint), "--output", str(folder / "rows.jsonl")]
    peaks["prediction"] = peak("predict.py", *flags)
    return peaks


def measure(quick: bool) -> list[Line]:
    """Each stage's peak with many clips, relative to that with few."""
    few, many = QUICK_SIZES if quick else SIZES
    with tempfile.TemporaryDirectory() as folder:
        small, large = (stages(Path(folder, str(size)), size) for size in (few, many))
    lines = []
    for stage, megabytes in large.items():
        growth = megabytes / small[stage]
        lines.append(
            Line(
                f"memory of {stage}, {many:,} clips over {few:,}",
                "–",
                growth,
                growth,
                growth,
                target=1.1,
                at_least=False,
                note=f"Peak of anonymous memory over all its processes: {small[stage]:.0f} MB, {megabytes:.0f} MB.",
            )
        )
    return lines


if __name__ == "__main__":
    command_line(measure, __doc__)
