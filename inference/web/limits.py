"""Limits of what is sent, shared by the page and the service."""

from __future__ import annotations

import time
from dataclasses import dataclass

MEGABYTE = 2**20  # bytes, as browsers and Gradio's own messages count them


@dataclass(frozen=True)
class SharedLimits:
    """What may be sent to the page and to the service.

    Args:
        minutes: length of a recording; by the service of one whose timeline is computed.
        megabytes: size of a file or of a request's body, in `MEGABYTE`.
        total_megabytes: what is kept of all clients together, in `MEGABYTE`.
        streams: that are open at the same time.
        keep_s: seconds that a file, or the result of a job, is kept.
        patience_s: seconds that a body may take, and one more for every `slowest_kb_s` kilobytes.
        slowest_kb_s: the lowest accepted rate of a body, in kilobytes a second.
    """

    minutes: float = 240.0
    megabytes: float = 50.0
    total_megabytes: float = 1000.0
    streams: int = 32
    keep_s: float = 600.0
    patience_s: float = 30.0
    slowest_kb_s: float = 10.0

    def seconds_left(self, began: float, arrived: int) -> float:
        """Seconds within which more of a body has to come.

        Args:
            began: when the first of it was waited for, by the monotonic clock.
            arrived: bytes that have come since.
        """
        return began + self.patience_s + arrived / (self.slowest_kb_s * 1e3) - time.monotonic()
