"""ASGI middleware that accepts only the requests that the page needs, each within limits.

Gradio itself limits the size of a file (`launch(max_file_size=…)`), serves no file of others, and refuses private
addresses. What is here, Gradio 6.31 and Starlette 1.10 do not offer; no upstream issue was found:

- Routes cannot be turned off, and some write files that no one deletes, such as `/process_recording`.
- Public URLs in a request are downloaded whole into memory, and no setting forbids it.
- Starlette's `RequestBodyLimitMiddleware` has one limit for uploads and all other requests; the room on the disk that
  all visitors share has none, nor has the time that a body may take.
- The parser of uploads deletes its files after its own errors, but not after a broken connection; it takes a thousand
  form fields of any length, and its numbers are fixed.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

from gradio import route_utils
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .expired_files import size_of
from .limits import MEGABYTE
from .service import Limits

_API = "/gradio_api"
_UPLOAD = f"{_API}/upload"
# Routes that browsers and gradio_client use. Gradio has more, some of which write files that are never deleted.
_READ = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt|/(assets|static)/.*|"
    rf"{_API}/(info/?|app_id/?|startup-events|theme\.css|upload_progress|heartbeat/\w+|queue/(data|status)|"
    r"call/\w+/\w+|file=(?!\w+:).*)"
)
_WRITE = re.compile(rf"{_UPLOAD}|{_API}/(queue/join|run/predict|call/\w+/?|cancel|reset/?)")
_MAX_BODY = 256_000  # bytes of a request other than an upload; one for a hundred files has some 70,000


class LimitsMiddleware:
    """Limits requests to Gradio, which accepts bodies of any length at any rate, and fetches URLs in them.

    Args:
        app: Gradio's.
        folder: where uploads go.
        limits: of one request, and of all together.
    """

    def __init__(self, app: ASGIApp, folder: Path, limits: Limits):
        self._app = app
        self._folder = folder
        self._limits = limits
        self._pending = 0  # bytes that the running uploads have yet to send

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._pass_on(scope, receive, send)
        except HTTPException as error:
            await PlainTextResponse(error.detail, error.status_code)(scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        reads = scope["method"] in ("GET", "HEAD", "OPTIONS")
        if not (_READ if reads else _WRITE).fullmatch(scope["path"]):
            raise HTTPException(404, "This address does not exist on this page.")
        if reads:
            await self._app(scope, receive, send)
        elif scope["path"] == _UPLOAD:
            await self._take_upload(scope, self._paced(receive), send, _length(scope))
        else:
            body = await _read_body(self._paced(receive), _length(scope))
            await self._app(scope, _once(body, receive), send)

    async def _take_upload(self, scope: Scope, receive: Receive, send: Send, length: int) -> None:
        most = self._limits.total_megabytes
        if length > most * MEGABYTE - size_of(self._folder) - self._pending:
            raise HTTPException(
                503,
                f"This page has no room for {length / MEGABYTE:.0f} MB now: it keeps up to {most:g} MB for all "
                "visitors. Please send less at once, or try again in a few minutes.",
            )
        missing = length
        self._pending += length

        async def counted() -> Message:
            nonlocal missing
            message = await receive()
            size = len(message.get("body", b""))
            missing -= size
            self._pending -= size  # it has been written to disk
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._pending -= missing

    def _paced(self, receive: Receive) -> Receive:
        """Receives a body; if it is too slow or breaks off, the error makes Gradio delete its files."""
        began, arrived, ended = time.monotonic(), 0, False

        async def paced() -> Message:
            nonlocal arrived, ended
            if ended:
                return await receive()  # which waits for the visitor to disconnect
            try:
                message = await asyncio.wait_for(receive(), self._limits.seconds_left(began, arrived))
            except TimeoutError as error:
                raise MultiPartException("The upload was too slow.") from error
            if message["type"] == "http.disconnect":
                raise MultiPartException("The upload was interrupted.")
            arrived += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            return message

        return paced


def accept_only_files(files: int) -> None:
    """Makes Gradio's parser of uploads reject form fields, which it would keep in memory at any length.

    Args:
        files: most files of an upload; each is an open file while it is read.
    """

    class FilesOnly(route_utils.GradioMultiPartParser):
        def __init__(self, *args: Any, **options: Any):
            super().__init__(*args, **{**options, "max_files": files, "max_fields": 0})

    route_utils.GradioMultiPartParser = FilesOnly  # type: ignore[misc]


def _length(scope: Scope) -> int:
    """The declared length of a body, beyond which the server reads nothing."""
    length = Headers(scope=scope).get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(411, "A request must have the header Content-Length.")
    return int(length)


async def _read_body(receive: Receive, length: int) -> bytes:
    if length > _MAX_BODY:
        raise HTTPException(413, f"A request may have up to {_MAX_BODY} bytes, got {length}. Upload files first.")
    parts, more = [], True
    try:
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        if _contains_url(json.loads(b"".join(parts))):
            raise HTTPException(400, "This page does not fetch files from other addresses. Please upload the file.")
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "The request is not valid JSON.") from error
    return b"".join(parts)


def _contains_url(value: Any) -> bool:
    """Whether a file in a request is a URL, which Gradio would fetch into memory."""
    if isinstance(value, list):
        return any(map(_contains_url, value))
    if isinstance(value, dict):
        return "://" in str(value.get("path")) or any(map(_contains_url, value.values()))
    return False


def _once(body: bytes, receive: Receive) -> Receive:
    """Replays a body that was read, and then receives what follows it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
