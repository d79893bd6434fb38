"""Other ways to compute the same clips on the CPU, and what they are worth: `python -m benchmarks.trials`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from benchmarks.clips import waveforms
from benchmarks.measure import Line, Run, command_line, race, ratio
from benchmarks.models import network, with_stock_encoder
from inference.engine.backend import pad
from inference.engine.torch_backend import start_threads
from modeling import length_grouped_batches
from modeling.cpu_ser import keep_freed_memory

LAYERS, CLIPS = 2, 8


@dataclass(frozen=True)
class Way:
    """How clips are computed: so many at once, with which encoder, memory and threads."""

    batch_size: int = 8
    blockwise: bool = True
    keep: bool = True
    side_by_side: int = 1


BASE = "clip by clip, transformers' encoder"
WAYS = {
    BASE: Way(1, blockwise=False, keep=False),
    "batches of 8, transformers' encoder": Way(blockwise=False, keep=False),
    "batches of 8, transformers' encoder, freed memory kept": Way(blockwise=False),
    "batches of 8, encoder in blocks, freed memory kept": Way(),
    "clip by clip, encoder in blocks, freed memory kept": Way(1),
    "two batches of 4 side by side, the same (the default on two cores)": Way(4, side_by_side=2),
}


def compute(quick: bool, way: Way) -> Run:
    """The clips of a folder, computed in one of these ways; emotion's probabilities, `(clips, labels)`, come out."""
    if way.keep:
        keep_freed_memory()
    model = network(LAYERS, quick=quick)
    if not way.blockwise:
        with_stock_encoder(model)
    clips = waveforms(3 if quick else CLIPS)
    batches = length_grouped_batches([clip.size for clip in clips], way.batch_size)
    threads = start_threads(way.side_by_side)

    @torch.inference_mode()
    def batch(indices: list[int]) -> np.ndarray:
        inputs, mask = map(torch.from_numpy, pad([clips[index] for index in indices]))
        return model(inputs, mask).logits.softmax(dim=-1).numpy()

    def run() -> np.ndarray:
        answers = np.concatenate(list(threads.map(batch, batches)))
        return answers[np.argsort(np.concatenate(batches))]

    run()
    return run


def measure(quick: bool) -> list[Line]:
    """All beside clip by clip."""
    laps = race({name: partial(compute, quick, way) for name, way in WAYS.items()}, budget_s=1, min_rounds=3)
    lines = []
    for name in list(WAYS)[1:]:
        difference = np.abs(laps[name].result - laps[BASE].result).max()
        assert difference < 1e-5, f"{name} differs by {difference}"
        lines.append(Line(name, BASE, **ratio(laps, name, BASE), target=None, note=f"Differs by {difference:.1g}."))
    return lines


if __name__ == "__main__":
    command_line(measure, __doc__)
