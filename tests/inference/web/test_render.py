import base64
import re

import numpy as np
import pytest

from inference.table_writers import columns
from inference.timeline.formats import EXPORTS, TimelineDocument
from inference.web.recording import PEAKS, Recording
from inference.web.render import render_note, render_recording, render_several
from modeling import OutputOptions, format_outputs
from tests.conftest import TASKS

EMOTION, _, PITCH = TASKS
DECODED = {"emotion": np.array([0.1, 0.7, 0.2]), "gender": np.array([0.25, 0.75]), "f0_mean": np.array(181.23)}


def recording(main_task=EMOTION, uncertain_below=None, **fields):
    outputs = format_outputs(TASKS, main_task, DECODED, OutputOptions(uncertain_below=uncertain_below))
    segments = [{"start_s": 2.0, "end_s": 5.0, **outputs}, {"start_s": 8.0, "end_s": 10.0, **outputs}]
    segments = fields.pop("segments", segments)
    times = {key: fields.get(key, value) for key, value in (("duration_s", 10.0), ("speech_s", 5.0))}
    table = columns(TASKS, main_task, OutputOptions(uncertain_below=uncertain_below), timeline=True, channel=False)
    timeline = TimelineDocument("clip.wav", **times, segments=segments, columns=table)
    its = {"name": "clip.wav", "duration_s": 10.0, "speech_s": 5.0, "outputs": outputs}
    peaks = np.linspace(0, 1, PEAKS)
    return Recording(**{**its, "timeline": timeline, "peaks": peaks, "sound": b"sound", **fields})


def decode(address):
    return base64.b64decode(address.partition("base64,")[2])


def cards(html):
    found = re.findall(r'<div class="card"><dt>(.*?)</dt>(.*?)</div>', html, re.DOTALL)
    return {title: re.findall(r"<dd>(.*?) <small>(.*?)</small>", values) for title, values in found}


def gendered(label, score, **times):
    other = {"female": "male", "male": "female"}[label]
    outputs = format_outputs(TASKS, EMOTION, DECODED)
    return {**times, **outputs, "gender": [{"label": label, "score": score}, {"label": other, "score": 1 - score}]}


def test_a_conversation_of_two_has_no_single_gender():
    segments = [gendered("male", 0.6, start_s=2.0, end_s=3.0), gendered("female", 0.9, start_s=8.0, end_s=12.0)]
    html = render_recording(recording(segments=segments, duration_s=12.0), TASKS, EMOTION)
    assert cards(html)["Gender"] == [("female", "80%"), ("male", "20%")]


@pytest.mark.parametrize(("seconds", "zooms"), [(10, [1]), (45, [1, 2, 4]), (600, [1, 2, 4, 8, 16, 32])])
def test_a_long_timeline_can_be_zoomed_and_has_an_axis_for_each_width(seconds, zooms):
    html = render_recording(recording(duration_s=float(seconds)), TASKS, EMOTION)
    axes = re.findall(r'<div class="axis" data-of="(\d+)"(.*?)>(.*?)</div>', html, re.DOTALL)
    assert [int(zoom) for zoom, _, _ in axes] == zooms
    assert [rest.endswith(" hidden") for _, rest, _ in axes] == [zoom > 1 for zoom in zooms]
    for zoom, _, labels in axes:
        assert 2 <= labels.count("<span") <= 6 * int(zoom) + 1
    assert ("data-zoom" in html) == (len(zooms) > 1)


def test_bars_have_the_scores_and_cards_the_other_heads():
    html = render_recording(recording(), TASKS, EMOTION)
    labels = re.findall(r'class="label">(\w+)<', html)
    assert labels == ["happy", "sad", "angry"]
    assert re.findall(r"--share: ([\d.]+)%", html) == ["70.0", "20.0", "10.0"]
    assert cards(html) == {"Gender": [("male", "75%")], "Pitch": [("181", "Hz")]}
    assert re.search(r"<p>10 s, .*5 s", html)


def test_segments_lie_where_they_are_in_the_recording():
    html = render_recording(recording(), TASKS, EMOTION)
    assert re.findall(r"left: ([\d.]+)%; width: ([\d.]+)%", html) == [("20.0", "30.0"), ("80.0", "20.0")]
    assert re.findall(r'class="part[^"]*"\s+data-start="([\d.]+)" data-end="([\d.]+)"', html) == [
        ("2.0", "5.0"),
        ("8.0", "10.0"),
    ]
    assert 'aria-label="Listen: happy 70%, 0:02.0 to 0:05.0"' in html
    paths = dict(re.findall(r'<path fill="(#\w+)" d="(.*?)"', html))
    bars = {tone: path.count("M") for tone, path in paths.items()}
    assert sorted(bars.values()) == [PEAKS // 2, PEAKS // 2]  # 5 of 10 s are speech


def test_what_is_uncertain_is_labeled_and_hatched():
    html = render_recording(recording(uncertain_below=0.8), TASKS, EMOTION)
    assert html.count('class="part uncertain"') == 2
    assert re.search(r"<h3>[^<]*uncertain</h3>", html)


def test_sound_and_exports_are_within_the_page():
    html = render_recording(recording(), TASKS, EMOTION)
    assert decode(re.search(r'<audio[^>]*src="(data:audio/mpeg;base64,[^"]*)"', html)[1]) == b"sound"
    downloads = dict(re.findall(r'download="([^"]*)" href="([^"]*)"', html))
    assert "Subtitles (SRT)" in re.findall(r"download=[^>]*>(.*?)</a>", html)
    assert {*downloads} == {f"clip.{suffix}" for suffix in EXPORTS}
    assert "00:00:02,000 --> 00:00:05,000" in decode(downloads["clip.srt"]).decode()


def test_a_number_as_main_task_is_a_card_and_one_lane():
    html = render_recording(recording(main_task=PITCH), TASKS, PITCH)
    assert 'class="bar"' not in html
    assert html.count("--lane: 0") == 2
    assert cards(html)["Emotion"] == [("happy", "70%")]
    assert "Pitch" in cards(html)


def test_where_nobody_speaks_there_is_an_outline_and_no_emotion():
    html = render_recording(recording(segments=[], outputs={}, speech_s=0.0), TASKS, EMOTION)
    assert "No speech" in html
    assert "<path" in html
    assert not re.search(r'class="(bar|card|part|downloads)"', html)


@pytest.mark.parametrize("render", [lambda name: render_recording(recording(name=name), TASKS, EMOTION), render_note])
def test_names_are_text(render):
    html = render('"><script>alert(1)</script>.wav')
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_several_files_have_a_title_and_downloads():
    rows = [
        {"file": "a.wav", **recording().outputs, "duration_s": 3.0, "analyzed_s": 3.0},
        {"file": "b", "error": "no"},
    ]
    html = render_several(rows, TASKS, EMOTION, {"emotions.csv": "file\n"})
    assert "2 files, 1 " in html
    assert re.findall(r'download="(.*?)"', html) == ["emotions.csv"]
