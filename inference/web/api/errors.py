"""Errors of the HTTP service: a status, and a JSON body with a code for programs and a sentence on what to do."""

from __future__ import annotations

import math

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

# The codes of statuses; the service gives no others.
CODES = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "too_slow",
    409: "not_ready",
    413: "too_large",
    415: "unsupported_media",
    422: "invalid",
    429: "too_many_requests",
    500: "internal",
    503: "unavailable",
}


class ErrorBody(BaseModel):
    """The body of every response that is not a success."""

    code: str
    error: str
    retry_after_s: int | None = None


class ApiError(Exception):
    """A request that is refused, or failed.

    Args:
        status: of HTTP.
        message: what is wrong, and what to do.
        retry_after_s: after how many seconds the same request may succeed.
    """

    def __init__(self, status: int, message: str, retry_after_s: float | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after_s = None if retry_after_s is None else max(1, math.ceil(retry_after_s))

    def body(self) -> dict[str, object]:
        """The JSON body."""
        return ErrorBody(
            code=CODES.get(self.status, "error"), error=self.message, retry_after_s=self.retry_after_s
        ).model_dump(exclude_none=True)

    def response(self) -> JSONResponse:
        """The response, with the headers that its status requires."""
        headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self.status in (408, 413):
            headers["Connection"] = "close"  # the rest of the body is not read
        return JSONResponse(self.body(), self.status, headers)


def describe_invalid(errors: ValidationError | RequestValidationError) -> str:
    """A sentence on each invalid value: where it is, and what is expected."""
    parts = []
    for error in errors.errors():
        place = ".".join(str(part) for part in error["loc"] if part not in ("query", "body", "path", "header"))
        parts.append(f"{place or 'value'}: {error['msg']}")
    return f"The request is invalid. {'; '.join(parts)}."


def add_error_handlers(app: FastAPI) -> None:
    """Makes every error of an application one of this form."""

    async def handle_api(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ApiError)  # noqa: S101 - Starlette's type of handlers is any exception
        return error.response()

    async def handle_invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return ApiError(422, describe_invalid(error)).response()

    async def handle_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        response = ApiError(error.status_code, f"{error.detail}. The addresses are listed at /docs.").response()
        response.headers.update(error.headers or {})
        return response

    async def handle_other(request: Request, error: Exception) -> JSONResponse:
        return ApiError(500, "The service failed. Please report the time of this request to its operator.").response()

    app.add_exception_handler(ApiError, handle_api)
    app.add_exception_handler(RequestValidationError, handle_invalid)
    app.add_exception_handler(HTTPException, handle_http)
    app.add_exception_handler(Exception, handle_other)
