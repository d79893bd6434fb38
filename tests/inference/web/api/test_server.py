import asyncio
import signal

from inference.web.api.admission import ApiLimits
from inference.web.api.app import build_app
from inference.web.api.server import Server
from tests.inference.web.api.conftest import MODEL


def test_it_ends_when_nothing_runs_any_more(predictor):
    service = build_app(predictor, ApiLimits(), MODEL)
    server = Server(service, "127.0.0.1", 0)
    assert not asyncio.run(server.on_tick(1))
    with service.admission.request():
        server.handle_exit(signal.SIGTERM, None)
        assert service.admission.draining
        assert not asyncio.run(server.on_tick(1))
    assert asyncio.run(server.on_tick(1))


def test_it_ends_after_the_grace_or_at_once_when_asked_twice(predictor):
    service = build_app(predictor, ApiLimits(grace_s=0), MODEL)
    server = Server(service, "127.0.0.1", 0)
    with service.admission.request():
        server.handle_exit(signal.SIGTERM, None)
        assert asyncio.run(server.on_tick(1))
    service = build_app(predictor, ApiLimits(), MODEL)
    server = Server(service, "127.0.0.1", 0)
    with service.admission.request():
        server.handle_exit(signal.SIGTERM, None)
        server.handle_exit(signal.SIGTERM, None)
        assert asyncio.run(server.on_tick(1))
