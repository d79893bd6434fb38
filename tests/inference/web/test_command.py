import contextlib
import io
import json
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from inference.batch.predict import PredictionRequest, predict_files
from inference.engine.predictor import load_predictor
from inference.web.__main__ import _parse_args
from tests.conftest import ROOT
from tests.support.service import ServiceProcess

pytestmark = pytest.mark.slow

WAV = {"Content-Type": "audio/wav"}


def wav(waveform):
    file = io.BytesIO()
    soundfile.write(file, waveform, 16_000, format="WAV")
    return file.getvalue()


@pytest.fixture(scope="module")
def service(exported, tmp_path_factory):
    with ServiceProcess(exported, tmp_path_factory.mktemp("temporary"), "--backend", "onnx") as service:
        yield service
        assert list(service.temporary.iterdir()) == []
        service.ask_to_end()
        assert "Traceback" not in service.wait()


@pytest.fixture(scope="module")
def clips(spoken):
    return [wav(clip) for clip in spoken]


def post(service, content, **options):
    return httpx.post(f"{service.url}/v1/predictions", content=content, headers=WAV, params=options, timeout=60)


def test_many_clients_get_the_rows_of_predict_py(service, exported, clips, tmp_path):
    files = []
    for index, content in enumerate(clips):
        files.append(str(tmp_path / f"{index}.wav"))
        Path(files[-1]).write_bytes(content)
    predictor = load_predictor(str(exported), backend="onnx")
    expected = dict(predict_files(predictor, files, PredictionRequest()))
    with ThreadPoolExecutor(16) as clients:
        found = list(clients.map(lambda content: post(service, content).json(), clips * 4))
    for index, row in enumerate(found):
        [reference] = expected[files[index % len(files)]]
        scores = {entry["label"]: entry["score"] for entry in row["emotion"]}
        assert scores == pytest.approx({entry["label"]: entry["score"] for entry in reference["emotion"]}, abs=1e-5)
        assert row["speech_s"] == reference["speech_s"]


def raw(service, head: bytes, body: bytes = b"", half_close: bool = False) -> bytes:
    """What the service sends in answer to bytes."""
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head + body)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            return connection.recv(4096)
    return b""


@pytest.mark.parametrize(
    ("declared", "status"), [("9", b"415"), ("999999999999", b"413"), ("-1", b"400"), ("x", b"400")]
)
def test_a_lying_length_is_refused_and_others_are_answered(service, clips, declared, status):
    head = "POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Type: audio/wav\r\n"
    head += f"Content-Length: {declared}\r\n\r\n"
    assert raw(service, head.encode(), b"no audio!").startswith(b"HTTP/1.1 " + status)
    assert post(service, clips[0]).status_code == 200


def test_a_body_that_breaks_off_leaves_nothing(service, clips):
    head = b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Type: audio/wav\r\nContent-Length: 90000\r\n\r\n"
    raw(service, head, clips[0][:500], half_close=True)
    assert post(service, clips[0]).status_code == 200
    assert "ser_requests_running 0.0" in httpx.get(f"{service.url}/metrics").text


def test_a_thousand_connections_do_not_keep_others_from_being_answered(service, clips):
    host, port = service.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
            connection.sendall(b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\n")  # and nothing more
        assert post(service, clips[0]).status_code == 200


def test_a_broken_stream_leaves_nothing(service):
    address = service.url.replace("http", "ws") + "/v1/stream"
    with connect(address) as stream:
        stream.send(bytes(3201))
        stream.socket.close()
    with connect(address) as stream:
        stream.send(bytes(32_000))
        assert json.loads(stream.recv()) == {"event": "hop", "time_s": 1.0, "speech": False}
        stream.send(bytes(2**20 + 1))  # larger than a chunk may be
        with pytest.raises(ConnectionClosed):
            stream.recv()


def test_sigterm_finishes_what_runs_and_refuses_new_work(exported, clips, spoken, tmp_path):
    long = wav(np.concatenate(spoken * 12))
    with ServiceProcess(exported, tmp_path, "--backend", "onnx", "--grace_s", "40") as service:
        address = f"{service.url}/v1/timelines"
        with httpx.Client(timeout=60) as client, ThreadPoolExecutor(1) as thread:
            running = thread.submit(httpx.post, address, content=long, headers=WAV, params={"job": False}, timeout=60)
            job = client.post(address, content=long, headers=WAV, params={"job": True}).json()
            while "ser_requests_running 1.0" not in client.get(f"{service.url}/metrics").text:
                assert not running.done()
            service.ask_to_end()
            time.sleep(0.2)
            refused = client.post(f"{service.url}/v1/predictions", content=clips[0], headers=WAV)
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            assert client.get(f"{service.url}/health/ready").status_code == 503
            assert running.result().json()["segments"]
            while (response := client.get(service.url + job["result"])).status_code == 409:
                time.sleep(0.1)
            assert response.json()["segments"] == running.result().json()["segments"]
        assert "Traceback" not in service.wait()
        assert service.process.returncode in (0, -15)


def start(*flags):
    return subprocess.run(
        [sys.executable, "-m", "inference.web", "serve", *flags], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_what_cannot_be_served_is_refused_with_a_line(tmp_path):
    done = start("--model", str(tmp_path / "missing"))
    assert done.returncode != 0
    assert "missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert start("--model", str(tmp_path), "--megabyte", "1", "--wrong").returncode == 2


LIMITS = ("megabytes", "total_megabytes", "minutes", "requests", "jobs", "streams", "per_minute", "keep_s")
FROM_ZERO = ("job_above_s", "grace_s")


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in (*LIMITS, *FROM_ZERO) for value in ("-1", "nan", "inf", "x")]
    + [(name, "0") for name in LIMITS],
)
def test_a_limit_that_is_not_a_positive_number_is_refused(monkeypatch, capsys, name, value):
    monkeypatch.setattr(sys, "argv", ["inference.web", "serve", f"--{name}", value])
    with pytest.raises(SystemExit) as end:
        _parse_args()
    assert end.value.code == 2
    assert f"--{name}" in capsys.readouterr().err


def test_a_timeline_may_always_be_a_job_and_the_service_may_end_at_once(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["inference.web", "serve", *(f"--{name}=0" for name in FROM_ZERO)])
    args = _parse_args()
    assert [getattr(args, name) for name in FROM_ZERO] == [0, 0]


def test_a_taken_port_is_refused(service, exported):
    port = service.url.rpartition(":")[2]
    done = start("--model", str(exported), "--backend", "onnx", "--port", port)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_memory_and_threads_do_not_grow_with_streams(service):
    address = service.url.replace("http", "ws") + "/v1/stream"

    def play(number):
        with connect(address) as stream:
            for _ in range(5):
                stream.send(bytes(32_000))
            stream.send("end")
            return sum(1 for _ in stream)

    with ThreadPoolExecutor(10) as clients:
        assert list(clients.map(play, range(30))) == [5] * 30
    assert threading.active_count() < 50
