"""What the middleware lets through to Gradio, and what it does not; under load by tests/test_page_load.py."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="Gradio is not installed")

from gradio import route_utils
from gradio.routes import App
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from inference.engine.predictor import load_predictor
from inference.web.middleware import LimitsMiddleware, accept_only_files
from inference.web.page import build_page
from inference.web.service import Limits

LIMITS = Limits(megabytes=0.1, total_megabytes=0.25, files=3)
SETTINGS = [["angry", "happy", "sad"], 0, 3, 1]


@pytest.fixture(scope="module")
def page(checkpoint, tmp_path_factory):
    """Gradio's own application behind the middleware, and where its uploads go."""
    folder = tmp_path_factory.mktemp("page") / "uploads"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        patch.setattr(route_utils, "GradioMultiPartParser", route_utils.GradioMultiPartParser)  # and is put back
        accept_only_files(LIMITS.files)
        page = build_page(load_predictor(str(checkpoint)), LIMITS, {})
        page.max_file_size = 100_000
        with TestClient(
            App.create_app(page, app_kwargs={"middleware": [Middleware(LimitsMiddleware, folder, LIMITS)]})
        ) as client:
            yield client, folder


@pytest.fixture
def client(page):
    return page[0]


@pytest.fixture
def folder(page):
    yield page[1]
    for path in files_in(page[1]):
        path.unlink()


def upload(client, *sizes):
    return client.post("/gradio_api/upload", files=[("files", (f"{size}.wav", bytes(size))) for size in sizes])


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_files_are_taken_up_to_their_limit_and_that_of_all_together(client, folder):
    assert upload(client, 90_000).status_code == 200
    assert upload(client, 101_000).status_code == 413  # Gradio's own refusal
    assert upload(client, 80_000, 70_000).status_code == 200
    response = upload(client, 50_000)
    assert response.status_code == 503
    assert "0.25 MB" in response.text
    assert len(files_in(folder)) == 3
    for path in files_in(folder):
        path.unlink()
    assert upload(client, 50_000).status_code == 200


def test_invalid_and_too_many_files_are_refused_and_leave_nothing(client, folder):
    field = client.post("/gradio_api/upload", files=[("files", (None, bytes(90_000)))])
    assert field.status_code == 400
    assert upload(client, 1, 2, 3, 4).status_code == 400
    assert files_in(folder) == []


@pytest.mark.parametrize(
    "inputs",
    [
        [{"path": "http://127.0.0.1:1/clip.wav", "meta": {"_type": "gradio.FileData"}}, *SETTINGS],
        [None, [{"deeper": [{"path": "HTTPS://a.org/b", "meta": {"_type": "gradio.FileData"}}]}], *SETTINGS[1:]],
    ],
)
def test_nothing_is_fetched_for_a_visitor(client, inputs):
    for address, body in (
        ("call/recognize", {"data": inputs}),
        ("queue/join", {"data": inputs, "fn_index": 0, "session_hash": "a"}),
    ):
        response = client.post(f"/gradio_api/{address}", json=body)
        assert response.status_code == 400
    assert client.get("/gradio_api/file=http://127.0.0.1:1/clip.wav").status_code == 404


def test_a_browsers_own_file_is_not_an_address(client):
    file = {"path": "/elsewhere/clip.wav", "url": "http://testserver/gradio_api/file=/elsewhere/clip.wav"}
    body = {"data": [{**file, "meta": {"_type": "gradio.FileData"}}, *SETTINGS]}
    assert "event_id" in client.post("/gradio_api/call/recognize", json=body).json()


def test_cancel_alone_is_answered_without_the_queue(client):
    calls = [call for call in client.get("/config").json()["dependencies"] if call["backend_fn"]]
    (cancel,) = [call["id"] for call in calls if not call["inputs"]]
    for id_ in (call["id"] for call in calls):
        body = {"data": [], "fn_index": id_, "session_hash": "a"}
        response = client.post("/gradio_api/run/predict", json=body)
        assert response.status_code == (200 if id_ == cancel else 404)


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        (b'{"data": [', 400, "JSON"),
        (b"[" * 100_000, 400, "JSON"),
        (b" " * 300_000, 413, "300000"),
        (iter([b"{}"]), 411, "Content-Length"),  # in chunks
    ],
)
def test_requests_are_short_and_json(client, body, status, named):
    response = client.post("/gradio_api/call/recognize", content=body)
    assert response.status_code == status
    assert named in response.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", f"/gradio_api/{name}") for name in ("process_recording", "component_server", "api/predict")),
        *(("POST", f"/gradio_api/run/{name}") for name in ("recognize", "cancel", "predict/")),
        *(("POST", f"/gradio_api/{name}") for name in ("vibe-edit", "stream/1", "../login", "upload/")),
        *(("GET", f"/gradio_api/{name}") for name in ("proxy=http://127.0.0.1/", "vibe-code", "file/etc/passwd")),
        *(("GET", path) for path in ("/monitoring", "/docs", "/gradio_api/deep_link", "/gradio_api/upload")),
        *(("PUT", path) for path in ("/", "/gradio_api/upload/x")),
    ],
)
def test_what_the_page_does_not_use_is_not_there(client, method, path):
    response = client.request(method, path)
    assert response.status_code == 404


@pytest.mark.parametrize("path", ["/config", "/gradio_api/info", "/gradio_api/startup-events"])
def test_what_the_page_uses_is_there(client, path):
    assert client.get(path).status_code == 200


def send_body(messages, path="/gradio_api/upload", patience_s=LIMITS.patience_s, pause_s=0.0):
    """Sends a body; returns what the application raised, and the status and the text of the response.

    Args:
        messages: of the body; after the last of them nothing comes.
        path: of the request.
        patience_s: of the middleware.
        pause_s: seconds before each message but the first.
    """
    raised, sent, given = [], [], []

    async def app(scope, receive, send):
        try:
            while (await receive())["more_body"]:
                pass
        except MultiPartException as error:
            raised.append(error.message)

    async def receive():
        await asyncio.sleep(60 if not messages else pause_s if given else 0)
        given.append(messages.pop(0))
        return given[-1]

    async def send(message):
        sent.append(message)

    middleware = LimitsMiddleware(app, Path("nowhere"), replace(LIMITS, patience_s=patience_s))
    scope = {"type": "http", "method": "POST", "path": path, "headers": [(b"content-length", b"100")]}
    asyncio.run(middleware(scope, receive, send))
    assert middleware._pending == 0
    return raised, [message.get("status") or message["body"].decode() for message in sent]


PART = {"type": "http.request", "body": b"x" * 10, "more_body": True}


@pytest.mark.parametrize(
    ("messages", "patience_s", "expected"),
    [
        ([PART], 0.2, "slow"),
        ([PART, {"type": "http.disconnect"}], LIMITS.patience_s, "interrupted"),
    ],
)
def test_what_comes_too_slowly_or_breaks_off_ends(messages, patience_s, expected):
    # Gradio itself responds to an upload, and removes what it has written
    (raised,), sent = send_body([*messages], patience_s=patience_s)
    assert expected in raised
    assert sent == []
    assert send_body([*messages], "/gradio_api/queue/join", patience_s) == ([], [400, raised])


@pytest.mark.slow
def test_a_slow_line_has_time_for_all_that_it_sends():
    long = {**PART, "body": bytes(600_000)}  # a minute more
    last = {**PART, "more_body": False}
    assert send_body([long, PART, last], patience_s=1, pause_s=0.6) == ([], [])
    (raised,), sent = send_body([PART, PART, last], patience_s=1, pause_s=0.6)
    assert "slow" in raised
    assert sent == []
