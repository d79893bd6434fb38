"""The page as visitors have it: `app.py` in a process of its own, in a real browser and through Gradio's client."""

import csv
import importlib.util
import io
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import soundfile

from inference.examples import EXAMPLES, write_examples
from modeling import SpeechEmotionPipeline, load_checkpoint
from tests.conftest import ROOT, voice

pytest.importorskip("gradio", reason="Gradio is not installed")
from gradio_client import Client, handle_file

MAX_S, MAX_MB = 30, 2


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> Path:
    """Six sentences with pauses, 14 s long."""
    files = write_examples(tmp_path_factory.mktemp("speech"))
    if not files:
        pytest.skip("eSpeak NG is not installed, and nothing else here speaks")
    return next(iter(files.values()))


@pytest.fixture(scope="module")
def clip(speech) -> Path:
    """The first sentence, which the model hears as a whole."""
    sound, rate = soundfile.read(speech)
    soundfile.write(speech.parent / "clip.wav", sound[: round(2.4 * rate)], rate)
    return speech.parent / "clip.wav"


class App:
    """`app.py` in a process of its own, with a folder of its own for temporary files."""

    def __init__(self, checkpoint: Path, temporary: Path):
        self.temporary = temporary
        self.process = subprocess.Popen(
            [
                sys.executable,
                "app.py",
                "--model",
                checkpoint,
                "--max_minutes",
                str(MAX_S / 60),
                "--max_mb",
                str(MAX_MB),
            ],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.log = []
        for line in self.process.stdout:
            self.log.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.url = found[0]
                return
        raise AssertionError("".join(self.log))

    def end(self) -> str:
        """Ends the process as a supervisor does, and returns all that it printed."""
        self.process.send_signal(signal.SIGTERM)
        return "".join(self.log) + self.process.communicate(timeout=30)[0]


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
        pytest.skip("there is no Chromium")
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
    """Opens the page at a width; at the end, it must have asked nothing of any other machine, and raised nothing."""
    contexts, requests, refused, errors = [], [], [], []

    def open_page(width=1280):
        context = browser.new_context(viewport={"width": width, "height": 844}, permissions=["microphone"])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)  # on a machine that does much else
        page.on("request", lambda request: requests.append(request.url))
        page.on("response", lambda response: refused.append(response.url) if response.status >= 400 else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(app.url)
        page.get_by_role("heading", name="How is it said?").wait_for()
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
    assert page.locator(".card dd").nth(1).inner_text().endswith("Hz")
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
    assert {*texts} == {"json", "csv", "srt", "vtt", "rttm", "TextGrid", "txt"}
    assert len(json.loads(texts["json"])["segments"]) == parts.count()
    assert len([*csv.DictReader(io.StringIO(texts["csv"]))]) == parts.count()
    assert texts["srt"].count(" --> ") == parts.count()
    assert len(texts["rttm"].splitlines()) == parts.count()


def test_a_phone_shows_it_all_and_says_what_is_wrong(visit, speech, app, tmp_path):
    page = visit(390)
    assert not is_too_wide(page)
    page.get_by_role("button", name=speech.stem).click()  # an example
    parts = page.locator(".recording .part")
    parts.first.wait_for()
    assert not is_too_wide(page)
    check_that_a_click_plays(page, parts.nth(3), float(parts.nth(3).get_attribute("data-start")))
    (tmp_path / "notes.wav").write_bytes(b"no sound")
    send(page, tmp_path / "notes.wav")
    page.get_by_role("alert").get_by_text("notes.wav: not an audio or video file").wait_for()
    assert page.locator(".bar").count() == 0
    assert not is_too_wide(page)
    page.locator("#upload").get_by_role("button", name="Clear").click()
    (tmp_path / "large.wav").write_bytes(bytes(MAX_MB * 1_000_000 + 100_000))
    send(page, tmp_path / "large.wav")
    page.get_by_text("exceed the maximum allowed size").wait_for()
    assert [path for path in app.temporary.rglob("*") if path.is_file() and path.stat().st_size > 1e6] == []


def test_the_microphone_is_heard_and_the_settings_count(visit):
    page = visit()
    microphone = page.locator("#microphone")
    microphone.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_function("/0:0[4-9]/.test(document.querySelector('#microphone').innerText)")  # seconds recorded
    microphone.get_by_role("button", name="Stop", exact=True).click()
    page.locator(".recording .part").first.wait_for()
    heard = re.match(r"([\d.]+) s, of which \d", page.locator(".recording header p").inner_text())
    assert float(heard.group(1)) >= 4
    page.locator("#settings > button").click()
    page.get_by_role("checkbox", name="angry").uncheck()
    page.get_by_role("spinbutton", name="Uncertain").fill("0.99")
    page.get_by_role("button", name="Again with these settings").click()
    page.locator(".part.uncertain").first.wait_for()
    assert {*page.locator(".bar .label").all_inner_texts()} == {"happy", "sad"}


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
    assert "not an audio or video file" in rows.nth(1).inner_text()
    assert page.locator(".several h2").inner_text() == "3 files, 1 of them not readable"
    with page.expect_download() as download:
        page.locator(".downloads a", has_text="csv").click()
    with Path(download.value.path()).open(encoding="utf-8") as file:
        table = [*csv.DictReader(file)]
    assert [row["file"] for row in table] == [clip.name, "notes.wav", speech.name]
    assert float(table[0]["emotion_angry"]) <= float(table[0]["emotion_score"])
    assert table[1]["error"]
    page.set_viewport_size({"width": 390, "height": 844})
    assert not is_too_wide(page)


@pytest.fixture(scope="module")
def client(app):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")  # it wants to be told twice
        return Client(app.url, verbose=False, analytics_enabled=False)


def test_programs_get_the_pipelines_answer(client, clip, checkpoint):
    shown, answer = client.predict(handle_file(str(clip)), api_name="/recognise")
    assert 'class="recording"' in shown
    assert answer["segments"]
    model, feature_extractor = load_checkpoint(checkpoint)
    expected = SpeechEmotionPipeline(model, feature_extractor=feature_extractor, vad=False)(str(clip))
    scores = [{entry["label"]: entry["score"] for entry in one["emotion"]} for one in (answer, expected)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)
    assert answer["f0_mean"]["value"] == pytest.approx(expected["f0_mean"]["value"], abs=1e-3)
    _, rows = client.predict([handle_file(str(clip))] * 2, api_name="/recognise_several")
    assert [row["emotion"][0]["score"] for row in rows] == pytest.approx([max(scores[1].values())] * 2, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "sound", "says"),
    [
        ("empty.mp3", b"", "empty.mp3: not an audio or video file: it is empty."),
        ("long.flac", voice(MAX_S + 1, 150), "The recording is 31 s long, this page takes 30 s: use predict.py."),
        ("nan.wav", np.full(16_000, np.nan), "nan.wav: 16000 of 16000 samples are NaN or infinite."),
        ("silence.wav", np.zeros(32_000), None),
    ],
)
def test_what_cannot_be_recognised_is_said(client, tmp_path, name, sound, says):
    if isinstance(sound, bytes):
        (tmp_path / name).write_bytes(sound)
    else:
        soundfile.write(tmp_path / name, sound, 16_000, subtype="FLOAT" if name.endswith("wav") else None)
    shown, answer = client.predict(handle_file(str(tmp_path / name)), api_name="/recognise")
    if says:
        assert answer == {"file": name, "error": says}
        assert says in shown
    else:
        assert answer == {"file": name, "duration_s": 2.0, "speech_s": 0.0, "segments": []}
        assert "Nobody was heard to speak" in shown


def test_no_file_of_the_server_or_of_another_visitor_is_given_out(app, client, checkpoint, clip):
    client.predict(handle_file(str(clip)), api_name="/recognise")
    (uploads,) = app.temporary.glob("recordings-*/uploads")
    examples = [*uploads.parent.glob("*.wav")]  # which do not grow old
    assert len(examples) == len(EXAMPLES)
    for path in (uploads, *examples, checkpoint / "config.json", ROOT / "pyproject.toml", "/etc/passwd"):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"{app.url}/gradio_api/file={urllib.parse.quote(str(path))}")
        assert error.value.code in (403, 404)
    names = {path.parent.name for path in uploads.rglob(clip.name)}
    assert names
    assert all(re.fullmatch(r"[0-9a-f]{64}", name) for name in names)  # nobody guesses these


def test_where_a_space_finds_its_model(tmp_path, monkeypatch):
    find_model = runpy.run_path(str(ROOT / "app.py"))["_find_model"]
    monkeypatch.delenv("SER_MODEL", raising=False)
    (tmp_path / "README.md").write_text("# No Space\n")
    with pytest.raises(ValueError, match="Which checkpoint"):
        find_model(tmp_path)
    (tmp_path / "README.md").write_text("---\nsdk: gradio\nmodels:\n- team/ser\n---\n# A Space\n")
    assert find_model(tmp_path) == "team/ser"
    (tmp_path / "model").mkdir()
    assert find_model(tmp_path) == str(tmp_path / "model")
    monkeypatch.setenv("SER_MODEL", "team/other")
    assert find_model(tmp_path) == "team/other"


@pytest.mark.parametrize(
    ("words", "says"),
    [(["--model", "{}/nowhere"], "nowhere is not a checkpoint"), (["--max_minutes", "0"], "expected a number above 0")],
)
def test_what_cannot_start_is_a_line(tmp_path, monkeypatch, capsys, words, says):
    monkeypatch.setattr(sys, "argv", ["app.py", *(word.format(tmp_path) for word in words)])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
    assert says in f"{end.value.code} {capsys.readouterr().err}"


def test_without_gradio_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["app.py"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"pip install -e '.\[page\]'"):
        runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
