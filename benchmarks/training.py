"""Steps of training at XLSR-53's shape with 4 layers, beside its peers: `python -m benchmarks.training`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks.corpus import prepare_training_clips
from benchmarks.measure import Line, command_line, race, ratio, torch_profile
from benchmarks.models import backbone
from preprocessing.prepared.rows import ROW
from training.arguments.parse import parse_args
from training.job import prepare_job
from training.run import build_trainer
from training.trainer import MultiTaskSERTrainer

LAYERS, CLIPS = 4, 640
# Flags that each way adds to the defaults of train.py.
WAYS = {
    "ours": (),
    "padded to 6 s": ("--padding", "paper", "--train_sampling_strategy", "random"),
    "random batches": ("--train_sampling_strategy", "random"),
}


def trainer(prepared: Path, config: Path, *more: str) -> MultiTaskSERTrainer:
    """The trainer of `train.py` with these flags, for one epoch without evaluations."""
    flags = ["--data", str(prepared), "--config_name", str(config), "--output_dir", str(config.parent / "run")]
    flags += ["--num_train_epochs", "1", "--eval_strategy", "no", "--save_strategy", "no", "--report_to", "none"]
    flags += ["--load_best_model_at_end", "false", "--disable_tqdm", "true", "--logging_strategy", "no", *more]
    flags += ["--freeze", "none"]  # which random weights do not allow: `step` does it
    flags += ["--dataloader_num_workers", "0"]  # whose start takes longer than a step
    return build_trainer(prepare_job(*parse_args(flags)))


def step(prepared: Path, config: Path, way: str) -> Callable[[], float]:
    """The first step of an epoch, with another seed in each round; it returns the seconds of audio in it.

    The loader, the loss and the optimizer are those of `train.py`.
    """
    seeds = count()

    def run() -> float:
        built = trainer(prepared, config, *WAYS[way], "--seed", str(next(seeds)), "--max_steps", "1")
        model: Any = built.model
        clips: Any = built.train_dataset
        model.freeze("feature_encoder")
        lengths = np.minimum(clips["duration_s"][:], model.config.max_duration_s)
        seconds = dict(zip(clips[ROW][:], lengths.tolist(), strict=True))
        processed: list[float] = []
        training_step = built.training_step

        def counted(model: Any, inputs: Any, *more: Any) -> Any:
            processed.extend(seconds[row] for row in inputs["labels"][ROW].tolist())
            return training_step(model, inputs, *more)

        built.training_step = counted  # type: ignore[method-assign, assignment]
        built.train()
        return sum(processed)

    return run


def clip_losses(prepared: Path, config: Path) -> np.ndarray:
    """The emotion loss of 16 clips in our batches and in random ones, `(2, clips)`."""
    built = trainer(prepared, config)
    model: Any = built.model
    rows: Any = built.train_dataset
    model.eval()
    chosen = list(built.get_train_dataloader().sampler)[:16]
    of_clips = []
    for order in (chosen, np.random.default_rng(0).permutation(chosen).tolist()):
        found: dict[int, float] = {}
        for first in (0, 8):
            batch = built.data_collator([rows[index] for index in order[first : first + 8]])
            labels = batch.pop("labels")
            with torch.inference_mode():
                logits = model(**batch).task_logits["emotion"]
            losses = F.cross_entropy(logits, labels["emotion"], reduction="none")
            found |= dict(zip(labels[ROW].tolist(), losses.tolist(), strict=True))
        of_clips.append([found[row] for row in sorted(found)])
    return np.array(of_clips)


def measure(quick: bool) -> list[Line]:
    """Ours beside each peer."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = folder / "config.json"
        backbone(LAYERS, quick=quick, hidden_dropout=0.0, attention_dropout=0.0).to_json_file(config)
        prepared = prepare_training_clips(folder / "corpus", 40 if quick else CLIPS)
        ours, theirs = clip_losses(prepared, config)
        difference = np.abs(ours - theirs).max()
        assert difference < 1e-4, f"a clip's loss differs by {difference} between our batches and random ones"
        ways = {way: partial(step, prepared, config, way) for way in WAYS}
        laps = race(ways, budget_s=200, min_rounds=1 if quick else 2, max_rounds=4)
        profile = torch_profile(trainer(prepared, config, "--max_steps", "1").train)
    rates = ", ".join(f"{way} {median(lap.results) / median(lap.seconds):.2f}" for way, lap in laps.items())
    note = (
        f"A step of 32 of {CLIPS} clips in each of {len(laps['ours'].seconds)} rounds, {os.cpu_count()} cores. "
        f"Seconds of speech trained on in a second: {rates}. A clip's loss is the same, to {difference:.1g}. "
        f"Time: {profile}."
    )
    claim = "training, clips of one length a second, XLSR-53's shape with 4 layers"
    peers = {
        "padded to 6 s": "padding to 6 s (the paper)",
        "random batches": "random batches of 8 padded to the longest (HF's example)",
    }
    return [
        Line(claim, peers[way], **ratio(laps, "ours", way, per_result=True), target=target, note=text)
        for way, target, text in (("padded to 6 s", 2.0, note), ("random batches", 1.8, "The same run."))
    ]


if __name__ == "__main__":
    command_line(measure, __doc__)
