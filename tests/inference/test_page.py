"""How the page is put together; that it works is shown in a browser by tests/test_app.py."""

import pytest

pytest.importorskip("gradio", reason="Gradio is not installed")

from inference.page import build_page
from inference.recogniser import load_recogniser
from inference.service import Limits


@pytest.fixture(scope="module")
def config(checkpoint):
    limits = Limits(minutes=3, megabytes=7, concurrent=3, waiting=9)
    page = build_page(load_recogniser(str(checkpoint)), limits, {"An example": checkpoint / "example.wav"})
    assert page._queue.max_size == 9
    return page.get_config_file()


def test_all_that_computes_waits_in_one_line(config):
    calls = [call for call in config["dependencies"] if call["backend_fn"]]
    assert len(calls) == 5  # upload, microphone, again, example, several
    assert all(call["queue"] is not False for call in calls)


def test_programs_see_two_calls(config):
    public = {call["api_name"] for call in config["dependencies"] if call["api_visibility"] == "public"}
    assert public == {"recognise", "recognise_several"}


def test_it_says_its_limits_and_asks_nobody_for_anything(config):
    texts = [part["props"].get("value") for part in config["components"] if part["type"] == "html"]
    assert any("up to 3 min and 7 MB" in text and "deleted after 10 min" in text for text in texts)
    assert config["analytics_enabled"] is False


def test_settings_are_the_models(config):
    labels = next(part["props"] for part in config["components"] if part["type"] == "checkboxgroup")
    assert labels["value"] == ["angry", "happy", "sad"]
    sliders = [part["props"] for part in config["components"] if part["type"] == "slider"]
    assert sliders[1]["maximum"] == 6  # seconds that the model hears
