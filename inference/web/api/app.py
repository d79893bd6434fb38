"""A predictor -> the ASGI application of the service, with health, metrics and the OpenAPI page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from ...engine.predictor import Predictor
from .admission import Admission, ApiLimits
from .documentation import render_documentation
from .engine import Engine
from .errors import CODES, add_error_handlers
from .jobs import Jobs
from .metrics import CONTENT_TYPE, Metrics, MetricsMiddleware
from .routes import ServiceState, router
from .stream import Streams

_DESCRIPTION = """Speech emotion recognition. Send an audio or video file, and get the emotion in the voice, with the
other outputs of the model.

A recording is sent as the file of a form (`multipart/form-data`), as JSON with base64, or as the body itself. Live
sound goes to the WebSocket `/v1/stream`. Every error has a `code` and an `error` that says what to do."""


@dataclass(frozen=True)
class ServiceApp:
    """The application, and what the server needs to end it well.

    Args:
        app: the ASGI application.
        admission: refuses new work when it is draining.
        jobs: that may still run.
    """

    app: FastAPI
    admission: Admission
    jobs: Jobs

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs, and every result was fetched."""
        return self.admission.requests + self.admission.streams + self.jobs.unfinished == 0


def build_app(predictor: Predictor, limits: ApiLimits, model: dict[str, Any]) -> ServiceApp:
    """The service.

    Args:
        predictor: the model.
        limits: what clients may ask for.
        model: what `/v1/models` says of the model.
    """
    metrics, admission, jobs = Metrics(), Admission(limits), Jobs(limits)
    engine = Engine(predictor, limits, metrics)
    streams = Streams(engine.predictor, admission, metrics)
    metrics.watch("ser_requests_running", "Requests that are being answered", lambda: admission.requests)
    metrics.watch("ser_jobs_unfinished", "Jobs that wait or run", lambda: jobs.count("waiting", "running"))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        jobs.close()
        streams.close()
        engine.close()

    app = FastAPI(
        title="Speech emotion recognition",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's pages load scripts from another host
        redoc_url=None,
    )
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    add_error_handlers(app)
    app.state.service = ServiceState(engine, admission, jobs, model)
    app.include_router(router)
    app.add_api_websocket_route("/v1/stream", streams.serve)

    _add_operation(app, admission, metrics)
    return ServiceApp(app, admission, jobs)


def _add_operation(app: FastAPI, admission: Admission, metrics: Metrics) -> None:
    """Adds what those who run the service look at: its health, its metrics and its description."""

    @app.get("/health/live")
    async def get_live() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "live"}

    @app.get("/health/ready", responses={503: {}})
    async def get_ready() -> Response:
        """Whether the service takes requests: the model is loaded, and the service is not about to end."""
        if admission.draining:
            return JSONResponse({"status": "ending", "code": CODES[503]}, 503)
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", response_class=Response, responses={200: {"content": {CONTENT_TYPE: {}}}})
    async def get_metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    @app.get("/docs", include_in_schema=False)
    async def get_docs(request: Request) -> HTMLResponse:
        return HTMLResponse(render_documentation(app.openapi(), str(request.base_url).rstrip("/")))
