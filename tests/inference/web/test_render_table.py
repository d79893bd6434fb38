import re

from inference.web.render_table import render_table
from tests.conftest import TASKS

PREDICTION = {
    "emotion": [{"label": "sad", "score": 0.9}, {"label": "happy", "score": 0.1}],
    "f0_mean": {"value": 181.2, "unit": "Hz"},
}


def cells(html):
    return [
        [" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)]
        for row in re.findall(r"<tr>.*?</tr>", html, re.DOTALL)
    ]


def test_a_segment_is_a_row_with_a_time_to_click():
    rows = [
        {"start_s": 1.23456, "end_s": 2.5, **PREDICTION},
        {"start_s": 61.0, "end_s": 63.0, **PREDICTION, "uncertain": True},
    ]
    html = render_table(rows, TASKS, TASKS[0])
    assert cells(html) == [
        ["From", "To", "Emotion", "Pitch"],
        ["0:01.2", "0:02.5", "sad 90%", "181 Hz"],
        ["1:01.0", "1:03.0", "sad 90%, uncertain", "181 Hz"],
    ]
    assert re.findall(r'data-start="([\d.]+)"', html) == ["1.235", "61.0"]


def test_a_file_that_cannot_be_read_is_a_row_with_its_error():
    rows = [
        {"file": "bad.wav", "error": "no audio"},
        {"file": "a.wav", **PREDICTION, "duration_s": 7.5, "analyzed_s": 6.0},
    ]
    html = render_table(rows, TASKS, TASKS[0])
    assert cells(html) == [
        ["File", "Emotion", "Pitch", "Length", "Analyzed"],
        ["bad.wav", "no audio"],
        ["a.wav", "sad 90%", "181 Hz", "7.5 s", "6 s"],
    ]
    assert 'colspan="4"' in html


def test_what_a_visitor_called_a_file_is_text():
    html = render_table([{"file": "<img src=x onerror=alert(1)>", "error": "<b>"}], TASKS, TASKS[0])
    assert "<img" not in html
    assert "&lt;img" in html
    assert "&lt;b&gt;" in html


def test_columns_have_one_order_and_what_is_missing_is_shown_as_unknown():
    silent = {"file": "room.wav", "duration_s": None, "speech_s": 0.0, "analyzed_s": 2.0}
    spoken = {"file": "a.wav", **PREDICTION, "duration_s": 7.5, "speech_s": 3.0, "analyzed_s": 6.0}
    for rows in ([silent, spoken], [spoken, silent]):
        table = cells(render_table(rows, TASKS, TASKS[0]))
        assert table[0] == ["File", "Emotion", "Pitch", "Length", "Speech", "Analyzed"]
        assert ["room.wav", "–", "–", "–", "0 s", "2 s"] in table
