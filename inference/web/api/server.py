"""Serves an application until the process is asked to end: then it finishes what runs, and refuses new work."""

from __future__ import annotations

import time
from types import FrameType

import uvicorn

from .app import ServiceApp

_LARGEST_MESSAGE = 2**20  # bytes of a chunk of a stream: half a minute at 16 kHz
_KEEP_ALIVE_S = 15


class Server(uvicorn.Server):
    """uvicorn's server, which on SIGTERM or Ctrl-C waits for the service to be idle; on a second one it ends at once.

    Args:
        service: to serve.
        host, port: to listen on.
    """

    def __init__(self, service: ServiceApp, host: str, port: int):
        super().__init__(
            uvicorn.Config(
                service.app,
                host,
                port,
                log_level="warning",
                access_log=False,
                ws_max_size=_LARGEST_MESSAGE,
                ws_max_queue=4,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=5,
                server_header=False,
            )
        )
        self._service = service
        self._latest = float("inf")  # when the service ends, whatever runs

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins to end; uvicorn calls it for signals."""
        if self._service.admission.draining:
            super().handle_exit(sig, frame)
        self._service.admission.draining = True
        self._latest = time.monotonic() + self._service.admission.limits.grace_s

    async def on_tick(self, counter: int) -> bool:
        """Whether to end now; uvicorn calls it ten times a second."""
        if self._service.admission.draining and (self._service.is_idle or time.monotonic() > self._latest):
            self.should_exit = True
        return await super().on_tick(counter)
