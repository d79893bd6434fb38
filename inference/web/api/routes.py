"""The addresses of the service that answer requests: predictions, timelines, jobs, models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from ...timeline.formats import EXPORTS, TimelineDocument
from .admission import Admission
from .bodies import receive_upload
from .engine import Engine, describe_failure
from .errors import ApiError, ErrorBody
from .examples import JOB, MODELS, PREDICTION, TIMELINE, request_body
from .jobs import Job, Jobs
from .options import MEDIA_TYPES, Format, PredictionParameters, TimelineParameters, negotiate

_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody} for status in (400, 401, 406, 408, 413, 415, 422, 429, 503)
}
_MISSING: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody} for status in (401, 404, 406, 409, 415, 422, 429, 503)
}


@dataclass(frozen=True)
class ServiceState:
    """What the routes share, as `app.state.service`.

    Args:
        engine: computes.
        admission: checks keys and limits.
        jobs: of long timelines.
        model: what `/v1/models` says of the model.
    """

    engine: Engine
    admission: Admission
    jobs: Jobs
    model: dict[str, Any]


class Models(BaseModel):
    """The model of the service."""

    models: list[dict[str, Any]]


def get_state(request: Request) -> ServiceState:
    """What the routes share."""
    state: ServiceState = request.app.state.service
    return state


State = Annotated[ServiceState, Depends(get_state)]


def identify(request: Request, state: State) -> str:
    """The client of a request, who may send it."""
    client = state.admission.identify(request.headers, request.client.host if request.client else "")
    state.admission.check_rate(client)
    return client


Client = Annotated[str, Depends(identify)]


async def admit(client: Client, state: State) -> AsyncIterator[str]:
    """The client of a request that computes; it counts until its response is sent."""
    with state.admission.request():
        yield client


Admitted = Annotated[str, Depends(admit)]
router = APIRouter(prefix="/v1")
_TIMELINES: dict[str, Any] = {
    "content": {name: {} for name in MEDIA_TYPES.values()} | {"application/json": {"example": TIMELINE}}
}


def _shown(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": example}}}}


@router.get("/models", responses=_MISSING | _shown(MODELS))
async def get_models(client: Client, state: State) -> Models:
    """The model: its heads with their classes and units, its window, its identity."""
    return Models(models=[state.model])


@router.post("/predictions", responses=_REFUSALS | _shown(PREDICTION), openapi_extra=request_body(PredictionParameters))
async def post_prediction(
    request: Request, client: Admitted, state: State, parameters: Annotated[PredictionParameters, Query()]
) -> dict[str, Any]:
    """Emotion and the other heads for the beginning of a recording, as `predict.py` gives them."""
    async with receive_upload(request, state.admission) as upload:
        parameters = parameters.with_fields(upload.fields)
        return await state.engine.predict(upload, parameters.outputs(state.engine.predictor), not parameters.no_vad)


@router.post(
    "/timelines",
    responses=_REFUSALS
    | {200: _TIMELINES, 202: {"description": "A job", "content": {"application/json": {"example": JOB}}}},
    openapi_extra=request_body(TimelineParameters),
    response_class=Response,
)
async def post_timeline(
    request: Request, client: Admitted, state: State, parameters: Annotated[TimelineParameters, Query()]
) -> Response:
    """Segments of speech, each with its outputs; for a long recording a job, whose `result` has them."""
    async with receive_upload(request, state.admission) as upload:
        parameters = parameters.with_fields(upload.fields)
        kind = negotiate(request.headers.get("accept", ""), parameters.format)
        cut = parameters.timeline(state.engine.predictor, parameters.channels)
        outputs = parameters.outputs(state.engine.predictor)
        as_job = parameters.job
        if as_job is None:
            as_job = await state.engine.measure(upload) > state.admission.limits.job_above_s
        if not as_job:
            return _respond(await state.engine.predict_timeline(upload, cut, outputs), kind)
        size = len(upload.content)
        state.admission.hold(size)  # for as long as the job needs it
        try:
            job = state.jobs.start(
                client,
                lambda report: state.engine.compute_timeline(upload, cut, outputs, report),
                lambda error: describe_failure(error, upload),
                lambda: state.admission.release(size),
            )
        except ApiError:
            state.admission.release(size)
            raise
        return JSONResponse(_describe(job, kind), 202, {"Location": f"/v1/jobs/{job.id}"})


@router.get("/jobs/{job_id}", responses=_MISSING | _shown(JOB))
async def get_job(job_id: str, client: Client, state: State) -> dict[str, Any]:
    """Status (`waiting`, `running`, `done`, `failed`), progress from 0 to 1, and where the result is."""
    return _describe(state.jobs.find(job_id, client), None)


@router.get("/jobs/{job_id}/result", responses=_MISSING | {200: _TIMELINES}, response_class=Response)
async def get_result(
    request: Request, job_id: str, client: Client, state: State, format: Format | None = None
) -> Response:
    """The timeline of a job, in any of the formats, as often as it is asked for."""
    job = state.jobs.find(job_id, client)
    kind = negotiate(request.headers.get("accept", ""), format)
    job.fetched = job.status in ("done", "failed")
    if job.error is not None:
        raise job.error
    if job.document is None:
        raise ApiError(409, "The job is not done. Ask for its status until it is.", 1)
    return _respond(job.document, kind)


@router.delete("/jobs/{job_id}", status_code=204, responses=_MISSING)
async def delete_job(job_id: str, client: Client, state: State) -> None:
    """Ends a job and deletes its result."""
    state.jobs.delete(state.jobs.find(job_id, client))


def _respond(document: TimelineDocument, kind: str) -> Response:
    text = EXPORTS[kind](document).encode("utf-8", errors="backslashreplace")
    return Response(text, media_type=MEDIA_TYPES[kind])


def _describe(job: Job, kind: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {"id": job.id, "status": job.status, "progress": round(job.progress, 3)}
    body["result"] = f"/v1/jobs/{job.id}/result" + ("" if kind is None else f"?format={kind}")
    if job.error is not None:
        body["error"] = job.error.message
    return body
