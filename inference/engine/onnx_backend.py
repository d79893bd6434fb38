"""A folder that `inference.onnx` wrote -> the network on ONNX Runtime, without PyTorch weights."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import PreTrainedConfig

from common.checkpoint import load_config

if TYPE_CHECKING:
    from .backend import Backend

FILES = {"float32": "model.onnx", "int8": "model_int8.onnx", "float16": "model_float16.onnx"}
INPUTS = ("input_values", "attention_mask")
_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")


def load_onnx(folder: str | Path, precision: str = "float32", workers: int = 1) -> tuple[PreTrainedConfig, Backend]:
    """The configuration and the network of an exported checkpoint.

    It computes on the GPU if the installed ONNX Runtime supports one, and otherwise with as many threads as PyTorch
    would use, so that `OMP_NUM_THREADS` bounds both. Single clips are computed with all of them only by one worker.

    Args:
        folder: that `inference.onnx` wrote.
        precision: `"float32"`, `"int8"` or `"float16"`, if it was exported.
        workers: threads that call the network at the same time. They compute too, and share the other threads.

    Raises:
        ValueError: the folder is not an export, or not in this precision, or ONNX Runtime is not installed.
    """
    if precision not in FILES:
        raise ValueError(f"The precision of ONNX is one of {', '.join(FILES)}, got {precision!r}.")
    file = Path(folder) / FILES[precision]
    if not file.is_file():
        found = [name for name, written in FILES.items() if (Path(folder) / written).is_file()]
        precisions = " ".join(name for name in FILES if name in {"float32", precision, *found})
        raise ValueError(
            f"{folder} has no {file.name}. `python -m inference.onnx CHECKPOINT --output NEW_FOLDER --precision "
            f"{precisions}` writes one."
        )
    return load_config(folder), onnx_network(file, workers)


def onnx_network(file: Path, workers: int = 1) -> Backend:
    """The network in an ONNX file as a [`~inference.engine.backend.Backend`].

    Args:
        file: written by `inference.onnx`.
        workers: threads that call it at the same time.

    Raises:
        ValueError: ONNX Runtime is not installed, or cannot read the file.
    """
    onnxruntime = _import_runtime()
    options = onnxruntime.SessionOptions()
    # One thread is the caller itself, and all callers share the others.
    options.intra_op_num_threads = max(1, torch.get_num_threads() - workers + 1)
    available = onnxruntime.get_available_providers()
    try:
        session = onnxruntime.InferenceSession(
            file, options, providers=[name for name in _PROVIDERS if name in available]
        )
    except Exception as error:  # ONNX Runtime's errors have no common class
        raise ValueError(f"ONNX Runtime cannot read {file}: {str(error).strip().splitlines()[0]}") from error
    heads = [output.name for output in session.get_outputs()]

    def forward(input_values: np.ndarray, attention_mask: np.ndarray) -> dict[str, np.ndarray]:
        values = session.run(heads, dict(zip(INPUTS, (input_values, attention_mask), strict=True)))
        return dict(zip(heads, values, strict=True))

    return forward


def onnx_has_gpu() -> bool:
    """Whether the installed ONNX Runtime supports a GPU.

    Raises:
        ValueError: ONNX Runtime is not installed.
    """
    return _PROVIDERS[0] in _import_runtime().get_available_providers()


def _import_runtime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError as error:
        raise ValueError("The ONNX backend needs onnxruntime: pip install -e '.[onnx]'") from error
    return onnxruntime
