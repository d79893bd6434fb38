"""A loaded model, whatever computes it: waveforms in, what every head says out, in batches of like length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from transformers import PreTrainedConfig

from common.checkpoint import load_checkpoint
from modeling import SAMPLING_RATE, Task, length_grouped_batches

from .backend import Forward, pad
from .onnx_backend import load_onnx, onnx_has_gpu
from .torch_backend import PRECISIONS, start_threads, torch_forward


class Predictor:
    """What every head says about waveforms.

    Args:
        config: of the checkpoint.
        forward: the network, on any backend. The waveforms that it gets are padded with zeros and masked.
        batch_size: waveforms that are computed at once. It changes no answer but those in int8, where a batch is
            rounded as one.
        workers: threads among which they are divided, each with its share of PyTorch's. Several cores compute small
            batches, one each, sooner than a large one together, for which they wait for each other in every layer.

    Attributes:
        tasks (`tuple[Task]`): what the heads predict, in their order.
        main_task (`Task`): emotion, or the first where there is none.
        max_duration_s (`float`): seconds of a waveform, from its beginning, that the model hears.
    """

    def __init__(self, config: PreTrainedConfig, forward: Forward, batch_size: int = 8, workers: int = 1):
        self.tasks: tuple[Task, ...] = config.get_tasks()
        self.main_task: Task = config.main_task
        self.max_duration_s = float(config.max_duration_s)
        self._forward = forward
        self._batch_size = batch_size
        self._workers = workers
        self._threads = start_threads(workers) if workers > 1 else None

    def __call__(self, waveforms: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """
        Args:
            waveforms: each mono float32 at 16 kHz, of shape `(samples,)`, at least one sample.

        Returns:
            Task name to probabilities `(waveforms, num_outputs)`, or values in the task's unit `(waveforms,)`.
        """
        if not waveforms:
            return {task.name: task.decode(torch.zeros(0, task.num_outputs)).numpy() for task in self.tasks}
        heard = [waveform[: round(self.max_duration_s * SAMPLING_RATE)] for waveform in waveforms]
        logits = {task.name: np.zeros((len(heard), task.num_outputs), np.float32) for task in self.tasks}
        at_once = max(1, min(self._batch_size, len(heard)) // self._workers)
        batches = length_grouped_batches([waveform.size for waveform in heard], at_once)

        def compute(batch: list[int]) -> Mapping[str, np.ndarray]:
            return self._forward(*pad([heard[index] for index in batch]))

        # A single batch has the threads of all workers.
        answers = self._threads.map(compute, batches) if self._threads and len(batches) > 1 else map(compute, batches)
        for batch, answer in zip(batches, answers, strict=True):
            for name, values in answer.items():
                logits[name][batch] = values
        return {task.name: task.decode(torch.from_numpy(logits[task.name])).numpy() for task in self.tasks}


def load_predictor(
    checkpoint: str, *, backend: str = "torch", precision: str = "float32", batch_size: int = 8
) -> Predictor:
    """The predictor of a checkpoint, with this project's code and none that the checkpoint brings.

    It computes on the GPU where there is one, and otherwise with all of PyTorch's threads (`OMP_NUM_THREADS`).

    Args:
        checkpoint: folder or Hub id; for ONNX, the folder that `inference.onnx` wrote.
        backend: `"torch"` or `"onnx"`.
        precision: of the weights and of what is computed: `"float32"` or `"bfloat16"`, for ONNX one that was exported
            (`"float32"`, `"int8"`, `"float16"`).
        batch_size: waveforms that are computed at once.

    Raises:
        ValueError: it is no whole checkpoint of this project, was not exported, or there is no such backend, precision
            or batch.
    """
    if batch_size < 1:
        raise ValueError(
            f"The batch size is the number of clips that are computed at once, 1 or more; got {batch_size}."
        )
    # As many as divide both, so that none waits for another at the end of every batch.
    workers = math.gcd(batch_size, torch.get_num_threads())
    if backend == "onnx":
        workers = 1 if onnx_has_gpu() else workers
        return Predictor(*load_onnx(checkpoint, precision, workers), batch_size, workers)
    if backend != "torch":
        raise ValueError(f"The backend is 'torch' or 'onnx', got {backend!r}.")
    if precision not in PRECISIONS:
        raise ValueError(f"PyTorch computes in {', '.join(PRECISIONS)}, got the precision {precision!r}.")
    model, _ = load_checkpoint(checkpoint)
    forward = torch_forward(model, PRECISIONS[precision])
    return Predictor(model.config, forward, batch_size, workers if model.device.type == "cpu" else 1)
