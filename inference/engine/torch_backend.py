"""The network in PyTorch, on a GPU or on the cores of a CPU."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import torch
from transformers import PreTrainedModel

from .backend import Forward

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def torch_forward(model: PreTrainedModel, dtype: torch.dtype = torch.float32) -> Forward:
    """The network in PyTorch."""
    model.to("cuda" if torch.cuda.is_available() else "cpu", dtype)
    # Several threads, each with a recording, would together ask for several times a batch's memory on a GPU.
    turn = threading.Lock() if model.device.type == "cuda" else nullcontext()

    @torch.inference_mode()
    def forward(input_values: np.ndarray, attention_mask: np.ndarray) -> dict[str, np.ndarray]:
        with turn:
            outputs = model(
                torch.from_numpy(input_values).to(model.device), torch.from_numpy(attention_mask).to(model.device)
            )
        return {name: logits.float().cpu().numpy() for name, logits in outputs.task_logits.items()}

    return forward


def start_threads(count: int) -> ThreadPoolExecutor:
    """So many threads, among which those of PyTorch's operators are divided; other threads keep theirs.

    A thread that uses PyTorch for the first time while these start may take their share for its own: start them before.
    """
    all_together = torch.get_num_threads()
    started = threading.Barrier(count + 1)

    def start() -> None:
        torch.get_num_threads()  # gives the thread the number of all, which the first operator would do later
        torch.set_num_threads(max(1, all_together // count))
        started.wait()

    threads = ThreadPoolExecutor(count, initializer=start)
    try:
        for _ in range(count):
            threads.submit(int)  # starts a thread, for none is idle before all have begun
        started.wait()
    except BaseException:
        started.abort()  # those that have begun wait for the others
        raise
    finally:
        # PyTorch's number is that of the thread which sets it, and of those that begin later.
        torch.set_num_threads(all_together)
    return threads
