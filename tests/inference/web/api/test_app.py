import re
import time

import pytest
from fastapi import FastAPI

from inference.web.api.errors import CODES


def test_health_metrics_and_documents_need_no_key(serve):
    client = serve(keys=("one",))
    for path in ("/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 200


def test_the_page_of_the_service_loads_nothing_and_describes_every_address(client):
    page = client.get("/docs").text
    assert set(re.findall(r"(?:https?:)?//([\w.:-]+)", page)) == {"testserver"}
    assert not re.search(r"<script|@import|\burl\(|\bsrc=", page)
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}" in page
            assert all(f"<code>{parameter['name']}</code>" in page for parameter in operation.get("parameters", []))
            assert all(status in page for status in operation["responses"])
    assert "multipart/form-data" in page
    for path in ("/redoc", "/docs/oauth2-redirect"):
        assert client.get(path).status_code == 404


def test_an_address_that_does_not_exist_has_the_form_of_every_error(client):
    for method, path, status in (("get", "/nowhere", 404), ("get", "/v1/predictions", 405)):
        response = getattr(client, method)(path)
        assert (response.status_code, response.json()["code"]) == (status, CODES[status])


def test_the_document_has_examples_and_the_refusals_of_every_address(client):
    document = client.get("/openapi.json").json()
    for path in ("/v1/predictions", "/v1/timelines"):
        post = document["paths"][path]["post"]
        assert {"multipart/form-data", "application/json", "audio/wav"} <= set(post["requestBody"]["content"])
        assert "example" in post["responses"]["200"]["content"]["application/json"]
        assert {"401", "413", "415", "422", "429", "503"} <= set(post["responses"])


def test_metrics_count_requests_clips_and_seconds(client, speech):
    client.post("/v1/predictions", content=speech, headers={"Content-Type": "audio/wav"})
    text = client.get("/metrics").text
    assert 'ser_requests_total{path="/v1/predictions",status="200"} 1.0' in text
    deadline = time.monotonic() + 5
    while "ser_group_clips_count 1.0" not in client.get("/metrics").text:  # it is counted after the response is ready
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert "ser_audio_seconds_total" in text


def test_it_is_idle_when_nothing_runs(client):
    assert isinstance(client.service.app, FastAPI)
    assert client.service.is_idle
    with client.service.admission.request():
        assert not client.service.is_idle


@pytest.mark.parametrize("path", ["/" + "x" * 50_000, "/v1/jobs/%00", "/v1/jobs/..%2f..%2fetc"])
def test_strange_paths_are_not_found(client, path):
    assert client.get(path).status_code == 404
