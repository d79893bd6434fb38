"""One predictor for many callers at once: what they send within a moment is processed in the same batches."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

import numpy as np

from .predictor import Predictor

Outputs = dict[str, np.ndarray]
_BATCHES_AT_ONCE = 4  # from which the predictor chooses clips of similar length


class SharedPredictor(Predictor):
    """A [`Predictor`] whose callers are threads that share its batches.

    A thread of its own takes what is waiting. It waits up to `max_delay_s` for a batch to fill, so that a lone caller
    loses no more than that, and leaves the batches themselves to the predictor, which groups clips by length.

    Args:
        predictor: computes.
        max_delay_s: how long the first waveform of a batch waits for others.
        observe: called with the number of waveforms, and the seconds they took, after each time that it computes.
    """

    def __init__(
        self,
        predictor: Predictor,
        max_delay_s: float = 0.01,
        observe: Callable[[int, float], None] = lambda count, seconds: None,
    ):
        # Not those of the base class, which would load a network: it computes with the predictor.
        self.tasks, self.main_task = predictor.tasks, predictor.main_task
        self.max_duration_s, self.batch_size = predictor.max_duration_s, predictor.batch_size
        self.precision = predictor.precision
        self._predictor = predictor
        self._max_delay_s = max_delay_s
        self._observe = observe
        self._waiting: queue.SimpleQueue[tuple[np.ndarray, Future[Outputs]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._process_all, daemon=True)
        self._thread.start()

    @property
    def num_waiting(self) -> int:
        """Waveforms that are not being processed yet."""
        return self._waiting.qsize()

    def submit(self, waveform: np.ndarray) -> Future[Outputs]:
        """Queues a waveform, mono float32 at 16 kHz of shape `(samples,)`.

        Returns:
            The future of its outputs: task name to probabilities `(num_outputs,)`, or a value `()`.
        """
        future: Future[Outputs] = Future()
        self._waiting.put((waveform, future))
        return future

    def predict_batches(self, waveforms: Sequence[np.ndarray]) -> Iterator[tuple[list[int], Outputs]]:
        """As of [`Predictor.predict_batches`], a waveform at a time; the batches hold those of other callers, too."""
        for index, future in enumerate([self.submit(waveform) for waveform in waveforms]):
            yield [index], {name: values[None] for name, values in future.result().items()}

    def close(self) -> None:
        """Ends the thread, after what is waiting."""
        self._waiting.put(None)
        self._thread.join()

    def _process_all(self) -> None:
        while group := self._next_group():
            started = time.perf_counter()
            group = [(waveform, future) for waveform, future in group if future.set_running_or_notify_cancel()]
            waveforms, futures = [waveform for waveform, _ in group], [future for _, future in group]
            try:
                for indices, outputs in self._predictor.predict_batches(waveforms):
                    for place, index in enumerate(indices):
                        futures[index].set_result({name: values[place] for name, values in outputs.items()})
            except Exception as error:  # whatever it is, the callers raise it, and the next ones are processed
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
            self._observe(len(group), time.perf_counter() - started)

    def _next_group(self) -> list[tuple[np.ndarray, Future[Outputs]]]:
        """What is processed next; empty when the predictor is closed."""
        group: list[tuple[np.ndarray, Future[Outputs]]] = []
        latest = float("inf")
        while len(group) < _BATCHES_AT_ONCE * self.batch_size:
            left_s = max(0.0, latest - time.monotonic()) if len(group) < self.batch_size else 0.0
            try:
                item = self._waiting.get(timeout=None if not group else left_s)
            except queue.Empty:
                break
            if item is None:
                self._waiting.put(None)  # for the next time, after what this group holds
                break
            group.append(item)
            latest = min(latest, time.monotonic() + self._max_delay_s)
        return group
