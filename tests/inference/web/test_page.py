"""How the page is put together; that it works is shown in a browser by tests/test_app.py."""

import pytest

pytest.importorskip("gradio", reason="Gradio is not installed")

from inference.engine.predictor import load_predictor
from inference.web.model_description import ModelDescription
from inference.web.page import build_page
from inference.web.service import Limits


@pytest.fixture(scope="module")
def config(checkpoint):
    limits = Limits(minutes=3, megabytes=7, concurrent=3, waiting=9)
    model = ModelDescription("org/<b>ser</b>", ("German", "Greek"), "weighted F1 0.86", is_synthetic=True)
    page = build_page(load_predictor(str(checkpoint)), limits, {"An example": checkpoint / "example.wav"}, model)
    assert page._queue.max_size == 9
    return page.get_config_file()


def test_all_predictions_wait_in_one_queue(config):
    calls = [call for call in config["dependencies"] if call["backend_fn"] and call["inputs"]]
    assert len(calls) == 5  # upload, microphone, again, example, several
    assert all(call["queue"] is not False for call in calls)


def test_all_predictions_can_be_canceled(config):
    (cancel,) = [call for call in config["dependencies"] if call["cancels"]]
    computes = [call["id"] for call in config["dependencies"] if call["backend_fn"] and call["inputs"]]
    assert sorted(cancel["cancels"]) == sorted(computes)


def test_programs_see_two_calls(config):
    public = {call["api_name"] for call in config["dependencies"] if call["api_visibility"] == "public"}
    assert public == {"recognize", "predict_several"}


def test_the_limits_are_shown_and_nothing_is_sent_elsewhere(config):
    texts = [part["props"].get("value") for part in config["components"] if part["type"] == "html"]
    assert any(all(limit in text for limit in ("3 min", "7 MB", "10 min")) for text in texts)
    assert config["analytics_enabled"] is False


def test_the_model_is_described(config):
    (text,) = [part["props"]["value"] for part in config["components"] if "<h1>" in str(part["props"].get("value"))]
    for text_part in ("org/&lt;b&gt;ser", "German, Greek", "weighted F1 0.86", "synthetic"):
        assert text_part in text


def test_an_unknown_model_is_described_as_not_stated(checkpoint):
    page = build_page(load_predictor(str(checkpoint)), Limits(), {}, ModelDescription("mine"))
    (text,) = [block.value for block in page.blocks.values() if "<h1>" in str(getattr(block, "value", ""))]
    assert "mine" in text
    assert text.count("not stated") == 2
    assert "synthetic" not in text


def test_settings_are_the_models(config):
    labels = next(part["props"] for part in config["components"] if part["type"] == "checkboxgroup")
    assert labels["value"] == ["angry", "happy", "sad"]
    assert labels["info"]
    sliders = [part["props"] for part in config["components"] if part["type"] == "slider"]
    assert all(slider["info"] for slider in sliders)
    assert sliders[1]["maximum"] == 6  # seconds that the model processes
