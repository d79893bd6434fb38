"""The network in PyTorch, on a GPU or on the cores of a CPU."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import torch
from transformers import PreTrainedModel

from .backend import Backend

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def torch_network(model: PreTrainedModel, dtype: torch.dtype = torch.float32) -> Backend:
    """A model as a [`Backend`]. It is moved to the GPU if there is one, and cast to `dtype`."""
    model.to("cuda" if torch.cuda.is_available() else "cpu", dtype)  # type: ignore[arg-type]  # its wrapper has no self
    # Several threads, each with a recording, would together need several times a batch's memory on a GPU.
    lock = threading.Lock() if model.device.type == "cuda" else nullcontext()

    @torch.inference_mode()
    def forward(input_values: np.ndarray, attention_mask: np.ndarray) -> dict[str, np.ndarray]:
        with lock:
            outputs = model(
                torch.from_numpy(input_values).to(model.device), torch.from_numpy(attention_mask).to(model.device)
            )
        return {name: logits.float().cpu().numpy() for name, logits in outputs.task_logits.items()}

    return forward


def start_threads(count: int) -> ThreadPoolExecutor:
    """Starts `count` threads and divides those of PyTorch's operators among them; other threads keep theirs.

    A thread that uses PyTorch for the first time meanwhile may get their share: start such threads before.
    """
    num_threads = torch.get_num_threads()
    started = threading.Barrier(count + 1)

    def start() -> None:
        torch.get_num_threads()  # initializes the thread's own number, which the first operator would reset later
        torch.set_num_threads(max(1, num_threads // count))
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
        # PyTorch's number belongs to the thread that sets it, and to threads that start later.
        torch.set_num_threads(num_threads)
    return threads
