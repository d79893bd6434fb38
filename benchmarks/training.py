"""Steps of training at XLSR-53's shape with 4 layers, beside its peers: `python -m benchmarks.training`."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional as F
from transformers import TrainerCallback

from benchmarks.corpus import prepare_training_clips
from benchmarks.machine import this_machine
from benchmarks.measure import Laps, Line, command_line, race, ratio, torch_profile
from benchmarks.models import backbone, restore_convolutions
from modeling import SAMPLING_RATE
from preprocessing.prepared.rows import ROW
from training.arguments.parse import parse_args
from training.job import prepare_job
from training.run import build_trainer
from training.trainer import MultiTaskSERTrainer

LAYERS, CLIPS = 4, 640
CLAIM = f"training, clips of one length a second, XLSR-53's shape with {LAYERS} layers"
# Flags that each way adds to the defaults of train.py.
WAYS = {
    "ours": (),
    "padded to 6 s": ("--padding", "paper", "--train_sampling_strategy", "random"),
    "random batches": ("--train_sampling_strategy", "random"),
}
PRECISIONS: dict[str, tuple[str, ...]] = {"float32": (), "bfloat16": ("--bf16", "true", "--use_cpu", "true")}
# Ways to what they are, and how many times as fast ours is to be.
PEERS = {
    "padded to 6 s": ("padding to 6 s (the paper)", 2.0),
    "random batches": ("random batches of 8 padded to the longest (HF's example)", 1.8),
}


def trainer(prepared: Path, config: Path, *more: str) -> MultiTaskSERTrainer:
    """The trainer of `train.py` with these flags, for one epoch without evaluations."""
    flags = ["--data", str(prepared), "--config_name", str(config), "--output_dir", str(config.parent / "run")]
    flags += ["--num_train_epochs", "1", "--eval_strategy", "no", "--save_strategy", "no", "--report_to", "none"]
    flags += ["--load_best_model_at_end", "false", "--disable_tqdm", "true", "--logging_strategy", "no", *more]
    flags += ["--freeze", "none"]  # random weights allow no other; the feature encoder is frozen below
    flags += ["--dataloader_num_workers", "0"]  # whose start takes longer than a step
    built = build_trainer(prepare_job(*parse_args(flags)))
    model: Any = built.model
    model.freeze("feature_encoder")
    return built


class StepClock(TrainerCallback):
    """Times the steps of a training, without what comes before the first one.

    Attributes:
        marks: seconds of the clock and of processors at the beginning, and at the end of each step.
        optimizer_s: seconds of the optimizer in each step.
    """

    def __init__(self) -> None:
        self.marks: list[tuple[float, float]] = []
        self.optimizer_s: list[float] = []

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        self._mark()

    def on_pre_optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        self._before_s = time.perf_counter()

    def on_optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        self.optimizer_s.append(time.perf_counter() - self._before_s)

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        self._mark()

    def _mark(self) -> None:
        self.marks.append((time.perf_counter(), time.process_time()))

    def step(self, number: int) -> tuple[float, float]:
        """Seconds of the clock and of processors that a step took, the first one with number 0."""
        (start, before), (end, after) = self.marks[number : number + 2]
        return end - start, after - before


class Step(NamedTuple):
    """What a step took, and the seconds of audio in it, without padding and with it."""

    seconds: float
    audio_s: float
    padded_s: float


def step(prepared: Path, config: Path, flags: Sequence[str], stock: bool) -> Callable[[], Step]:
    """The first step of an epoch, with another seed in each round.

    The loader, the loss and the optimizer are those of `train.py`.

    Args:
        prepared: folder with the clips.
        config: file of the backbone's configuration.
        flags: of `train.py`.
        stock: the convolutions are those of transformers.
    """
    seeds = count()

    def run() -> Step:
        built = trainer(prepared, config, *flags, "--seed", str(next(seeds)), "--max_steps", "1")
        clock = StepClock()
        built.add_callback(clock)
        model: Any = built.model
        if stock:
            restore_convolutions(model)
        samples = np.zeros(2)
        training_step = built.training_step

        def counted(model: Any, inputs: Any, *more: Any) -> Any:
            mask = inputs["attention_mask"]
            samples[:] += int(mask.sum()), mask.numel()
            return training_step(model, inputs, *more)

        built.training_step = counted  # type: ignore[method-assign, assignment]
        built.train()
        return Step(clock.step(0)[0], *(samples / SAMPLING_RATE).tolist())

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
    """Ours beside each peer in float32 and, where the processor has AMX, in bfloat16."""
    precisions = ["float32", *(["bfloat16"] if this_machine().has_amx else [])]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = folder / "config.json"
        backbone(LAYERS, quick=quick, hidden_dropout=0.0, attention_dropout=0.0).to_json_file(config)
        prepared = prepare_training_clips(folder / "corpus", 40 if quick else CLIPS)
        ours, theirs = clip_losses(prepared, config)
        difference = np.abs(ours - theirs).max()
        assert difference < 1e-4, f"a clip's loss differs by {difference} between our batches and random ones"
        ways = {
            f"{way}, {precision}": partial(
                step, prepared, config, (*WAYS[way], *PRECISIONS[precision]), stock=way != "ours"
            )
            for precision in precisions
            for way in WAYS
        }
        laps = race(ways, budget_s=150, min_rounds=1 if quick else 2, max_rounds=4)
        profiles = {
            precision: torch_profile(trainer(prepared, config, "--max_steps", "1", *PRECISIONS[precision]).train)
            for precision in precisions
        }
    steps = {
        way: Laps([found.seconds for found in lap.results], [found.audio_s for found in lap.results])
        for way, lap in laps.items()
    }
    notes = {precision: _note(laps, precision, difference, profiles[precision]) for precision in precisions}
    return [
        *(line for precision in precisions for line in _beside_peers(steps, precision, notes[precision])),
        *([_bfloat16(steps)] if "bfloat16" in precisions else []),
    ]


def _note(laps: Mapping[str, Laps], precision: str, difference: float, profile: str) -> str:
    found = {way: laps[f"{way}, {precision}"].results for way in WAYS}
    rates = ", ".join(
        f"{way} {median(step.audio_s / step.seconds for step in steps):.2f}" for way, steps in found.items()
    )
    audio = ", ".join(
        f"{way} {median(step.audio_s / step.padded_s for step in steps):.0%}" for way, steps in found.items()
    )
    return (
        f"A step of 32 of {CLIPS} clips in each of {len(found['ours'])} rounds, {os.cpu_count()} cores. Seconds of "
        f"speech trained on in a second: {rates}. Share of speech in what is computed, the rest is padding: {audio}. "
        "The peers' convolutions are those of transformers. "
        f"A clip's loss in float32 is the same, to {difference:.1g}. Time of a training of one step: {profile}."
    )


def _beside_peers(steps: Mapping[str, Laps], precision: str, note: str) -> list[Line]:
    claim = CLAIM if precision == "float32" else f"{CLAIM}, {precision}"
    return [
        Line(
            claim,
            peer,
            **ratio(steps, f"ours, {precision}", f"{way}, {precision}", per_result=True),
            target=target,
            note=note if way == "padded to 6 s" else "The same run.",
        )
        for way, (peer, target) in PEERS.items()
    ]


def _bfloat16(steps: Mapping[str, Laps]) -> Line:
    speedup = ratio(steps, "ours, bfloat16", "ours, float32", per_result=True)
    return Line(f"{CLAIM}, bfloat16", "the same in float32", **speedup, target=None, note="The same run.")


if __name__ == "__main__":
    command_line(measure, __doc__)
