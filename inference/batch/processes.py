"""The processes of a batch run: one, or those that `accelerate launch` started, each of which takes its share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from common.processes import num_processes_started

T = TypeVar("T")
_TIMEOUT = timedelta(days=30)  # of a process that is done, while others have longer recordings to analyze


class Processes(Protocol):
    """This process among those of the run."""

    num_processes: int
    process_index: int

    @property
    def is_main_process(self) -> bool: ...

    def wait_for_everyone(self) -> None: ...

    def in_first(self, act: Callable[[], T]) -> T:
        """Calls `act` in the first process. All processes return its result, or raise its `ValueError`."""


class OneProcess:
    """The only process of a run. It needs neither accelerate nor PyTorch."""

    num_processes = 1
    process_index = 0
    is_main_process = True

    def wait_for_everyone(self) -> None:
        """Returns at once."""

    def in_first(self, act: Callable[[], T]) -> T:
        """Calls `act`, and returns its result."""
        return act()


class SeveralProcesses:
    """One of the processes that a launcher started. accelerate joins them, and chooses the GPU of each."""

    def __init__(self) -> None:
        import torch
        from accelerate import PartialState

        # Without `cpu`, each process on a machine without a GPU would take itself for the only one.
        self._state = PartialState(cpu=not torch.cuda.is_available(), timeout=_TIMEOUT)
        self.num_processes: int = self._state.num_processes
        self.process_index: int = self._state.process_index

    @property
    def is_main_process(self) -> bool:
        return self.process_index == 0

    def wait_for_everyone(self) -> None:
        """Returns when every process has called it."""
        self._state.wait_for_everyone()

    def in_first(self, act: Callable[[], T]) -> T:
        """Calls `act` in the first process. All processes return its result, or raise its `ValueError`."""
        from accelerate.utils import broadcast_object_list

        shared: list[Any] = [None, None]
        if self.is_main_process:
            try:
                shared = [act(), None]
            except ValueError as error:
                shared = [None, str(error)]
        result, message = broadcast_object_list(shared)
        if message is not None:
            raise ValueError(message)
        return result


def join_processes() -> Processes:
    """This process as one of those that a launcher started, or as the only one.

    Raises:
        ValueError: a launcher was asked for several processes, and started one.
    """
    return SeveralProcesses() if num_processes_started() > 1 else OneProcess()
