import base64

from inference.web.api.examples import PREDICTION, TIMELINE, request_body
from inference.web.api.options import PredictionParameters
from tests.inference.web.api.conftest import MODEL


def test_the_examples_have_the_form_of_the_responses(client, speech):
    headers = {"Content-Type": "audio/wav"}
    row = client.post("/v1/predictions", content=speech, headers=headers).json()
    timeline = client.post("/v1/timelines", content=speech, headers=headers).json()
    assert set(PREDICTION) == set(row)
    assert set(TIMELINE) == set(timeline)
    assert set(TIMELINE["segments"][0]) == set(timeline["segments"][0])
    assert MODEL


def test_the_example_of_a_body_is_base64_of_a_wav_file():
    content = request_body(PredictionParameters)["requestBody"]["content"]
    assert base64.b64decode(content["application/json"]["example"]["audio"]).startswith(b"RIFF")
    assert set(PredictionParameters.model_fields) < set(content["multipart/form-data"]["schema"]["properties"])
