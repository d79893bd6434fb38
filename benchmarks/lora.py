"""Steps of LoRA at XLSR-53's shape beside those of full fine-tuning: `python -m benchmarks.lora`.

With a GPU all of XLSR-53's layers are trained there, else six of them on the CPU.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from transformers import Wav2Vec2Model

from benchmarks.corpus import prepare_training_clips
from benchmarks.measure import Laps, Line, command_line, race, ratio, seconds, spread
from benchmarks.models import backbone
from training.arguments.parse import parse_args
from training.job import prepare_job
from training.run import build_trainer

LAYERS, GPU_LAYERS, CLIPS, STEPS = 6, 24, 16, 2  # in the second step the optimizer has its state
RANK = 8
BATCHES = {"effective_batch_size": "8", "per_device_train_batch_size": "2", "dataloader_num_workers": "0"}
# Flags that each way adds to the defaults of train.py, which freeze the convolutions.
WAYS = {"LoRA": ("--lora_rank", str(RANK)), "full fine-tuning": ()}


def step(prepared: Path, pretrained: Path, way: str) -> Callable[[], dict[str, float]]:
    """Steps of a training; it returns their seconds, the parameters, and the peak of the process's memory."""
    flags = ["--data", str(prepared), "--model_name_or_path", str(pretrained), "--output_dir", str(pretrained / "run")]
    flags += ["--max_steps", str(STEPS), "--eval_strategy", "no", "--save_strategy", "no", "--report_to", "none"]
    flags += ["--load_best_model_at_end", "false", "--disable_tqdm", "true", "--logging_strategy", "no", *WAYS[way]]
    flags += [word for name, value in BATCHES.items() for word in (f"--{name}", value)]

    def run() -> dict[str, float]:
        job = prepare_job(*parse_args(flags))
        took_s = build_trainer(job).train().metrics["train_runtime"]
        parameters = {"trained": job.trained_parameters, "all": job.model.num_parameters()}
        return {**parameters, "seconds": took_s, "peak_gb": _peak_gb()}

    return run


def _peak_gb() -> float:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def measure(quick: bool) -> list[Line]:
    """Trained parameters, memory and time of LoRA, relative to full fine-tuning."""
    layers = GPU_LAYERS if torch.cuda.is_available() else LAYERS
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        torch.manual_seed(0)
        Wav2Vec2Model(backbone(layers, quick=quick)).save_pretrained(folder / "pretrained")
        prepared = prepare_training_clips(folder / "corpus", CLIPS)
        ways = {way: partial(step, prepared, folder / "pretrained", way) for way in WAYS}
        laps = race(ways, budget_s=100, min_rounds=1 if quick else 2, max_rounds=4)
    steps = {way: Laps([result["seconds"] for result in lap.results], lap.results) for way, lap in laps.items()}
    return _lines(steps, layers)


def _lines(laps: dict[str, Laps], layers: int) -> list[Line]:
    ours, theirs = (laps[way].results[0] for way in WAYS)  # whose process has trained nothing before
    notes = {
        "trained": f"{ours['trained']:,} and {theirs['trained']:,} of {theirs['all']:,} in the checkpoint.",
        "peak_gb": f"{ours['peak_gb']:.2f} GB and {theirs['peak_gb']:.2f} GB, the peak of the process.",
    }
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "the CPU"
    claim = f"LoRA of rank {RANK}, XLSR-53's shape with {layers} layers"
    peer = "full fine-tuning"
    relative = {name: spread([ours[name] / theirs[name]]) for name in notes}
    return [
        Line(
            f"{claim}, trained parameters",
            peer,
            **relative["trained"],
            target=0.05,
            at_least=False,
            note=notes["trained"],
        ),
        Line(f"{claim}, memory", peer, **relative["peak_gb"], target=0.8, at_least=False, note=notes["peak_gb"]),
        Line(
            f"{claim}, steps a second",
            peer,
            **ratio(laps, "LoRA", peer),
            target=1.0,
            note=f"{STEPS} steps of 8 clips, two at a time, on {where}: {seconds(laps)}.",
        ),
    ]


if __name__ == "__main__":
    command_line(measure, __doc__ or "")
