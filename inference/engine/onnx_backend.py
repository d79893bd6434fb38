"""A folder that `inference.onnx` wrote -> the network on ONNX Runtime, without PyTorch."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from common.checkpoint_files import check_format
from modeling.tasks_ser import Task, main_task_of

from .threads import num_threads

if TYPE_CHECKING:
    from .backend import Backend

FILES = {"float32": "model.onnx", "int8": "model_int8.onnx", "float16": "model_float16.onnx"}
INPUTS = ("input_values", "attention_mask")
_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")


@dataclass(frozen=True)
class ExportedConfig:
    """Of the configuration of an exported checkpoint, what predictions depend on.

    Args:
        tasks: what the heads predict, in their order.
        max_duration_s: the model's window in seconds.
    """

    tasks: tuple[Task, ...]
    max_duration_s: float

    def get_tasks(self) -> tuple[Task, ...]:
        """The tasks, in the order of the heads."""
        return self.tasks

    @property
    def main_task(self) -> Task:
        """The task that predictions are about."""
        return main_task_of(self.tasks)


def load_onnx(folder: str | Path, precision: str = "float32", workers: int = 1) -> tuple[ExportedConfig, Backend]:
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
    return _load_config(Path(folder)), onnx_network(file, workers)


def _load_config(folder: Path) -> ExportedConfig:
    try:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tasks = tuple(Task(**task) for task in content["tasks"])
        config = ExportedConfig(tasks, float(content["max_duration_s"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} is not an exported checkpoint: its config.json cannot be read: {error}") from error
    check_format(folder, content.get("ser_format", 1))
    return config


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
    options.intra_op_num_threads = max(1, num_threads() - workers + 1)
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
    # ONNX Runtime 1.32 would report its use to its makers, and keep a session number in the folder of temporary files.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise ValueError("The ONNX backend needs onnxruntime: pip install -e '.[onnx]'") from error
    return onnxruntime
