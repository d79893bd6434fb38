"""Requests to the page -> those that it is made for, each within limits; the others are refused in a sentence."""

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
from .service import MEGABYTE, Limits

_API = "/gradio_api"
_UPLOAD = f"{_API}/upload"
# What browsers and gradio_client ask for. Gradio has more, and some of it writes files that nobody removes.
_READ = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt|/(assets|static)/.*|"
    rf"{_API}/(info/?|app_id/?|startup-events|theme\.css|upload_progress|heartbeat/\w+|queue/(data|status)|"
    r"call/\w+/\w+|file=(?!\w+:).*)"
)
_WRITE = re.compile(rf"{_UPLOAD}|{_API}/(queue/join|call/\w+/?|cancel|reset/?)")
_LONGEST_QUESTION = 256_000  # bytes; one about a hundred files has some 70,000


class LimitsMiddleware:
    """Stands before Gradio, which takes bodies of any length at any pace, and fetches what addresses in them name.

    Args:
        app: Gradio's.
        folder: where uploads go.
        limits: of one request, and of all together.
    """

    def __init__(self, app: ASGIApp, folder: Path, limits: Limits):
        self._app = app
        self._folder = folder
        self._limits = limits
        self._to_come = 0  # bytes of the uploads that have begun

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._pass_on(scope, receive, send)
        except HTTPException as refusal:
            await PlainTextResponse(refusal.detail, refusal.status_code)(scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        reads = scope["method"] in ("GET", "HEAD", "OPTIONS")
        if not (_READ if reads else _WRITE).fullmatch(scope["path"]):
            raise HTTPException(404, "This page has no such address.")
        if reads:
            await self._app(scope, receive, send)
        elif scope["path"] == _UPLOAD:
            await self._take_upload(scope, self._paced(receive), send, _length(scope))
        else:
            question = await _read_question(self._paced(receive), _length(scope))
            await self._app(scope, _once(question, receive), send)

    async def _take_upload(self, scope: Scope, receive: Receive, send: Send, length: int) -> None:
        most = self._limits.total_megabytes
        if length > most * MEGABYTE - size_of(self._folder) - self._to_come:
            raise HTTPException(
                503,
                f"There is no room for {length / MEGABYTE:.0f} MB now: this page keeps {most:g} MB of all visitors. "
                "Send less at once, or try again in some minutes.",
            )
        missing = length
        self._to_come += length

        async def counted() -> Message:
            nonlocal missing
            message = await receive()
            size = len(message.get("body", b""))
            missing -= size
            self._to_come -= size  # it is on the disk
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._to_come -= missing

    def _paced(self, receive: Receive) -> Receive:
        """Receives a body; one that comes too slowly or breaks off is an error at which Gradio removes its files."""
        began, arrived, ended = time.monotonic(), 0, False

        async def paced() -> Message:
            nonlocal arrived, ended
            if ended:
                return await receive()  # which waits for the visitor to go
            latest = began + self._limits.patience_s + arrived / (self._limits.slowest_kb_s * 1e3)
            try:
                message = await asyncio.wait_for(receive(), latest - time.monotonic())
            except TimeoutError as error:
                raise MultiPartException("It was sent too slowly.") from error
            if message["type"] == "http.disconnect":
                raise MultiPartException("It was broken off.")
            arrived += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            return message

        return paced


def read_files_alone(files: int) -> None:
    """Makes Gradio's reader of uploads refuse what is no file, which it would keep in memory at any length.

    Args:
        files: the most of an upload; each is an open file while it is read.
    """

    class FilesAlone(route_utils.GradioMultiPartParser):
        def __init__(self, *args: Any, **options: Any):
            super().__init__(*args, **{**options, "max_files": files, "max_fields": 0})

    route_utils.GradioMultiPartParser = FilesAlone


def _length(scope: Scope) -> int:
    """How long a body says it is; the server reads no more."""
    length = Headers(scope=scope).get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(411, "A request has to say how long it is.")
    return int(length)


async def _read_question(receive: Receive, length: int) -> bytes:
    if length > _LONGEST_QUESTION:
        raise HTTPException(413, f"A question of {length} bytes is too long: files are uploaded first.")
    parts, more = [], True
    try:
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        if _names_address(json.loads(b"".join(parts))):
            raise HTTPException(400, "This page fetches nothing from other machines: upload the file.")
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "This is not JSON.") from error
    return b"".join(parts)


def _names_address(value: Any) -> bool:
    """Whether a file in a question lies elsewhere: Gradio would fetch it whole, into memory."""
    if isinstance(value, list):
        return any(map(_names_address, value))
    if isinstance(value, dict):
        return "://" in str(value.get("path")) or any(map(_names_address, value.values()))
    return False


def _once(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
