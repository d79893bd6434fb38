"""The page as visitors have it: `app.py` in a process of its own, in a real browser and through Gradio's client."""

import csv
import importlib.util
import io
import itertools
import json
import re
import runpy
import shutil
import signal
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from common.checkpoint import load_checkpoint
from common.checkpoint_name import DEFAULT_CHECKPOINT
from inference.engine.predictor import load_predictor
from inference.timeline.build import build_timeline
from inference.timeline.formats import EXPORTS
from inference.web.examples import EXAMPLES, write_examples
from modeling import SpeechEmotionPipeline
from tests.conftest import ROOT, voice
from tests.support.bad_audio import decoding_error
from tests.support.documents import numbers
from tests.support.page import MAX_MB, MAX_S, App

pytest.importorskip("gradio", reason="Gradio is not installed")
from gradio_client import Client, handle_file

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> Path:
    """Six sentences with pauses, 14 s long."""
    files = write_examples(tmp_path_factory.mktemp("speech"))
    if not files:
        pytest.skip("eSpeak NG is not installed, and nothing else here speaks")
    return next(iter(files.values()))


@pytest.fixture(scope="module")
def clip(speech) -> Path:
    """The first sentence, which fits the model as a whole."""
    sound, rate = soundfile.read(speech)
    soundfile.write(speech.parent / "clip.wav", sound[: round(2.4 * rate)], rate)
    return speech.parent / "clip.wav"


@pytest.fixture(scope="module")
def app(checkpoint, speech, tmp_path_factory):
    app = App(checkpoint, tmp_path_factory.mktemp("temporary"))
    yield app
    assert "Traceback" not in app.end()
    left = [path for path in app.temporary.rglob("*") if path.is_file() or path.name.startswith("rec")]
    assert left == []


@pytest.fixture(scope="module")
def browser(speech):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    arguments = [
        *("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
        f"--use-file-for-fake-audio-capture={speech}",
    ]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(app, browser):
    """Opens the page at a width; at the end, it must have requested nothing from other machines, and raised nothing."""
    contexts, requests, refused, errors = [], [], [], []

    def note_refusal(response):
        if response.status >= 400 and "upload_progress" not in response.url:  # of an upload that is already done
            refused.append(response.url)

    def open_page(width=1280):
        context = browser.new_context(viewport={"width": width, "height": 844}, permissions=["microphone"])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)  # on a machine that does much else
        page.on("request", lambda request: requests.append(request.url))
        page.on("response", note_refusal)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(app.url)
        page.get_by_role("heading", name="Speech emotion recognition").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert requests
    assert [url for url in requests if not url.startswith((app.url, "data:", "blob:"))] == []
    assert (refused, errors) == ([], [])


def send(page, file) -> None:
    page.locator("#upload input[type=file]").set_input_files(file)


def is_too_wide(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def check_that_a_click_plays(page, target, start_s) -> None:
    page.evaluate("document.querySelector('audio').currentTime = 0")
    target.click()
    page.wait_for_function(
        "start => { const audio = document.querySelector('audio'); "
        "return !audio.paused && audio.currentTime >= start && audio.currentTime < start + 3 }",
        arg=start_s,
    )
    page.locator(".part.now").wait_for()


def test_a_recording_has_bars_cards_a_timeline_to_click_and_exports(visit, speech):
    page = visit()
    send(page, speech)
    parts, rows = page.locator(".recording .part"), page.locator(".table tbody tr")
    parts.first.wait_for()
    assert {*page.locator(".bar .label").all_inner_texts()} == {"angry", "happy", "sad"}
    assert page.locator(".card dt").all_inner_texts() == ["Gender", "Pitch"]
    assert page.locator(".card", has_text="Pitch").locator("dd").first.inner_text().endswith("Hz")
    assert parts.count() == rows.count() >= 6  # sentences
    start_s = float(parts.nth(3).get_attribute("data-start"))
    assert start_s > 4
    check_that_a_click_plays(page, parts.nth(3), start_s)
    check_that_a_click_plays(page, rows.nth(3).locator("button"), start_s)
    assert abs(page.evaluate("document.querySelector('audio').duration") - soundfile.info(speech).duration) < 0.1
    texts = {}
    for link in page.locator(".downloads a").all():
        with page.expect_download() as download:
            link.click()
        name = download.value.suggested_filename
        texts[name.removeprefix(f"{speech.stem}.")] = Path(download.value.path()).read_text(encoding="utf-8")
    assert texts.keys() == EXPORTS.keys()
    assert page.get_by_role("link", name="Subtitles (SRT)").count() == 1
    assert len(json.loads(texts["json"])["segments"]) == parts.count()
    assert len([*csv.DictReader(io.StringIO(texts["csv"]))]) == parts.count()
    assert texts["srt"].count(" --> ") == parts.count()
    assert len(texts["rttm"].splitlines()) == parts.count()


def test_a_phone_shows_it_all_and_reports_errors(visit, speech, app, tmp_path):
    page = visit(390)
    assert not is_too_wide(page)
    page.get_by_role("button", name=speech.stem).click()  # an example
    parts = page.locator(".recording .part")
    parts.first.wait_for()
    assert not is_too_wide(page)
    check_that_a_click_plays(page, parts.nth(3), float(parts.nth(3).get_attribute("data-start")))
    (tmp_path / "notes.wav").write_bytes(b"no sound")
    send(page, tmp_path / "notes.wav")
    page.get_by_role("alert").get_by_text(f"notes.wav: {decoding_error(tmp_path / 'notes.wav')}").wait_for()
    assert page.locator(".bar").count() == 0
    assert not is_too_wide(page)
    (tmp_path / "large.wav").write_bytes(bytes(MAX_MB * 1_000_000 + 100_000))
    send(page, tmp_path / "large.wav")
    page.get_by_text(f"{MAX_MB} MB:").wait_for()  # the unit and the number that the page promises
    assert f"and {MAX_MB} MB" in page.locator(".intro").first.inner_text()
    assert [path for path in app.temporary.rglob("*") if path.is_file() and path.stat().st_size > 1e6] == []


@pytest.fixture(scope="module")
def long_speech(speech):
    """Half a minute."""
    sound, rate = soundfile.read(speech)
    soundfile.write(speech.parent / "long.flac", np.tile(sound, 3)[: (MAX_S - 1) * rate], rate)
    return speech.parent / "long.flac"


def box(page, selector):
    return page.locator(selector).first.bounding_box()


@pytest.mark.parametrize("width", [1280, 1920])
def test_the_page_is_centered_and_its_parts_line_up(visit, width):
    page = visit(width)
    main, heading, field = box(page, "main"), box(page, "h1"), box(page, "#upload")
    assert main["x"] == pytest.approx(width - main["x"] - main["width"], abs=20)  # less a scroll bar
    assert heading["x"] == pytest.approx(field["x"], abs=2)
    label, icon = box(page, "#upload [data-testid=block-label]"), box(page, "#upload [data-testid=upload-icon]")
    assert label["y"] + label["height"] <= icon["y"]
    assert page.locator("#upload").evaluate("field => parseFloat(getComputedStyle(field).borderTopWidth)") >= 1


def test_on_a_phone_the_result_is_scrolled_to_and_labels_do_not_touch(visit, long_speech):
    page = visit(390)
    send(page, long_speech)
    page.locator(".recording .part").first.wait_for()
    page.wait_for_function("document.querySelector('.recording h2').getBoundingClientRect().top < innerHeight / 2")
    zoom_in = page.locator("[data-zoom=in]")
    while True:
        labels = [label.bounding_box() for label in page.locator(".axis:not([hidden]) span:visible").all()]
        assert len(labels) > 1
        for left, right in itertools.pairwise(labels):
            assert left["x"] + left["width"] + 4 <= right["x"]
        if zoom_in.is_disabled():
            break
        zoom_in.click()
    assert not is_too_wide(page)
    assert page.locator(".chart").evaluate("chart => chart.offsetWidth > chart.parentElement.clientWidth")


def test_a_table_that_is_cut_shows_it_until_it_is_scrolled(visit, clip):
    page = visit(390)
    send(page, clip)
    hint = page.locator(".more")
    hint.wait_for()
    page.locator(".table").evaluate("table => { table.scrollLeft = table.scrollWidth }")
    hint.wait_for(state="hidden")


def test_one_upload_follows_another_and_can_be_cancelled(visit, clip, long_speech):
    page = visit()
    for file in (clip, long_speech):  # without a click on the X
        page.locator("#upload input[type=file]").wait_for(state="attached")
        send(page, file)
        page.locator(".recording h2", has_text=file.name).wait_for()
    page.route("**/queue/data*", lambda route: None)  # an answer that the browser waits for until the visitor cancels
    with page.expect_response("**/queue/join*"):
        send(page, long_speech)
    page.route("**/queue/join*", lambda route: route.abort())  # as if the queue were full
    page.locator("#cancel").click()
    page.locator("#result").get_by_text("Canceled").wait_for()
    page.locator("#cancel").wait_for(state="hidden")
    for address in ("**/queue/join*", "**/queue/data*"):
        page.unroute(address)
    send(page, clip)
    page.locator(".recording h2", has_text=clip.name).wait_for()


def test_the_microphone_is_analyzed_with_the_settings(visit):
    page = visit()
    microphone = page.locator("#microphone")
    microphone.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_function("/0:0[4-9]/.test(document.querySelector('#microphone').innerText)")  # seconds recorded
    microphone.get_by_role("button", name="Stop", exact=True).click()
    page.locator(".recording .part").first.wait_for()
    duration = re.match(r"([\d.]+) s, .*\d s", page.locator(".recording header p").inner_text())
    assert float(duration.group(1)) >= 4
    page.locator("#settings > button").click()
    page.get_by_role("checkbox", name="angry").uncheck()
    page.get_by_role("spinbutton", name="Uncertain").fill("0.99")
    page.get_by_role("button", name="Analyze again").click()
    page.locator(".part.uncertain").first.wait_for()
    assert {*page.locator(".bar .label").all_inner_texts()} == {"happy", "sad"}


@pytest.mark.parametrize("width", [390, 1280])
def test_the_live_tab_draws_the_scores_of_the_microphone(visit, width):
    page = visit(width)
    page.get_by_role("tab", name="Live").click()
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator(".live-segments li").nth(1).wait_for()
    assert page.locator(".live-chart path[data-class=angry]").get_attribute("d").count("M") >= 1
    assert re.fullmatch(r"(angry|happy|sad) \d+%|Speech|No speech", page.locator(".live-now").inner_text())
    assert not is_too_wide(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).wait_for()
    segments = page.locator(".live-segments li").all_inner_texts()
    assert all(re.fullmatch(r"[\d.]+–[\d.]+ s (angry|happy|sad)", segment) for segment in segments)


def test_several_files_are_a_table(visit, speech, clip, tmp_path):
    (tmp_path / "notes.wav").write_bytes(b"no sound")
    page = visit()
    page.get_by_role("tab", name="Several files").click()
    page.locator("#uploads input[type=file]").set_input_files([clip, tmp_path / "notes.wav", speech])
    page.locator("#uploads .file").nth(2).wait_for()
    page.locator("#start").click()
    rows = page.locator(".several tbody tr")
    rows.first.wait_for()
    assert [row.split("\t")[0].strip() for row in rows.all_inner_texts()] == [clip.name, "notes.wav", speech.name]
    assert decoding_error(tmp_path / "notes.wav") in rows.nth(1).inner_text()
    assert numbers(page.locator(".several h2").inner_text()) == [3, 1]
    with page.expect_download() as download:
        page.locator(".downloads a", has_text="csv").click()
    with Path(download.value.path()).open(encoding="utf-8") as file:
        table = [*csv.DictReader(file)]
    columns = [column for column in table[0] if column.startswith("emotion")]
    assert columns == ["emotion", "emotion_score", "emotion_angry", "emotion_happy", "emotion_sad"]
    assert [row["file"] for row in table] == [clip.name, "notes.wav", speech.name]
    assert float(table[0]["emotion_angry"]) <= float(table[0]["emotion_score"])
    assert table[1]["error"]
    page.set_viewport_size({"width": 390, "height": 844})
    assert not is_too_wide(page)


@pytest.fixture(scope="module")
def client(app):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")  # the client reads it as well
        return Client(app.url, verbose=False, analytics_enabled=False)


def test_programs_get_the_mean_of_the_segments_and_of_several_the_pipelines_output(client, clip, checkpoint):
    shown, outputs = client.predict(handle_file(str(clip)), api_name="/recognize")
    assert 'class="recording"' in shown
    segments = build_timeline(load_predictor(str(checkpoint)), clip).segments
    assert len(outputs["segments"]) == len(segments)
    seconds = [segment.end_s - segment.start_s for segment in segments]
    for name, labels in (("emotion", ("angry", "happy", "sad")), ("gender", ("female", "male"))):
        scores = np.average([segment.outputs[name] for segment in segments], axis=0, weights=seconds)
        expected = pytest.approx(dict(zip(labels, scores.tolist(), strict=True)), abs=1e-5)
        assert {entry["label"]: entry["score"] for entry in outputs[name]} == expected
        assert outputs[name][0]["label"] in {row[name][0]["label"] for row in outputs["segments"]}
    _, rows = client.predict([handle_file(str(clip))] * 2, api_name="/predict_several")
    model, feature_extractor = load_checkpoint(checkpoint)
    expected = SpeechEmotionPipeline(model, feature_extractor=feature_extractor)(str(clip))["emotion"][0]
    assert [row["emotion"][0]["score"] for row in rows] == pytest.approx([expected["score"]] * 2, abs=1e-5)


def test_the_headline_of_every_example_occurs_among_its_segments(client, tmp_path):
    for file in write_examples(tmp_path).values():
        for labels in (["angry", "happy", "sad"], ["angry", "sad"]):
            _, outputs = client.predict(handle_file(str(file)), labels, api_name="/recognize")
            assert outputs["emotion"][0]["label"] in {row["emotion"][0]["label"] for row in outputs["segments"]}
            assert sum(entry["score"] for entry in outputs["emotion"]) == pytest.approx(1)


def call_api(app, api, data):
    """What `curl` gets, with no more than the documented two requests: event and data."""
    call = f"{app.url}/gradio_api/call/{api}"
    body = json.dumps({"data": data}).encode()
    with urllib.request.urlopen(urllib.request.Request(call, body, {"Content-Type": "application/json"})) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{call}/{event}") as response:
        event_lines = re.search(r"event: (complete|error)\ndata: (.*)", response.read().decode())
    return event_lines[1], json.loads(event_lines[2])


def test_a_request_may_leave_inputs_out_and_errors_name_what_is_invalid(app, clip):
    with clip.open("rb") as file:
        [path] = httpx.post(f"{app.url}/gradio_api/upload", files={"files": file}).json()
    sent = {"path": path, "meta": {"_type": "gradio.FileData"}}
    for given in ([sent], [sent, ["sad"]], [sent, None, None, None, None]):
        event, (_, values, _) = call_api(app, "recognize", given)
        assert event == "complete"
        assert values["segments"]
        assert len(values["emotion"]) == (1 if ["sad"] in given else 3)
    _, (_, [row]) = call_api(app, "predict_several", [[sent]])
    assert row["emotion"]
    assert call_api(app, "recognize", [])[1][1]["error"]
    assert call_api(app, "predict_several", [])[1][1][0]["error"]
    for invalid in (["clip.wav"], [{**sent, "path": "clip.wav"}], [sent, "sad"], [sent, None, "half"], [sent, [], 9]):
        event, values = call_api(app, "recognize", invalid)
        assert event == "error"
        assert values["error"]
        assert str(ROOT) not in values["error"]


@pytest.mark.parametrize(
    ("name", "sound", "expected"),
    [
        ("empty.mp3", b"", "empty"),
        ("long.flac", voice(MAX_S + 1, 150), "30 s"),
        ("nan.wav", np.full(16_000, np.nan), "16000 of 16000"),
        ("silence.wav", np.zeros(32_000), None),
    ],
)
def test_what_cannot_be_recognized_is_reported(client, tmp_path, name, sound, expected):
    if isinstance(sound, bytes):
        (tmp_path / name).write_bytes(sound)
    else:
        soundfile.write(tmp_path / name, sound, 16_000, subtype="FLOAT" if name.endswith("wav") else None)
    shown, outputs = client.predict(handle_file(str(tmp_path / name)), api_name="/recognize")
    if expected:
        assert outputs.keys() == {"file", "error"}
        assert outputs["error"].startswith(name)
        assert expected in outputs["error"].removeprefix(name)
        assert outputs["error"] in shown
    else:
        assert outputs == {"file": name, "duration_s": 2.0, "speech_s": 0.0, "segments": []}
        assert "No speech" in shown


def test_no_file_of_the_server_or_of_another_visitor_is_given_out(app, client, checkpoint, clip):
    client.predict(handle_file(str(clip)), api_name="/recognize")
    (uploads,) = app.temporary.glob("recordings-*/uploads")
    examples = [*uploads.parent.glob("*.wav")]  # which do not grow old
    assert len(examples) == len(EXAMPLES)
    for path in (uploads, *examples, checkpoint / "config.json", ROOT / "pyproject.toml", "/etc/passwd"):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"{app.url}/gradio_api/file={urllib.parse.quote(str(path))}")
        assert error.value.code in (403, 404)
    names = {path.parent.name for path in uploads.rglob(clip.name)}
    assert names
    assert all(re.fullmatch(r"[0-9a-f]{64}", name) for name in names)  # these cannot be guessed


def test_where_a_space_finds_its_model(tmp_path, monkeypatch):
    find_model = runpy.run_path(str(ROOT / "app.py"))["_find_model"]
    monkeypatch.delenv("SER_MODEL", raising=False)
    (tmp_path / "README.md").write_text("# No Space\n")
    assert find_model(tmp_path) == DEFAULT_CHECKPOINT
    (tmp_path / "README.md").write_text("---\nsdk: gradio\nmodels:\n- team/ser\n---\n# A Space\n")
    assert find_model(tmp_path) == "team/ser"
    (tmp_path / "model").mkdir()
    assert find_model(tmp_path) == str(tmp_path / "model")
    monkeypatch.setenv("SER_MODEL", "team/other")
    assert find_model(tmp_path) == "team/other"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(["--model", "{}/nowhere"], "/nowhere"), (["--max_minutes", "0"], "--max_minutes")],
)
def test_what_cannot_start_is_a_line_before_anything_is_loaded(tmp_path, monkeypatch, capsys, arguments, expected):
    monkeypatch.setitem(sys.modules, "torch", None)  # to import it now fails
    monkeypatch.setattr(sys, "argv", ["app.py", *(argument.format(tmp_path) for argument in arguments)])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
    assert expected in f"{end.value.code} {capsys.readouterr().err}"


def test_without_gradio_the_error_names_what_to_install(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["app.py"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"pip install -e '.\[page\]'"):
        runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
