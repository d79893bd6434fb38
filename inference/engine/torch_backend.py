"""The network in PyTorch, on a GPU or on the cores of a CPU."""

from __future__ import annotations

import threading
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
