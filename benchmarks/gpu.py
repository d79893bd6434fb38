"""The full-size model on one GPU in bfloat16, training and inference, beside both peers: `python -m benchmarks.gpu`.

Without a GPU it measures nothing. `--device cpu --quick` runs it at toy size.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.clips import MAX_S, durations
from benchmarks.measure import spread
from benchmarks.models import TASKS, network, operations
from common.command_line import FlagParser
from modeling import SAMPLING_RATE, Wav2Vec2ForMultiTaskSER
from training.sampler import LengthGroupedBatches

LAYERS, CLIPS, ROUNDS = 24, 512, 3
TRAINING_BATCH, INFERENCE_BATCH = 8, 32
WAYS = {"ours": "grouped by length", "random": "random batches padded to the longest", "padded": "padded to 6 s"}


@dataclass(frozen=True)
class Rate:
    """The speed of one way of computing on a device.

    Args:
        stage, way: `training` or `inference`, and one of `WAYS`.
        clips_per_second: median of the rounds, with `low` and `high`.
        audio_hours_per_hour: of real audio, without padding.
        memory_gb: peak memory of tensors.
        share_of_product: operations a second, of padding too, over the device's measured rate in a matrix product.
        over: how many times as fast `ours` is; 1 for itself.
    """

    stage: str
    way: str
    clips_per_second: float
    low: float
    high: float
    audio_hours_per_hour: float
    memory_gb: float
    share_of_product: float
    over: float = 1.0


def batches(seconds: np.ndarray, way: str, batch_size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Noise of these lengths and its mask, `(batch, samples)` each, in the order and the padding of a way."""
    order = np.random.default_rng(0).permutation(len(seconds)).tolist()
    if way == "ours":
        order = list(LengthGroupedBatches(seconds.tolist(), batch_size, 0, lambda: 0))
    generator = torch.Generator().manual_seed(0)
    for first in range(0, len(order), batch_size):
        samples = torch.from_numpy(seconds[order[first : first + batch_size]] * SAMPLING_RATE).round().long()
        width = round(MAX_S * SAMPLING_RATE) if way == "padded" else int(samples.max())
        mask = (torch.arange(width) < samples[:, None]).long()
        yield torch.randn(mask.shape, generator=generator) * mask, mask


def labels(count: int, device: torch.device) -> dict[str, torch.Tensor]:
    """A target of every task for each clip, `(clips,)`."""
    return {
        task.name: torch.zeros(count, dtype=torch.int64 if task.is_classification else torch.float32, device=device)
        for task in TASKS
    }


def training_step(model: Wav2Vec2ForMultiTaskSER) -> Callable[[torch.Tensor, torch.Tensor], None]:
    """A step of AdamW in bfloat16 mixed precision with a frozen feature encoder, as `train.py` makes it."""
    model.train().freeze("feature_encoder")
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-5)

    def step(waveforms: torch.Tensor, mask: torch.Tensor) -> None:
        with torch.autocast(model.device.type, torch.bfloat16):
            loss = model(waveforms, mask, labels(len(mask), model.device)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def inference_step(model: Wav2Vec2ForMultiTaskSER) -> Callable[[torch.Tensor, torch.Tensor], None]:
    """A forward pass with weights in bfloat16, as `--precision bfloat16` makes it."""
    model.eval().to(torch.bfloat16)

    @torch.inference_mode()
    def step(waveforms: torch.Tensor, mask: torch.Tensor) -> None:
        model(waveforms, mask).logits.float().cpu()

    return step


def product_rate(device: torch.device, size: int) -> float:
    """Operations a second of a bfloat16 matrix product."""
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    taken = []
    for _ in range(8):
        start = _now(device)
        left @ right
        taken.append(_now(device) - start)
    return 2 * size**3 / min(taken)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def measure(device: torch.device, quick: bool) -> list[Rate]:
    """Each stage in each way, in turns."""
    seconds = durations(16 if quick else CLIPS)
    rate = product_rate(device, 128 if quick else 8192)
    rates = []
    for stage, make, size in (
        ("training", training_step, TRAINING_BATCH),
        ("inference", inference_step, INFERENCE_BATCH),
    ):
        model = network(2 if quick else LAYERS, quick=quick)
        model.to(device)  # type: ignore[arg-type]
        step = make(model)
        data = {way: [tuple(t.to(device) for t in batch) for batch in batches(seconds, way, size)] for way in WAYS}
        work = {way: sum(_work(model, stage, *batch) for batch in parts) for way, parts in data.items()}
        rates += _race(stage, step, data, work, seconds, rate, device, 1 if quick else ROUNDS)
    return rates


@torch.no_grad()
def _work(model: Wav2Vec2ForMultiTaskSER, stage: str, waveforms: torch.Tensor, mask: torch.Tensor) -> int:
    """Operations on a batch; the backward pass, which the frozen encoder lacks, takes twice the forward pass."""
    forward = operations(partial(model, waveforms, mask))
    if stage == "inference":
        return forward
    return 3 * forward - 2 * operations(partial(model.speech_encoder.feature_extractor, waveforms))


def _race(
    stage: str,
    step: Callable,
    data: dict[str, list],
    work: dict[str, int],
    seconds: np.ndarray,
    product: float,
    device: torch.device,
    rounds: int,
) -> list[Rate]:
    taken: dict[str, list[float]] = {way: [] for way in data}
    memory = dict.fromkeys(data, 0.0)
    for _ in range(rounds):
        for way, parts in data.items():
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            start = _now(device)
            for batch in parts:
                step(*batch)
            taken[way].append(_now(device) - start)
            if device.type == "cuda":
                memory[way] = torch.cuda.max_memory_allocated() / 1e9
    rates = []
    for way, laps in taken.items():
        found = spread([len(seconds) / lap for lap in laps])
        over = float(np.median(np.array(laps) / np.array(taken["ours"])))
        used = work[way] / np.median(laps) / product
        audio = float(seconds.sum() / np.median(laps))
        rates.append(
            Rate(
                stage, way, found["value"], found["low"], found["high"], audio, memory[way], float(used), round(over, 3)
            )
        )
    return rates


def format_rates(rates: Sequence[Rate], device: str) -> str:
    """The rates as a Markdown table."""
    lines = [
        f"On {device}, bfloat16, XLSR-53's shape:",
        "",
        "| stage | way | clips/s | hours of audio per hour | memory | of a product's rate | ours is faster by |",
        "|---|---|---|---|---|---|---|",
    ]
    for rate in rates:
        lines.append(
            f"| {rate.stage} | {WAYS[rate.way]} | {rate.clips_per_second:.1f} ({rate.low:.1f}–{rate.high:.1f}) | "
            f"{rate.audio_hours_per_hour:,.0f} | {rate.memory_gb:.1f} GB | {rate.share_of_product:.0%} | "
            f"{rate.over} × |"
        )
    return "\n".join(lines)


def main() -> None:
    """Runs the command line."""
    parser = FlagParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="toy sizes: shows that it works, not how fast it is")
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="where the rates go")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        print("This machine has no GPU, so nothing was measured.")
        return
    device = torch.device(args.device)
    rates = measure(device, args.quick)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "the CPU"
    print(format_rates(rates, name))
    if args.output:
        found = {"device": name, "rates": [asdict(rate) for rate in rates]}
        args.output.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
