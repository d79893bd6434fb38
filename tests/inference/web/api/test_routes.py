import base64
import json
import time

import numpy as np
import pytest

from inference.batch.predict import PredictionRequest, predict_files, predict_timeline
from inference.timeline.build import TimelineOptions
from inference.timeline.formats import EXPORTS
from inference.web.api.options import MEDIA_TYPES
from modeling import OutputOptions
from tests.inference.conftest import noise
from tests.inference.web.api.conftest import MODEL, refused, wav

WAV = {"Content-Type": "audio/wav"}


@pytest.fixture
def file(speech, tmp_path):
    path = tmp_path / "speech.wav"
    path.write_bytes(speech)
    return path


def predict(predictor, file, **options):
    request = PredictionRequest(OutputOptions(**options))
    [(_, [row])] = predict_files(predictor, [str(file)], request)
    return {**row, "file": file.name}


def test_the_three_forms_of_a_body_give_the_row_of_predict_py(client, predictor, speech, file):
    expected = predict(predictor, file)
    form = client.post("/v1/predictions", files={"file": ("speech.wav", speech)})
    raw = client.post("/v1/predictions", content=speech, headers=WAV)
    body = {"audio": base64.b64encode(speech).decode(), "name": "speech.wav"}
    as_json = client.post("/v1/predictions", json=body)
    assert form.json() == as_json.json() == expected
    assert raw.json() == {**expected, "file": "recording"}


def test_options_are_taken_from_address_form_and_json(client, predictor, speech, file):
    expected = predict(predictor, file, labels=("sad", "angry"), top_k=1, uncertain_below=0.99)
    values = {"labels": ["sad", "angry"], "top_k": 1, "uncertain_below": 0.99}
    files = {"file": ("speech.wav", speech)}
    assert client.post("/v1/predictions", files=files, params=values).json() == expected
    assert client.post("/v1/predictions", files=files, data=values).json() == expected
    body = {"audio": base64.b64encode(speech).decode(), "name": "speech.wav", **values}
    assert client.post("/v1/predictions", json=body, params={"top_k": 2}).json() == expected


def test_a_recording_without_speech_has_no_emotion_unless_asked_for(client):
    silence = wav(noise(2, 0.001))
    assert client.post("/v1/predictions", content=silence, headers=WAV).json()["emotion"] == [
        {"label": None, "score": None}
    ]
    row = client.post("/v1/predictions?no_vad=true", content=silence, headers=WAV).json()
    assert len(row["emotion"]) == 3
    assert row["speech_s"] is None


@pytest.mark.parametrize("kind", MEDIA_TYPES)
def test_a_timeline_has_every_format_by_name_and_by_accept(client, predictor, speech, file, kind):
    document = predict_timeline(predictor, str(file), PredictionRequest(timeline=TimelineOptions()))
    files = {"file": (str(file), speech)}
    by_name = client.post("/v1/timelines", files=files, params={"format": kind})
    by_accept = client.post("/v1/timelines", files=files, headers={"Accept": f"image/png, {MEDIA_TYPES[kind]};q=0.9"})
    assert by_name.text == by_accept.text == EXPORTS[kind](document)
    assert by_name.headers["content-type"].startswith(MEDIA_TYPES[kind])


def test_a_long_recording_becomes_a_job(serve, speech):
    client = serve(job_above_s=1.0)
    expected = client.post("/v1/timelines?job=false", content=speech, headers=WAV).json()
    accepted = client.post("/v1/timelines?format=json", content=speech, headers=WAV)
    assert accepted.status_code == 202
    address = accepted.headers["location"]
    while client.get(address).json()["status"] in ("waiting", "running"):
        time.sleep(0.02)
    job = client.get(address).json()
    assert (job["status"], job["progress"]) == ("done", 1.0)
    assert client.get(job["result"]).json() == expected
    assert client.get(job["result"], params={"format": "vtt"}).text.startswith("WEBVTT")
    assert client.delete(address).status_code == 204
    refused(client.get(address), 404, "not_found")


def test_a_job_holds_its_recording_until_it_ends(serve, speech):
    client = serve(total_megabytes=len(speech) * 2.5 / 2**20)
    for _ in range(4):
        accepted = client.post("/v1/timelines?job=true", content=speech, headers=WAV)
        assert accepted.status_code == 202
        while client.get(accepted.headers["location"]).json()["status"] in ("waiting", "running"):
            time.sleep(0.02)
    assert client.service.admission._held_bytes == 0


def test_a_job_of_what_is_not_audio_fails_with_the_reason(client):
    accepted = client.post("/v1/timelines?job=true", content=b"no audio", headers=WAV)
    address = accepted.headers["location"]
    while client.get(address).json()["status"] != "failed":
        time.sleep(0.02)
    assert "error" in client.get(address).json()
    refused(client.get(f"{address}/result"), 415, "unsupported_media")


def test_jobs_are_seen_by_their_owner_alone(serve, speech):
    client = serve(keys=("one", "two"))
    one, two = {"X-API-Key": "one"}, {"Authorization": "Bearer two"}
    address = client.post("/v1/timelines?job=true", content=speech, headers=WAV | one).headers["location"]
    assert client.get(address, headers=one).status_code == 200
    refused(client.get(address, headers=two), 404, "not_found")


BAD_OPTIONS = [
    {"labels": ["bored"]},
    {"labels": ["sad", "sad"]},
    {"top_k": 0},
    {"top_k": "many"},
    {"uncertain_below": 2},
    {"uncertain_below": "nan"},
    {"unknown": 1},
    {"window_s": 600},
]


@pytest.mark.parametrize("options", BAD_OPTIONS)
@pytest.mark.parametrize("path", ["/v1/predictions", "/v1/timelines"])
def test_invalid_options_are_refused_wherever_they_are(client, speech, path, options):
    refused(client.post(path, content=speech, headers=WAV, params=options), 422, "invalid")
    refused(client.post(path, files={"file": speech}, data=options), 422, "invalid")


@pytest.mark.parametrize("options", [{"hop_s": 2.5, "window_s": 2.0}, {"window_s": 7.0}, {"channels": "left"}])
def test_invalid_cuts_are_refused(client, speech, options):
    refused(client.post("/v1/timelines", content=speech, headers=WAV, params=options), 422, "invalid")


def test_a_format_that_cannot_be_given_is_refused(client, speech):
    refused(client.post("/v1/timelines", content=speech, headers=WAV | {"Accept": "image/png"}), 406, "not_acceptable")


def test_a_recording_that_is_too_long_is_refused(serve, speech):
    client = serve(minutes=0.05)
    refused(client.post("/v1/timelines", content=speech, headers=WAV), 413, "too_large")


def test_the_model_is_described(client):
    assert client.get("/v1/models").json() == {"models": [MODEL]}


def test_a_failure_of_the_network_is_an_error_of_the_service(client, predictor, monkeypatch, speech):
    monkeypatch.setattr(predictor, "_backend", lambda values, mask: {}["missing"])
    refused(client.post("/v1/predictions", content=speech, headers=WAV), 500, "internal")
    monkeypatch.undo()
    assert client.post("/v1/predictions", content=speech, headers=WAV).status_code == 200


def test_channels_are_speakers_where_asked_for(client, spoken):
    left, right = spoken[0], spoken[1]
    both = np.zeros((left.size + right.size, 2), np.float32)
    both[: left.size, 0], both[left.size :, 1] = left, right
    body = {"audio": base64.b64encode(wav(both)).decode(), "channels": "each"}
    timeline = json.loads(client.post("/v1/timelines", json=body).text)
    assert [segment["channel"] for segment in timeline["segments"]] == [0, 1]
