"""Serves an application until the process is asked to end: then it finishes what runs, and refuses new work."""

from __future__ import annotations

import time
from types import FrameType

import uvicorn

from .app import ServiceApp

_LARGEST_MESSAGE = 2**20  # bytes of a chunk of a stream: half a minute at 16 kHz
_KEEP_ALIVE_S = 15
_BACKLOG = 2048  # connections that wait to be accepted


class Server(uvicorn.Server):
    """uvicorn's server, which on SIGTERM or Ctrl-C waits for the service to be idle; on a second one it ends at once.

    Args:
        service: to serve.
        host, port: to listen on; port 0 is a free one.

    Raises:
        OSError: the port is taken.
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
        self.socket = self.config.bind_socket()
        self.socket.listen(_BACKLOG)  # uvicorn would begin to later, and refuse who comes before
        self._latest = float("inf")  # when the service ends, whatever runs

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def serve_until_asked_to_end(self) -> None:
        """Serves; the socket has been listening since this object was made."""
        self.run([self.socket])

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
