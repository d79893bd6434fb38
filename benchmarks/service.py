"""The HTTP service under load, and live streams faster than time: `python -m benchmarks.service --model onnx/demo`.

64 clients against one at a time, with clips of mixed length, each answer compared with `predict.py`'s; then an hour at
20x and ten streams at once, whose segments are compared with the file's timeline. Takes no part in `python -m
benchmarks`: it needs a model.
"""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
import soundfile
from websockets.asyncio.client import connect

from benchmarks.clips import waveforms
from common.command_line import FlagParser
from inference.batch.predict import clip_row, read_clip
from inference.engine.predictor import Predictor, load_predictor
from inference.timeline.build import build_timeline
from modeling import SAMPLING_RATE, OutputOptions

ROOT = Path(__file__).parent.parent
_HEADERS = {"Content-Type": "audio/wav"}
_CHUNK_S = 0.1


@contextmanager
def started_service(model: str, backend: str, precision: str):  # noqa: ANN201 - a context of process and address
    """Starts `python -m inference.web serve`; yields its process and its address."""
    command = [sys.executable, "-m", "inference.web", "serve", "--model", model, "--backend", backend, "--port", "0"]
    command += ["--precision", precision, "--per_minute", "1e9"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield psutil.Process(process.pid), process.stdout.readline().strip().removesuffix("/docs")
    finally:
        process.terminate()
        process.wait()


@dataclass
class Load:
    """What clients got."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    largest_difference: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, status: int, seconds: float, difference: float) -> None:
        with self.lock:
            self.statuses[status] += 1
            if status == 200:
                self.seconds.append(seconds)
                self.largest_difference = max(self.largest_difference, difference)


def run_clients(
    address: str, bodies: list[bytes], expected: list[dict[str, Any]], clients: int, seconds: float
) -> Load:
    """Lets clients send clip after clip for some seconds, each over one connection."""
    load, latest = Load(), time.perf_counter() + seconds

    def send(number: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
        index = number
        while time.perf_counter() < latest:
            index = (index + 17) % len(bodies)
            start = time.perf_counter()
            connection.request("POST", "/v1/predictions", bodies[index], _HEADERS)
            response = connection.getresponse()
            row = json.loads(response.read())
            spent = time.perf_counter() - start
            load.add(response.status, spent, _difference(row, expected[index]) if response.status == 200 else 0.0)

    with ThreadPoolExecutor(clients) as threads:
        for future in [threads.submit(send, number) for number in range(clients)]:
            future.result()
    return load


def _difference(row: dict[str, Any], expected: dict[str, Any]) -> float:
    """The largest difference of a score."""
    differences = [0.0]
    for name, value in expected.items():
        if isinstance(value, list) and value[0]["label"] is not None:
            scores = {entry["label"]: entry["score"] for entry in row[name]}
            differences += [abs(scores[entry["label"]] - entry["score"]) for entry in value]
    return max(differences)


def measure_load(predictor: Predictor, model: str, backend: str, clients: int, seconds: float) -> None:
    """Prints the comparison of one client with many."""
    bodies = [_wav(waveform) for waveform in waveforms(96)]
    options = ("clip.wav", predictor.max_duration_s)
    expected = []
    for body in bodies:
        clip = read_clip(options[0], body, options[1], vad=True)
        outputs = {name: values[0] for name, values in predictor([clip.waveform]).items()}
        expected.append(clip_row(predictor, clip, outputs, OutputOptions()))
    with started_service(model, backend, predictor.precision) as (process, address):
        one = run_clients(address, bodies, expected, 1, seconds / 2)
        before = process.memory_info().rss
        many = run_clients(address, bodies, expected, clients, seconds)
        middle = process.memory_info().rss
        run_clients(address, bodies, expected, clients, seconds / 2)
        after = process.memory_info().rss
    alone, together = len(one.seconds) / (seconds / 2), len(many.seconds) / seconds
    p50, p95 = np.percentile(many.seconds, [50, 95])
    print(f"one at a time: {alone:.1f} answers/s; p50 {np.median(one.seconds) * 1e3:.0f} ms")
    print(
        f"{clients} clients: {together:.1f} answers/s, {together / alone:.2f} times; p50 {p50:.2f} s, p95 {p95:.2f} s"
    )
    print(f"statuses {dict(many.statuses)}, largest difference from predict.py {many.largest_difference:.1e}")
    megabytes = ", ".join(f"{size / 2**20:.0f} MB" for size in (before, middle, after))
    print(f"memory before, after, and after half as long again: {megabytes}")


async def _play(address: str, waveform: np.ndarray, speed: float) -> tuple[list[dict[str, Any]], list[float]]:
    """Plays a waveform; returns the events, and for each hop the seconds from its last sample to its event."""
    events: list[dict[str, Any]] = []
    sent: dict[float, float] = {}
    delays: list[float] = []
    samples = (waveform.clip(-1, 1) * 32767).astype("<i2")
    async with connect(address.replace("http", "ws") + "/v1/stream", max_size=None) as stream:

        async def receive() -> None:
            async for message in stream:
                event = json.loads(message)
                events.append(event)
                if event["event"] == "hop":
                    delays.append(time.perf_counter() - sent[event["time_s"]])

        receiving = asyncio.create_task(receive())
        started, size = time.perf_counter(), round(_CHUNK_S * SAMPLING_RATE)
        for first in range(0, samples.size, size):
            end_s = (first + size) / SAMPLING_RATE
            await asyncio.sleep(max(0.0, started + end_s / speed - time.perf_counter()))
            sent[round(end_s, 3)] = time.perf_counter()
            await stream.send(samples[first : first + size].tobytes())
        await stream.send("end")
        await receiving
    return events, delays


async def _watch_memory(process: psutil.Process, seconds: float, memory: list[int]) -> None:
    """Adds the memory of a process at the start and after each tenth of some seconds but the last."""
    for _ in range(10):
        memory.append(process.memory_info().rss)
        await asyncio.sleep(seconds / 10)


def measure_streams(
    predictor: Predictor, model: str, backend: str, recording: np.ndarray, speed: float, streams: int
) -> None:
    """Prints how well streams follow, and how close their segments are to those of the file."""
    quantized = (recording.clip(-1, 1) * 32767).astype("<i2").astype(np.float32) / 32768
    timeline = build_timeline(predictor, quantized, sampling_rate=SAMPLING_RATE)

    async def play_all(address: str) -> list[tuple[list[dict[str, Any]], list[float]]]:
        watching = asyncio.create_task(_watch_memory(process, recording.size / SAMPLING_RATE / speed, memory))
        results = await asyncio.gather(*(_play(address, recording, speed) for _ in range(streams)))
        watching.cancel()
        return results

    memory: list[int] = []

    with started_service(model, backend, predictor.precision) as (process, address):
        asyncio.run(_play(address, recording[: 30 * SAMPLING_RATE], speed))
        started = time.perf_counter()
        results = asyncio.run(play_all(address))
        spent = time.perf_counter() - started
        memory.append(process.memory_info().rss)
    farthest, same = 0.0, True
    for events, _ in results:
        segments = [event for event in events if event["event"] == "segment_end"]
        same &= len(segments) == len(timeline.segments)
        for event, segment in zip(segments, timeline.segments, strict=False):
            farthest = max(farthest, abs(event["start_s"] - segment.start_s), abs(event["end_s"] - segment.end_s))
    p50, p95 = np.percentile([delay for _, delays in results for delay in delays], [50, 95]) * 1e3
    minutes = recording.size / SAMPLING_RATE / 60
    print(f"{streams} stream(s) of {minutes:.0f} min at {speed:g}x in {spent:.0f} s: {len(timeline.segments)} segments")
    print(f"as many as the file: {same}; farthest bound {farthest:.3f} s; delay p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    megabytes = ", ".join(f"{size / 2**20:.0f}" for size in memory)
    print(f"memory after each tenth, from the start to the end: {megabytes} MB")


def _wav(waveform: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, waveform, SAMPLING_RATE, format="WAV")
    return file.getvalue()


def main() -> None:
    """Runs the command line."""
    parser = FlagParser("python -m benchmarks.service", description=__doc__)
    parser.add_argument("--model", required=True, metavar="CHECKPOINT")
    parser.add_argument("--backend", choices=("torch", "onnx"), default="onnx")
    parser.add_argument("--precision", default="auto", help="of the service, and of what it is compared with")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--recording", type=Path, help="speech that is repeated, for the streams")
    parser.add_argument("--minutes", type=float, default=60.0, help="of the stream at 20x")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores")
    predictor = load_predictor(args.model, backend=args.backend, precision=args.precision)
    if args.seconds:
        measure_load(predictor, args.model, args.backend, args.clients, args.seconds)
    if args.recording:
        sound, rate = soundfile.read(args.recording, dtype="float32")
        if rate != SAMPLING_RATE:
            raise SystemExit(f"benchmarks.service: --recording must have {SAMPLING_RATE} Hz, got {rate}.")
        times = int(args.minutes * 60 * SAMPLING_RATE / sound.size) + 1
        recording = np.tile(sound, times)[: round(args.minutes * 60 * SAMPLING_RATE)]
        measure_streams(predictor, args.model, args.backend, recording, 20.0, 1)
        measure_streams(predictor, args.model, args.backend, recording[: 60 * SAMPLING_RATE], 1.0, 10)


if __name__ == "__main__":
    main()
