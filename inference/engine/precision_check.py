"""bfloat16 compared with float32 for a model on this machine: measured at its first start, and kept in a file."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import transformers
from filelock import FileLock
from huggingface_hub import cached_assets_path
from transformers import PreTrainedModel

from common.checkpoint_files import weights_sha256
from common.files import write_json
from common.processor import bfloat16_instructions, processor_name
from common.versions import PROJECT
from modeling import SAMPLING_RATE, Task

from .backend import Backend, pad
from .precision import Choice, Comparison, choose_precision
from .synthetic_speech import synthetic_vowels
from .torch_backend import torch_network

_CLIP_S = 3.0
_BATCH_ON_GPU = 8  # clips: a single one takes as long in any precision there
# The first of which is not timed: libraries prepare themselves. The fastest of the others is what other work disturbed
# least.
_MIN_ROUNDS, _MAX_ROUNDS = 4, 16
_BUDGET_S = 1.0
_FORMAT = 1  # of what is kept and how it is measured
_WAIT_S = 120.0  # for another process that measures the same


def check_precision(model: PreTrainedModel, checkpoint: str, measure: bool = True) -> Choice:
    """The precision in which this machine computes a model best.

    What was measured is kept in Hugging Face's folder of assets (`HF_ASSETS_CACHE`), per device and weights, so that
    later starts choose the same at no cost.

    Args:
        model: in float32.
        checkpoint: that it was loaded from. Where the SHA-256 of its weights is unknown, nothing is kept.
        measure: whether to measure where nothing is kept; otherwise the choice is float32 there.
    """

    def compare() -> Comparison | None:
        weights = weights_sha256(checkpoint)  # reads all of them, and only where they are compared
        file = _cache_file(weights) if weights is not None else None
        if not measure:
            return read_comparison(file) if file is not None else None
        return compare_precisions(model) if file is None else kept_comparison(file, lambda: compare_precisions(model))

    try:
        return choose_precision(has_bfloat16(), model.num_parameters(), compare)
    except torch.OutOfMemoryError:
        return Choice("float32", "there is too little memory to compare it with bfloat16")


def has_bfloat16() -> bool:
    """Whether the device that computes has instructions for bfloat16."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(bfloat16_instructions())


def compare_precisions(model: PreTrainedModel) -> Comparison:
    """Computes clips of synthetic speech in both precisions, in turns, so that other work slows both of them."""
    exact = torch_network(model)  # which moves the model to the device, before it is copied
    rounded = torch_network(_copy_that_shares_weights(model), torch.bfloat16)
    with _one_thread():
        return _compare(model, exact, rounded)


def _copy_that_shares_weights(model: PreTrainedModel) -> PreTrainedModel:
    """A copy whose weights take no memory of their own until they are cast, one by one."""
    weights = {id(weight): torch.nn.Parameter(weight.detach(), weight.requires_grad) for weight in model.parameters()}
    buffers = {id(buffer): buffer.detach() for buffer in model.buffers()}
    return copy.deepcopy(model, {**weights, **buffers})  # which takes what is in this dictionary for copied already


@contextmanager
def _one_thread() -> Iterator[None]:
    """Computes with one thread: several wait for each other where another process has a core, in any precision."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _compare(model: PreTrainedModel, *networks: Backend) -> Comparison:
    tasks = model.config.get_tasks()
    clips = 1 if model.device.type == "cpu" else _BATCH_ON_GPU
    random = np.random.default_rng(0)
    rounds: list[tuple[float, ...]] = []
    difference = 0.0
    end = time.perf_counter() + _BUDGET_S
    while len(rounds) < _MIN_ROUNDS or (len(rounds) < _MAX_ROUNDS and time.perf_counter() < end):
        inputs = pad([synthetic_vowels(random, round(_CLIP_S * SAMPLING_RATE)) for _ in range(clips)])
        outputs, seconds = zip(*(_timed(network, inputs) for network in networks), strict=True)
        rounds.append(seconds)
        difference = float(np.maximum(difference, _difference(tasks, *outputs)))  # which propagates NaN
    exact_s, rounded_s = np.min(rounds[1:], axis=0)
    return Comparison(float(exact_s / rounded_s), difference if np.isfinite(difference) else None)


def _timed(network: Backend, inputs: tuple[np.ndarray, np.ndarray]) -> tuple[Mapping[str, np.ndarray], float]:
    start = time.perf_counter()
    outputs = network(*inputs)
    return outputs, time.perf_counter() - start


def _difference(tasks: Sequence[Task], exact: Mapping[str, np.ndarray], rounded: Mapping[str, np.ndarray]) -> float:
    """As of [`~inference.engine.precision.Comparison`], from logits; NaN where one is not finite."""
    largest = 0.0
    for task in tasks:
        difference = np.abs(task.decode(rounded[task.name]) - task.decode(exact[task.name])).max()
        largest = np.maximum(largest, difference if task.is_classification else difference / task.std)
    return float(largest)


def kept_comparison(file: Path, measure: Callable[[], Comparison]) -> Comparison:
    """What a file holds, or else what `measure` returns, which the file holds from then on.

    Processes that start together measure once. A damaged file is measured and written again; where it cannot be
    written, the measurement is used all the same, and stderr names the file.

    Args:
        file: JSON, in a folder that exists.
        measure: the measurement.
    """
    kept = read_comparison(file)
    if kept is not None:
        return kept
    try:
        with FileLock(file.with_suffix(".lock"), timeout=_WAIT_S):
            kept = read_comparison(file)  # which another process may have written meanwhile
            if kept is None:
                kept = measure()
                write_json(file, asdict(kept))
    except OSError as error:  # filelock's Timeout among them
        _report(file, error)
    return kept or measure()


def read_comparison(file: Path) -> Comparison | None:
    """What a file holds, `None` where it is missing, unreadable or damaged."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        speedup, difference = content["speedup"], content["difference"]
        return Comparison(float(speedup), None if difference is None else float(difference))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _cache_file(weights: str) -> Path | None:
    """The file of a model on this device, `None` where its folder cannot be created."""
    on_gpu = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if on_gpu else [processor_name(), dict(torch.cpu.get_capabilities())]
    # What limits the instructions that are used. The number of threads does not matter: one measures.
    limits = (torch.backends.cpu.get_cpu_capability(), os.environ.get("ONEDNN_MAX_CPU_ISA"))
    versions = (_FORMAT, torch.__version__, transformers.__version__)
    key = json.dumps([weights, versions, device, limits], sort_keys=True)
    try:
        folder = cached_assets_path(PROJECT, "precision")
    except (OSError, ValueError) as error:  # read-only; or a file has that name
        _report(Path("HF_ASSETS_CACHE"), error)
        return None
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _report(path: Path, error: Exception) -> None:
    print(f"The check of the precision cannot be kept in {path}: {error}", file=sys.stderr)
