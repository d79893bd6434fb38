"""What the service did, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_COUNTS = (1, 2, 4, 8, 16, 32, 64)
disable_created_metrics()  # series that few systems read


class Metrics:
    """The metrics of one service."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Counter(
            "ser_requests_total", "Requests by path and status", ["path", "status"], registry=registry
        )
        self.seconds = Histogram(
            "ser_request_seconds", "Seconds from request to response", ["path"], buckets=_SECONDS, registry=registry
        )
        self.audio_seconds = Counter("ser_audio_seconds_total", "Seconds of audio analyzed", registry=registry)
        self.hop_seconds = Histogram(
            "ser_stream_hop_seconds",
            "Seconds from the last sample of a hop to its event",
            buckets=_SECONDS,
            registry=registry,
        )
        self._group_sizes = Histogram(
            "ser_group_clips", "Clips that were batched together", buckets=_COUNTS, registry=registry
        )
        self._compute_seconds = Counter("ser_compute_seconds_total", "Seconds the model computed", registry=registry)

    def watch(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Adds a gauge that is read whenever the metrics are."""
        Gauge(name, description, registry=self._registry).set_function(value)

    def observe_group(self, clips: int, seconds: float) -> None:
        """Counts clips that were computed together."""
        self._group_sizes.observe(clips)
        self._compute_seconds.inc(seconds)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class MetricsMiddleware:
    """Counts the requests of an application, by the template of their path, and measures their time."""

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            # Other paths are one, so that a scanner adds no series.
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(path, status).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - started)
