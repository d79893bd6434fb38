import base64

import pytest

from tests.inference.web.api.conftest import refused

PATH = "/v1/predictions"
WAV = {"Content-Type": "audio/wav"}
JSON = {"Content-Type": "application/json"}
REFUSED = {
    "empty": (b"", WAV, 422, "invalid"),
    "text as audio": (b"Hello, this is no sound. " * 40, WAV, 415, "unsupported_media"),
    "text": (b"hello", {"Content-Type": "text/plain"}, 415, "unsupported_media"),
    "no type": (b"hello", {}, 415, "unsupported_media"),
    "no JSON": (b"{", JSON, 400, "bad_request"),
    "not UTF-8": (b"\xff\xfe\x00", JSON, 400, "bad_request"),
    "deep JSON": (b"[" * 100_000, JSON, 400, "bad_request"),
    "a list": (b"[]", JSON, 400, "bad_request"),
    "JSON without audio": (b"{}", JSON, 422, "invalid"),
    "JSON with a number": (b'{"audio": 1}', JSON, 422, "invalid"),
    "no base64": (b'{"audio": "*"}', JSON, 422, "invalid"),
    "not ASCII": ('{"audio": "ä"}'.encode(), JSON, 422, "invalid"),
    "no boundary": (b"x", {"Content-Type": "multipart/form-data"}, 400, "bad_request"),
    "no form": (b"x", {"Content-Type": "multipart/form-data; boundary=b"}, 400, "bad_request"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_recording_is_refused_with_its_code(client, kind):
    content, headers, status, code = REFUSED[kind]
    refused(client.post(PATH, content=content, headers=headers), status, code)


def test_a_form_needs_one_file_of_that_name(client, speech):
    refused(client.post(PATH, files={"other": speech}), 422, "invalid")
    refused(client.post(PATH, files=[("file", speech), ("file", speech)]), 400, "bad_request")


def test_the_size_is_limited_with_and_without_a_declared_length(serve, speech):
    client = serve(megabytes=0.01)
    refused(client.post(PATH, content=speech, headers=WAV), 413, "too_large")
    refused(client.post(PATH, content=iter([speech[:5000], speech[5000:]]), headers=WAV), 413, "too_large")
    encoded = {"audio": base64.b64encode(speech).decode()}
    refused(client.post(PATH, json=encoded), 413, "too_large")


def test_all_bodies_together_are_limited_while_they_are_held(serve, speech):
    client = serve(total_megabytes=len(speech) * 1.5 / 2**20)
    for _ in range(3):
        assert client.post(PATH, content=speech, headers=WAV).status_code == 200
    client.service.admission.hold(len(speech))
    assert refused(client.post(PATH, content=speech, headers=WAV), 503, "unavailable")["retry_after_s"] > 0
    client.service.admission.release(len(speech))
    assert client.post(PATH, content=speech, headers=WAV).status_code == 200


def test_large_files_stay_in_memory(client, speech, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))  # where a file on disk would fail
    padded = speech + bytes(3_000_000)
    assert client.post(PATH, files={"file": padded}).status_code == 200


def test_a_slow_body_is_refused(serve, speech):
    client = serve(patience_s=0.0, slowest_kb_s=1e9)
    refused(client.post(PATH, content=iter([speech]), headers=WAV), 408, "too_slow")
