"""The body of a request -> a recording in memory and its options: multipart, JSON with base64, or raw."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from common.text_files import escape_surrogates, shorten

from ..limits import MEGABYTE
from .admission import Admission
from .errors import ApiError

_RAW = ("audio/", "video/", "application/octet-stream", "application/ogg")
_MULTIPART, _JSON = "multipart/form-data", "application/json"
_LONGEST_NAME = 200
_FIELDS = 50
_LISTS = ("labels",)  # options that may be given several times


@dataclass(frozen=True)
class Upload:
    """A recording that a client sent.

    Args:
        name: of the file, as the client calls it.
        content: the encoded recording.
        fields: options in the body, by name.
    """

    name: str
    content: bytes
    fields: dict[str, Any]


@asynccontextmanager
async def receive_upload(request: Request, admission: Admission) -> AsyncIterator[Upload]:
    """Yields the upload of a request; its bytes count as held until the block ends.

    Raises:
        ApiError: the body is too large or too slow, or not of a kind that is taken, or empty.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (_MULTIPART, _JSON) and not kind.startswith(_RAW):
        raise ApiError(415, f"Send the recording as audio/*, {_MULTIPART} or {_JSON}; got {shorten(kind, 50)}.")
    body = bytearray()
    try:
        await _read(request, admission, body)
        upload = await _parse(kind, request.headers, bytes(body))
        if not upload.content:
            raise ApiError(422, "The recording is empty. Send the content of an audio or video file.")
        yield upload
    finally:
        admission.release(len(body))


async def _read(request: Request, admission: Admission, body: bytearray) -> None:
    """Reads the body as it comes, within the limits of size and time."""
    limits, began = admission.limits, time.monotonic()
    most = limits.megabytes * MEGABYTE
    too_large = ApiError(413, f"A request may have up to {limits.megabytes:g} MB. Send a shorter or compressed one.")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise too_large
    chunks = aiter(request.stream())
    try:
        while True:
            chunk = await asyncio.wait_for(anext(chunks), limits.seconds_left(began, len(body)))
            if len(body) + len(chunk) > most:
                raise too_large
            admission.hold(len(chunk))
            body += chunk
    except StopAsyncIteration:
        return
    except TimeoutError as error:
        raise ApiError(408, "The body came too slowly. Please try again over a faster connection.") from error
    except ClientDisconnect as error:
        raise ApiError(400, "The body ended before its Content-Length.") from error


async def _parse(kind: str, headers: Headers, body: bytes) -> Upload:
    if kind == _MULTIPART:
        return await _parse_multipart(headers, body)
    if kind == _JSON:
        return _parse_json(body)
    return Upload("recording", body, {})


def _parse_json(body: bytes) -> Upload:
    try:
        fields = json.loads(body)
        if not isinstance(fields, dict):
            raise ValueError("not an object")
    except (ValueError, RecursionError) as error:
        raise ApiError(400, 'The body is not a JSON object. Send {"audio": BASE64}.') from error
    audio, name = fields.pop("audio", None), fields.pop("name", "recording")
    if not isinstance(audio, str) or not isinstance(name, str):
        raise ApiError(422, "`audio` must be the recording in base64, and `name` a text.")
    try:
        content = base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiError(422, "`audio` is not valid base64.") from error
    return Upload(_clean_name(name), content, fields)


async def _parse_multipart(headers: Headers, body: bytes) -> Upload:
    async def chunks() -> AsyncIterator[bytes]:
        yield body

    parser = MultiPartParser(headers, chunks(), max_files=1, max_fields=_FIELDS)  # type: ignore[arg-type]
    parser.spool_max_size = len(body) + 1  # in memory, never on disk
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:  # the last two without a boundary
        raise ApiError(400, "The body is not valid multipart/form-data.") from error
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise ApiError(422, "Send the recording as the file of the field `file`.")
    fields: dict[str, Any] = {
        name: form.getlist(name) if name in _LISTS else form[name] for name in form if name != "file"
    }
    return Upload(_clean_name(file.filename or "recording"), await file.read(), fields)


def _clean_name(name: str) -> str:
    return escape_surrogates(name)[:_LONGEST_NAME]
