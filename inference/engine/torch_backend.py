"""The network in PyTorch, on a GPU or on the cores of a CPU."""

from __future__ import annotations

import copy
import threading
from contextlib import nullcontext

import numpy as np
import torch
from transformers import PreTrainedModel

from .backend import Backend
from .precision import TORCH_PRECISIONS

PRECISIONS: dict[str, torch.dtype] = {name: getattr(torch, name) for name in TORCH_PRECISIONS}


def torch_network(model: PreTrainedModel, dtype: torch.dtype = torch.float32) -> Backend:
    """A model as a [`Backend`]. It is moved to the GPU if there is one, and cast to `dtype`, all but its heads.

    Their products cost nothing, and in bfloat16 would round logits to three digits.
    """
    heads = copy.deepcopy(model.get_submodule("heads")) if dtype != torch.float32 else None
    model.to("cuda" if torch.cuda.is_available() else "cpu", dtype)  # type: ignore[arg-type]  # its wrapper has no self
    if heads is not None:
        model.set_submodule("heads", heads.to(model.device))
        heads.register_forward_pre_hook(lambda _, inputs: (inputs[0].float(),))
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
