"""A WebSocket of sound -> one JSON event per hop, and those of speech and segments."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import numpy as np
import soxr
from fastapi import WebSocket, WebSocketDisconnect
from pydantic import Field, ValidationError

from modeling import SAMPLING_RATE

from ...engine.predictor import Predictor
from ...timeline.live import Event, LiveTimeline
from .admission import Admission
from .errors import ApiError, describe_invalid
from .metrics import Metrics
from .options import StreamParameters
from .stream_decoding import ContainerDecoder, StreamDecoder

_PATIENCE_S = 60.0  # that a stream may be silent, in the sense of sending nothing
_BYTES_AT_ONCE = 2**20  # of the chunks that came while others were being processed
_POLICY, _TRY_AGAIN, _INVALID, _ENDS = 1008, 1013, 1007, 1012  # close codes of RFC 6455 and IANA
_CODES = {401: _POLICY, 429: _TRY_AGAIN, 503: _TRY_AGAIN}


class LiveParameters(StreamParameters):
    """How a stream is encoded, cut and formatted."""

    encoding: Annotated[str, Field("pcm16", pattern="^(pcm16|webm|ogg)$")]
    sample_rate: Annotated[int, Field(SAMPLING_RATE, ge=8_000, le=192_000)]
    api_key: str = ""


class PcmDecoder:
    """16-bit little-endian mono samples at any rate -> float32 at 16 kHz."""

    def __init__(self, sample_rate: int):
        self._resampler = soxr.ResampleStream(sample_rate, SAMPLING_RATE, 1, "float32")
        self._resamples = sample_rate != SAMPLING_RATE
        self._odd = b""  # the first half of a sample whose second half comes with the next chunk

    def decode(self, chunk: bytes, last: bool = False) -> np.ndarray:
        """The samples `(samples,)` of the next chunk."""
        content = self._odd + chunk
        even = len(content) // 2 * 2
        self._odd = content[even:]
        samples = np.frombuffer(content[:even], "<i2").astype(np.float32) / 32768
        if not self._resamples:
            return samples
        resampled: np.ndarray = self._resampler.resample_chunk(samples, last)
        return resampled

    def close(self) -> None:
        """Nothing to end."""


class _Incoming:
    """The chunks of a socket as they come; a text ends them."""

    def __init__(self, socket: WebSocket):
        self._socket = socket
        self._next = asyncio.ensure_future(socket.receive())

    async def wait(self, timeout_s: float) -> bool:
        """Whether a chunk, or the end, has come by then."""
        return bool((await asyncio.wait([self._next], timeout=timeout_s))[0])

    def take(self) -> bytes | None:
        """What has come: a chunk, or `None` at the end.

        Raises:
            WebSocketDisconnect: the client has gone.
        """
        message = self._next.result()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        chunk: bytes | None = message.get("bytes")
        if chunk is not None:
            self._next = asyncio.ensure_future(self._socket.receive())
        return chunk

    def close(self) -> None:
        """Waits for no more."""
        self._next.cancel()


class Streams:
    """The live streams of a service.

    Args:
        predictor: the model, shared by all streams.
        admission: limits how many there are.
        metrics: measures the delay of events.
    """

    def __init__(self, predictor: Predictor, admission: Admission, metrics: Metrics):
        self._predictor, self._admission, self._metrics = predictor, admission, metrics
        self._threads = ThreadPoolExecutor(admission.limits.streams, thread_name_prefix="stream")
        metrics.watch("ser_streams", "Open streams", lambda: admission.streams)

    async def serve(self, socket: WebSocket) -> None:
        """Answers one WebSocket until it ends."""
        await socket.accept()
        try:
            parameters = _parse(socket)
            client = self._admission.identify(
                socket.headers, socket.client.host if socket.client else "", parameters.api_key
            )
            self._admission.check_rate(client)
            with self._admission.stream():
                await self._serve_admitted(socket, parameters)
        except ApiError as error:
            await _refuse(socket, error)
        except WebSocketDisconnect:
            return

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(cancel_futures=True)

    async def _serve_admitted(self, socket: WebSocket, parameters: LiveParameters) -> None:
        cut, outputs = parameters.timeline(self._predictor), parameters.outputs(self._predictor)
        loop = asyncio.get_running_loop()
        live = LiveTimeline(self._predictor, cut, outputs)
        decoder: StreamDecoder = (
            PcmDecoder(parameters.sample_rate)
            if parameters.encoding == "pcm16"
            else ContainerDecoder(parameters.encoding)
        )

        def process(chunk: bytes, last: bool) -> list[Event]:
            events = live.add(decoder.decode(chunk, last))
            return events + live.end() if last else events

        incoming = _Incoming(socket)
        try:
            last = False
            while not last:
                content, last = await self._receive(incoming)
                started = time.perf_counter()
                try:
                    events = await loop.run_in_executor(self._threads, process, content, last)
                except ValueError as error:
                    raise ApiError(415, f"The stream cannot be decoded as {parameters.encoding}: {error}.") from error
                for event in events:
                    await socket.send_text(json.dumps(event, ensure_ascii=False))
                if any(event["event"] == "hop" for event in events):
                    self._metrics.hop_seconds.observe(time.perf_counter() - started)
            await socket.close(_ENDS if self._admission.draining else 1000)
        finally:
            incoming.close()
            decoder.close()

    async def _receive(self, incoming: _Incoming) -> tuple[bytes, bool]:
        """What has come since, and whether the stream, or the service, ends: a stream that lags behind catches up."""
        waited_s = 0.0
        while not await incoming.wait(0.5):
            if self._admission.draining:
                return b"", True
            waited_s += 0.5
            if waited_s > _PATIENCE_S:
                raise ApiError(408, f"Nothing was sent for {_PATIENCE_S:.0f} s.")
        content = b""
        while len(content) < _BYTES_AT_ONCE and await incoming.wait(0):
            if (chunk := incoming.take()) is None:
                return content, True
            content += chunk
        return content, self._admission.draining


def _parse(socket: WebSocket) -> LiveParameters:
    query = socket.query_params
    values = {name: query.getlist(name) if name == "labels" else query[name] for name in query}
    try:
        return LiveParameters.model_validate(values)
    except ValidationError as error:
        raise ApiError(422, describe_invalid(error)) from error


async def _refuse(socket: WebSocket, error: ApiError) -> None:
    """Sends the reason as an event, and closes."""
    try:
        await socket.send_text(json.dumps({"event": "error", **error.body()}))
        await socket.close(_CODES.get(error.status, _INVALID), error.message.encode()[:100].decode(errors="ignore"))
    except (RuntimeError, WebSocketDisconnect):  # it has gone
        return
