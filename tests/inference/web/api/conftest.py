"""A service on a network that is quick, and recordings to send to it."""

import io

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from inference.engine.predictor import Predictor
from inference.web.api.admission import ApiLimits
from inference.web.api.app import build_app
from tests.conftest import tiny_config
from tests.inference.timeline.conftest import ByLevel

MODEL = {"id": "toy"}


def wav(waveform: np.ndarray, rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, format="WAV")
    return file.getvalue()


@pytest.fixture
def predictor():
    return Predictor(tiny_config(), ByLevel())


@pytest.fixture(scope="session")
def speech(spoken) -> bytes:
    """Four sentences and the pauses between them."""
    pause = np.zeros(12_000, np.float32)
    return wav(np.concatenate([part for clip in spoken[:4] for part in (clip, pause)]))


@pytest.fixture
def serve(predictor):
    """Starts services with limits; they end with the test."""
    clients = []

    def start(**limits) -> TestClient:
        service = build_app(predictor, ApiLimits(**limits), MODEL)
        client = TestClient(service.app, raise_server_exceptions=False)
        client.service = service
        client.__enter__()
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(serve):
    return serve()


def refused(response, status: int, code: str) -> dict:
    """The body of a refusal, which says what to do."""
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert len(body["error"]) > 20
    return body
