"""A loaded model on any backend: waveforms in, outputs of every head out. The only place that forms batches."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from modeling import Task, length_grouped_batches

from .backend import Backend, ModelConfig, pad
from .onnx_backend import load_onnx, onnx_has_gpu
from .threads import num_threads, start_threads


class Predictor:
    """Predicts the outputs of all heads for waveforms, in batches of similar length.

    Args:
        config: of the checkpoint.
        backend: the network.
        batch_size: waveforms that are processed at once. In float32 it changes outputs by rounding alone, to 1e-5; in
            bfloat16 to 0.02. In int8 a batch is quantized as a whole.
        workers: threads that process batches side by side, each with its share of PyTorch's threads. Several cores
            process small batches, one each, faster than a large one together, for which they synchronize in every
            layer.
        precision: in which the backend computes.

    Attributes:
        tasks (`tuple[Task]`): what the heads predict, in their order.
        main_task (`Task`): emotion, or the first task where the model has no emotion head.
        max_duration_s (`float`): the model's window: the seconds of a waveform, from its beginning, that it processes.
        batch_size (`int`), precision (`str`): as given.
    """

    def __init__(
        self,
        config: ModelConfig,
        backend: Backend,
        batch_size: int = 8,
        workers: int = 1,
        precision: str = "float32",
    ):
        self.tasks: tuple[Task, ...] = config.get_tasks()
        self.main_task: Task = config.main_task
        self.max_duration_s = float(config.max_duration_s)
        self.batch_size = batch_size
        self.precision = precision
        self._backend = backend
        self._workers = workers
        self._threads = start_threads(workers) if workers > 1 else None

    def __call__(self, waveforms: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """
        Args:
            waveforms: each mono float32 at 16 kHz, of shape `(samples,)`, at least one sample.

        Returns:
            Task name to probabilities `(waveforms, num_outputs)`, or values in the task's unit `(waveforms,)`.
        """
        outputs = self._decode({task.name: np.zeros((len(waveforms), task.num_outputs)) for task in self.tasks})
        for indices, batch in self.predict_batches(waveforms):
            for name, values in batch.items():
                outputs[name][indices] = values
        return outputs

    def predict_batches(self, waveforms: Sequence[np.ndarray]) -> Iterator[tuple[list[int], dict[str, np.ndarray]]]:
        """Yields the outputs batch by batch, as soon as each is processed.

        Args:
            waveforms: as of [`Predictor.__call__`].

        Yields:
            The indices of the waveforms of a batch, and for these what [`Predictor.__call__`] returns.
        """
        size = max(1, min(self.batch_size, len(waveforms)) // self._workers)
        batches = length_grouped_batches([waveform.size for waveform in waveforms], size)

        def process(batch: list[int]) -> Mapping[str, np.ndarray]:
            return self._backend(*pad([waveforms[index] for index in batch]))

        # A single batch has the threads of all workers.
        parallel = self._threads is not None and len(batches) > 1
        results = self._threads.map(process, batches) if self._threads and parallel else map(process, batches)
        for batch, logits in zip(batches, results, strict=True):
            yield batch, self._decode(logits)

    def _decode(self, logits: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {task.name: task.decode(np.asarray(logits[task.name])) for task in self.tasks}


InFirst = Callable[[Callable[[], str]], str]


def load_predictor(
    checkpoint: str,
    *,
    backend: str = "torch",
    precision: str = "float32",
    batch_size: int = 8,
    measure: bool = True,
    in_first: InFirst = lambda choose: choose(),
) -> Predictor:
    """The predictor of a checkpoint. It runs this project's code alone, and no code from the checkpoint.

    It computes on the GPU if there is one, and otherwise with all of PyTorch's threads (`OMP_NUM_THREADS`).

    Args:
        checkpoint: folder or Hub id; for ONNX, the folder that `inference.onnx` wrote.
        backend: `"torch"` or `"onnx"`.
        precision: of the computation: `"float32"`, `"bfloat16"`, or `"auto"`, which is one of both, see
            [`~inference.engine.precision.choose_precision`], and prints on stderr what was measured. For ONNX it is one
            that was exported (`"float32"`, `"int8"`, `"float16"`); there `"auto"` is float32.
        batch_size: waveforms that are processed at once.
        measure: whether `"auto"` may measure, which takes a second. Otherwise it is what an earlier start measured,
            or float32, and nothing is printed.
        in_first: calls a function in the first process of a run, and returns its result in all of them, as of
            [`~inference.batch.processes.Processes`], so that all compute in the same precision.

    Raises:
        ValueError: the checkpoint is incomplete, is not of this project or was not exported; or the backend, the
            precision or the batch size is invalid; or the first process chose a precision for which the device of this
            one has no instructions.
    """
    if batch_size < 1:
        raise ValueError(
            f"The batch size is the number of clips that are processed at once; expected 1 or more, got {batch_size}."
        )
    if backend == "onnx":
        return _load_onnx(checkpoint, "float32" if precision == "auto" else precision, batch_size)
    if backend == "torch":
        with _collection_paused():
            return _load_torch(checkpoint, precision, batch_size, measure, in_first)
    raise ValueError(f"The backend is 'torch' or 'onnx', got {backend!r}.")


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Keeps Python from searching for unreachable cycles, now and later, among the objects that are created meanwhile.

    Importing PyTorch and transformers creates hundreds of thousands, which all stay: to search them again and again
    takes a seventh of the time of a start.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def _load_onnx(checkpoint: str, precision: str, batch_size: int) -> Predictor:
    workers = 1 if onnx_has_gpu() else _workers(batch_size)
    return Predictor(*load_onnx(checkpoint, precision, workers), batch_size, workers, precision)


def _load_torch(checkpoint: str, precision: str, batch_size: int, measure: bool, in_first: InFirst) -> Predictor:
    from common.checkpoint import load_checkpoint  # with PyTorch, which ONNX does not need

    from .precision_check import check_precision, has_bfloat16
    from .torch_backend import PRECISIONS, torch_network

    if precision not in ("auto", *PRECISIONS):
        raise ValueError(f"The precision of PyTorch is one of auto, {', '.join(PRECISIONS)}, got {precision!r}.")
    model, _ = load_checkpoint(checkpoint)

    def choose() -> str:
        choice = check_precision(model, checkpoint, measure)
        if choice.reason and measure:
            print(f"Precision: {choice.precision} ({choice.reason}).", file=sys.stderr)
        return choice.precision

    if precision == "auto":
        precision = in_first(choose)
        if precision == "bfloat16" and not has_bfloat16():
            raise ValueError(
                "The first process chose bfloat16, for which the device of another process has no instructions. Add "
                "--precision float32."
            )
    network = torch_network(model, PRECISIONS[precision])
    workers = _workers(batch_size) if model.device.type == "cpu" else 1
    return Predictor(model.config, network, batch_size, workers, precision)


def _workers(batch_size: int) -> int:
    """As many as there are threads, each with a part of a batch; of more threads than a batch has clips, some share."""
    return min(batch_size, num_threads())
