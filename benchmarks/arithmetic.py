"""The model's arithmetic beside a plain matrix product's, float32, batch 8: `python -m benchmarks.arithmetic`."""

from __future__ import annotations

import time

import torch

from benchmarks.clips import durations
from benchmarks.measure import Line, command_line, spread, torch_profile
from benchmarks.models import network, operations
from modeling import SAMPLING_RATE
from modeling.cpu_ser import keep_freed_memory

LAYERS, BATCH, ROUNDS = 24, 8, 5


def product_rate(rows: int, inner: int, outer: int) -> float:
    """Floating-point operations a second of one matrix product of this shape, the best of a few."""
    left, right, out = torch.randn(rows, inner), torch.randn(inner, outer), torch.empty(rows, outer)
    torch.mm(left, right, out=out)
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        torch.mm(left, right, out=out)
        taken.append(time.perf_counter() - start)
    return 2 * rows * inner * outer / min(taken)


@torch.no_grad()
def measure(quick: bool) -> list[Line]:
    """Forward passes between products."""
    keep_freed_memory()
    model = network(2 if quick else LAYERS, quick=quick)
    config = model.config
    clips = torch.randn(BATCH, round(durations(10_000).mean() * SAMPLING_RATE))
    model(clips)
    work = BATCH * sum(operations(config, clips.shape[1]))
    rows = BATCH * int(model._get_feat_extract_output_lengths(clips.shape[1]))
    shares, rates = [], []
    for _ in range(1 if quick else ROUNDS):
        rate = product_rate(rows, config.hidden_size, config.intermediate_size)
        start = time.perf_counter()
        model(clips)
        shares.append(work / (time.perf_counter() - start) / rate)
        rates.append(rate)
    profile = torch_profile(lambda: model(clips))
    return [
        Line(
            "model arithmetic, float32, batch 8, of a plain matrix product's rate",
            f"torch.mm of ({rows}, {config.hidden_size}) and ({config.hidden_size}, {config.intermediate_size})",
            **spread(shares),
            target=0.7,
            unit="",
            note=f"{work / 1e9:.0f} GFLOP for {BATCH} clips of {clips.shape[1] / SAMPLING_RATE:.2f} s, the "
            f"product at {spread(rates)['value'] / 1e9:.0f} GFLOP/s. Time: {profile}.",
        )
    ]


if __name__ == "__main__":
    command_line(measure, __doc__)
