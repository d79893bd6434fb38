import threading
from html import unescape
from types import SimpleNamespace

import pytest

pytest.importorskip("gradio", reason="Gradio is not installed")

from inference.web.handlers import Handlers

SETTINGS = [["sad"], 0.5, 3.0, 1.0]


class Slow:
    """A service that reports progress until it is stopped, and keeps what was requested."""

    def __init__(self):
        self.began, self.resumes = threading.Event(), threading.Event()

    def recognize(self, file, outputs, timeline, report):
        self.requested = (file.name, outputs.labels, outputs.uncertain_below, timeline.window_s)
        report(0.0)
        self.began.set()
        assert self.resumes.wait(10)
        report(0.5)
        return "<html>", {"file": file.name}

    def predict_several(self, files, outputs, report):
        return *self.recognize(files[0], outputs, SimpleNamespace(window_s=None), report)[:1], [{"file": "a.wav"}]


def visitor(session):
    return SimpleNamespace(session_hash=session)


@pytest.fixture
def service():
    return Slow()


@pytest.fixture
def handlers(service):
    return Handlers(service)


@pytest.fixture
def run(handlers):
    """Starts a handler in a thread; what it returned is `result` of what this gives."""

    def start(name, source, settings, session="a"):
        def call():
            thread.result = getattr(handlers, name)(source, *settings, visitor(session), lambda share, text: None)

        thread = threading.Thread(target=call)
        thread.start()
        return thread

    return start


@pytest.mark.parametrize(
    ("name", "source", "settings"),
    [("recognize", "a.wav", SETTINGS), ("predict_several", ["a.wav"], SETTINGS[:2])],
)
def test_a_visitor_cancels_what_is_theirs(handlers, service, run, name, source, settings):
    thread = run(name, source, settings)
    assert service.began.wait(10)
    handlers.cancel(visitor("a"))
    service.resumes.set()
    thread.join()
    html, values, *_ = thread.result
    assert "html" not in html
    assert "error" in (values if name == "recognize" else values[0])


def test_nobody_cancels_what_is_anothers_and_the_next_one_runs(handlers, service, run):
    thread = run("recognize", "a.wav", SETTINGS)
    assert service.began.wait(10)
    handlers.cancel(visitor("b"))
    service.resumes.set()
    thread.join()
    assert thread.result == ("<html>", {"file": "a.wav"}, "a.wav")
    assert service.requested == ("a.wav", ("sad",), 0.5, 3.0)
    handlers.cancel(visitor("a"))
    thread = run("recognize", "a.wav", SETTINGS)
    thread.join()
    assert thread.result[1] == {"file": "a.wav"}


def test_a_missing_file_and_invalid_settings_are_reported_to_people_and_programs(handlers):
    for html, values, *_ in (
        handlers.recognize(None, *SETTINGS, visitor("a"), None),
        handlers.recognize("a.wav", [], 0, 1.0, 2.0, visitor("a"), None),
    ):
        assert values["error"] in unescape(html)
        assert 'role="alert"' in html
    html, [row] = handlers.predict_several(None, *SETTINGS[:2], visitor("a"), None)
    assert row["error"] in html
