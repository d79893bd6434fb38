"""Many visitors at once, of whom some send what is broken, too large, too slow, or not theirs."""

import asyncio
import http.server
import io
import json
import os
import re
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import pytest
import soundfile

pytest.importorskip("gradio", reason="Gradio is not installed")

import httpx

from inference.web.expired_files import size_of
from tests.conftest import voice
from tests.support.page import MAX_MB, App

pytestmark = pytest.mark.slow

KINDS = ("good", "broken", "large", "slow", "torn", "address", "thief", "several")
SETTINGS = [["angry", "happy", "sad"], 0, 3, 1]


class Gauge:
    """The most memory of a process, and the most that lies in a folder, in MB, while a block runs."""

    def __init__(self, pid: int, folder: Path):
        self._status, self._folder = Path(f"/proc/{pid}/status"), folder
        self.memory, self.disk, self._ended = 0.0, 0.0, threading.Event()
        self._look()
        self.memory_before = self.memory

    def _look(self):
        self.memory = max(self.memory, int(re.search(r"VmRSS:\s+(\d+)", self._status.read_text())[1]) / 1e3)
        self.disk = max(self.disk, size_of(self._folder) / 1e6)

    def __enter__(self):
        def watch():
            while not self._ended.wait(0.1):
                self._look()

        self._thread = threading.Thread(target=watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def wav(seconds: float, seed: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, voice(seconds, 100 + seed % 200, seed), 16_000, format="WAV")
    return file.getvalue()


def file_data(path: str) -> dict:
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


class Visitors:
    """Visitors of all kinds; each checks its responses, and returns its kind.

    Args:
        url: of the page.
        trap: an address that must not be fetched.
    """

    def __init__(self, url: str, trap: str):
        self.url, self.trap = url, trap

    async def come(self, count: int, kinds: tuple[str, ...]) -> Counter:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)  # as if each had a machine of its own
        async with httpx.AsyncClient(base_url=self.url, timeout=600, limits=limits, trust_env=False) as self.client:
            visits = [getattr(self, kinds[number % len(kinds)])(number) for number in range(count)]
            return Counter(await asyncio.gather(*visits))

    async def upload(self, *files: tuple[str, bytes]) -> httpx.Response:
        return await self.client.post("/gradio_api/upload", files=[("files", file) for file in files])

    async def call_api(self, api: str, inputs: list) -> dict | list:
        response = await self.client.post(f"/gradio_api/call/{api}", json={"data": inputs})
        assert response.status_code == 200, response.text
        event = response.json()["event_id"]
        events = (await self.client.get(f"/gradio_api/call/{api}/{event}")).text
        found = re.search(r"event: complete\ndata: (.*)", events)
        assert found, events[-500:]
        return json.loads(found[1])[1]

    async def good(self, number: int) -> str:
        seconds = 1 + number % 40 / 20
        [path] = (await self.upload((f"{number}.wav", wav(seconds, number)))).json()
        response = await self.call_api("recognize", [file_data(path), *SETTINGS])
        assert (response["file"], response["duration_s"]) == (f"{number}.wav", pytest.approx(seconds))
        return "good"

    async def several(self, number: int) -> str:
        paths = (await self.upload((f"{number}a.wav", wav(1, number)), (f"{number}b.wav", b"no sound"))).json()
        first, second = await self.call_api("predict_several", [[file_data(path) for path in paths], *SETTINGS[:2]])
        assert (first["file"], first["duration_s"]) == (f"{number}a.wav", 1.0)
        assert second["error"]
        assert "emotion" not in second
        return "several"

    async def broken(self, number: int) -> str:
        content = [b"", b"no sound", b"RIFF", wav(1, number)[:30], os.urandom(5000)][number // len(KINDS) % 5]
        [path] = (await self.upload((f"{number}.wav", content))).json()
        response = await self.call_api("recognize", [file_data(path), *SETTINGS])
        assert response["error"].startswith(f"{number}.wav: ")
        return "broken"

    async def large(self, number: int) -> str:
        response = await self.upload((f"{number}.wav", bytes(MAX_MB * 1_000_000 + 100_000)))
        assert response.status_code == 413
        return "large"

    async def address(self, number: int) -> str:
        response = await self.client.post(
            "/gradio_api/call/recognize", json={"data": [file_data(f"{self.trap}/{number}.wav"), *SETTINGS]}
        )
        assert response.status_code == 400
        assert (await self.client.get(f"/gradio_api/file={self.trap}/{number}.wav")).status_code == 404
        return "address"

    async def thief(self, number: int) -> str:
        [mine] = (await self.upload((f"{number}.wav", wav(1, number)))).json()
        assert (await self.client.get(f"/gradio_api/file={quote(mine)}")).status_code == 200
        uploads = Path(mine).parents[1]
        guesses = [uploads, uploads.parent / "lock", uploads / ".." / "lock", f"{mine}/../..", "/etc/passwd", "app.py"]
        guesses += [uploads / Path(mine).parent.name / f"{number - 1}.wav", uploads / ("0" * 64) / "0.wav", "../app.py"]
        for guess in guesses:
            for address in (f"/gradio_api/file={quote(str(guess))}", f"/gradio_api/file={quote(str(guess), safe='')}"):
                assert (await self.client.get(address)).status_code in (403, 404), guess
        return "thief"

    async def torn(self, number: int) -> str:
        """Announces more than it sends, and disconnects."""
        _, writer = await self.begin(number)
        writer.write(bytes(50_000))
        await writer.drain()
        writer.close()
        return "torn"

    async def slow(self, number: int) -> str:
        """Sends a byte now and then, for ever."""
        reader, writer = await self.begin(number)
        response = asyncio.create_task(reader.readuntil(b"\r\n"))
        while not response.done():
            writer.write(b"x")
            await asyncio.wait([response], timeout=0.5)
        assert (await response).startswith(b"HTTP/1.1 400 ")  # the status line
        writer.close()
        return "slow"

    async def begin(self, number: int):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.url.rpartition(":")[2]))
        part = f'--b\r\nContent-Disposition: form-data; name="files"; filename="{number}.wav"\r\n\r\n'
        writer.write(
            "POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            f"Content-Length: 1000000\r\n\r\n{part}".encode()
        )
        await writer.drain()
        return reader, writer


@pytest.fixture
def trap():
    """A server that remembers whether somebody came."""
    came = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            came.append(self.path)
            self.send_response(200)
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
    assert came == []


def visit(app: App, count: int, kinds: tuple[str, ...], trap: str) -> Gauge:
    began = time.monotonic()
    with Gauge(app.process.pid, app.temporary) as gauge:
        came = asyncio.run(Visitors(app.url, trap).come(count, kinds))
    assert came == Counter(kinds[number % len(kinds)] for number in range(count))
    print(
        f"\n{count} visitors in {time.monotonic() - began:.0f} s, {dict(came)}: memory before "
        f"{gauge.memory_before:.0f} MB, at most {gauge.memory:.0f} MB; disk at most {gauge.disk:.1f} MB"
    )
    return gauge


def test_many_come_at_once_and_nothing_is_left(checkpoint, trap, tmp_path):
    app = App(checkpoint, tmp_path)
    kinds = tuple(kind for kind in KINDS if kind != "slow")  # which takes half a minute
    gauge = visit(app, 21, kinds, trap)
    assert gauge.memory - gauge.memory_before < 300
    assert "Traceback" not in app.end()
    assert files_in(tmp_path) == []


@pytest.mark.stress
def test_two_hundred_come_at_once(checkpoint, trap, tmp_path):
    app = App(checkpoint, tmp_path)
    first = visit(app, 200, KINDS, trap)
    assert first.memory - first.memory_before < 500
    assert first.disk < 200
    second = visit(app, 200, KINDS, trap)
    assert second.memory - first.memory < 100  # it does not grow with those who have been there
    app.process.send_signal(signal.SIGKILL)
    app.process.communicate()
    assert [path for path in files_in(tmp_path) if path.suffix == ".wav"]
    again = App(checkpoint, tmp_path)
    assert len([*tmp_path.glob("recordings-*")]) == 1
    assert "Traceback" not in again.end()
    assert files_in(tmp_path) == []
