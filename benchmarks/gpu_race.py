"""A stage of a network in all ways, in turns: batches formed as ours or as the peers', attention, compiled layers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.clips import MAX_S, durations
from benchmarks.measure import spread
from benchmarks.models import TASKS, operations_by_module
from benchmarks.rates import Rate
from modeling import SAMPLING_RATE, length_grouped_batches
from training.sampler import LengthGroupedBatches

# What differs from ours, by the name of the way: the batches, or the computation of the same batches.
BATCHES = {
    "ours": "grouped by length",
    "random": "random batches, padded to the longest (HF's example script)",
    "padded": "padded to 6 s (the paper)",
}
COMPUTATIONS = {
    "eager": "ours, attention without SDPA",
    "cudnn": "ours, SDPA by cuDNN",
    "compiled": "ours, layers by `torch.compile`",
}
Step = Callable[[torch.Tensor, torch.Tensor], None]


@dataclass(frozen=True)
class Stage:
    """What is done with a network, and with how many clips: enough of them for batches of one length each."""

    name: str
    make_step: Callable[[Any], Step]
    batch_size: int
    clips: int


class Batch(NamedTuple):
    """Waveforms and their mask, `(batch, samples)` each."""

    waveforms: torch.Tensor
    mask: torch.Tensor


def batches(seconds: np.ndarray, way: str, stage: Stage) -> Iterator[Batch]:
    """Noise of these lengths, in the order and the padding of one of `BATCHES`."""
    generator = torch.Generator().manual_seed(0)
    for chosen in chosen_clips(seconds, way, stage):
        samples = torch.from_numpy(seconds[chosen] * SAMPLING_RATE).round().long()
        width = round(MAX_S * SAMPLING_RATE) if way == "padded" else int(samples.max())
        mask = (torch.arange(width) < samples[:, None]).long()
        yield Batch(torch.randn(mask.shape, generator=generator) * mask, mask)


def chosen_clips(seconds: np.ndarray, way: str, stage: Stage) -> list[list[int]]:
    """Clips of each batch, as the sampler of training and the predictor form them, or in random order."""
    size = stage.batch_size
    if way == "ours" and stage.name == "inference":
        return length_grouped_batches(seconds.tolist(), size)
    order = np.random.default_rng(0).permutation(len(seconds)).tolist()
    if way == "ours":
        order = list(LengthGroupedBatches(seconds.tolist(), size, 0, lambda: 0))
    return [order[first : first + size] for first in range(0, len(order), size)]


def labels(count: int, device: torch.device) -> dict[str, torch.Tensor]:
    """A target of every task for each clip, `(clips,)`."""
    return {
        task.name: torch.zeros(count, dtype=torch.int64 if task.is_classification else torch.float32, device=device)
        for task in TASKS
    }


def training_step(model: Any) -> Step:
    """A step of AdamW in bfloat16 mixed precision with a frozen feature encoder, as `train.py` makes it."""
    model.train().freeze("feature_encoder")
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-5, fused=True)

    def step(waveforms: torch.Tensor, mask: torch.Tensor) -> None:
        with torch.autocast(model.device.type, torch.bfloat16):
            loss = model(waveforms, mask, labels(len(mask), model.device)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def inference_step(model: Any) -> Step:
    """A forward pass with weights in bfloat16, as `--precision bfloat16` makes it."""
    model.eval().to(torch.bfloat16)

    @torch.inference_mode()
    def step(waveforms: torch.Tensor, mask: torch.Tensor) -> None:
        model(waveforms, mask).logits.float().cpu()

    return step


STAGES = (Stage("training", training_step, 32, 1024), Stage("inference", inference_step, 128, 2048))


def now(device: torch.device) -> float:
    """The time in seconds at which all that was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def computations(model: Any, compiled: bool) -> dict[str, Callable[[], AbstractContextManager]]:
    """The ways of computing the same batches that a model has on its device, each as a context of its steps."""
    ways: dict[str, Callable[[], AbstractContextManager]] = {"compiled": nullcontext} if compiled else {}
    if model._supports_sdpa:
        ways["eager"] = partial(attention_by, model, "eager")
        if model.device.type == "cuda":
            ways["cudnn"] = partial(sdpa_kernel, [SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION], True)
    return ways


@contextmanager
def attention_by(model: Any, implementation: str) -> Iterator[None]:
    """Computes attention by an implementation, and by SDPA again at the end."""
    model.set_attn_implementation(implementation)
    try:
        yield
    finally:
        model.set_attn_implementation("sdpa")


class Race:
    """All ways of one stage of a network.

    Args:
        model: on its device.
        stage: what is done with it.
        compiled: whether `torch.compile` is one of the ways.
    """

    def __init__(self, model: Any, stage: Stage, compiled: bool):
        self.stage, self.device, self.seconds = stage, model.device, durations(stage.clips)
        self._step = stage.make_step(model)
        self._data = {
            way: [Batch(*(part.to(model.device) for part in batch)) for batch in batches(self.seconds, way, stage)]
            for way in BATCHES
        }
        self._work = {way: sum(operations(model, stage, batch) for batch in parts) for way, parts in self._data.items()}
        self._contexts = computations(model, compiled)
        if compiled:
            backend = "inductor" if model.device.type == "cuda" else "eager"  # which needs no C++ compiler
            for layer in model.layers:
                layer.compile(dynamic=True, backend=backend)

    def rates(self, network: str, product: float, rounds: int) -> list[Rate]:
        """The rate of each way in turns; a lap before them, which compiles, is not counted."""
        ways = [*BATCHES, *self._contexts]
        taken: dict[str, list[float]] = {way: [] for way in ways}
        memory = dict.fromkeys(ways, 0.0)
        for number in range(rounds + 1):
            for way in ways:
                lap_s, memory[way] = self._lap(way)
                if number:
                    taken[way].append(lap_s)
        return [self._rate(network, way, taken, memory[way], product) for way in ways]

    def _lap(self, way: str) -> tuple[float, float]:
        """Seconds for all clips, and the peak of memory in GB."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        with ExitStack() as stack:
            stack.enter_context(self._contexts.get(way, nullcontext)())
            if way != "compiled":
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            start = now(self.device)
            for batch in self._data.get(way, self._data["ours"]):
                self._step(*batch)
            lap_s = now(self.device) - start
        return lap_s, torch.cuda.max_memory_allocated() / 1e9 if self.device.type == "cuda" else 0.0

    def _rate(
        self, network: str, way: str, taken: Mapping[str, Sequence[float]], memory_gb: float, product: float
    ) -> Rate:
        laps = np.array(taken[way])
        clips = spread((len(self.seconds) / laps).tolist())
        return Rate(
            network,
            self.stage.name,
            {**BATCHES, **COMPUTATIONS}[way],
            self.stage.batch_size,
            self.stage.clips,
            clips["value"],
            clips["low"],
            clips["high"],
            audio_hours_per_hour=float(self.seconds.sum() / np.median(laps)),
            over=float(np.median(laps / np.array(taken["ours"]))),
            memory_gb=memory_gb,
            share_of_product=float(self._work.get(way, self._work["ours"]) / np.median(laps) / product),
        )


@torch.no_grad()
def operations(model: Any, stage: Stage, batch: Batch) -> int:
    """Operations on a batch; the backward pass takes twice those of the layers, which are what is trained."""
    counts = operations_by_module(partial(model, *batch))
    if stage.name == "inference":
        return counts["Global"]
    layers = f"{type(model).__name__}.{model.encoder_path}.{model.layers_path}"
    return counts["Global"] + 2 * sum(counts[f"{layers}.{index}"] for index in range(len(model.layers)))
