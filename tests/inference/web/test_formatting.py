import pytest

from inference.web.formatting import (
    TONES,
    clock,
    format_duration,
    format_value,
    lane_of,
    lanes_of,
    meaning_of,
    title_of,
    tone_of,
)
from modeling import Task
from tests.conftest import TASKS

EMOTION, _, PITCH = TASKS


def luminance(tone):
    channels = [int(tone[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(share * value for share, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("tone", TONES)
def test_a_tone_is_seen_on_white_and_on_the_dark_themes_panel(tone):
    for background in ("#ffffff", "#1e293b"):
        low, high = sorted((luminance(tone), luminance(background)))
        assert (high + 0.05) / (low + 0.05) >= 3, background


def test_a_class_has_its_lane_and_its_tone():
    row = {"emotion": [{"label": "sad", "score": 0.9}, {"label": "happy", "score": 0.1}]}
    assert lanes_of(EMOTION) == ("angry", "happy", "sad")
    assert lane_of(row, EMOTION) == "sad"
    assert tone_of("sad", EMOTION) == TONES[2]
    many = Task("emotion", "classification", "emotion", labels=tuple(str(index) for index in range(30)))
    assert {tone_of(label, many) for label in many.labels} == {*TONES}


def test_a_number_has_one_lane():
    row = {"f0_mean": {"value": 181.234, "unit": "Hz"}}
    assert lanes_of(PITCH) == (lane_of(row, PITCH),) == ("Pitch",)
    assert format_value("f0_mean", row["f0_mean"]) == ("181", "Hz")


def test_a_share_is_a_percentage_and_a_missing_unit_is_stated():
    assert format_value("voiced_ratio", {"value": 0.634, "unit": ""})[0] == "63%"
    assert "no unit" in meaning_of(Task("energy_mean", "regression", "energy_mean"))
    for task in (Task("energy_mean", "regression", "energy_mean", unit="dB"), Task("voiced_ratio", "regression", "v")):
        assert meaning_of(task)
        assert "no unit" not in meaning_of(task)
    assert format_value("energy_mean", {"value": -23.45, "unit": "dB"}) == ("-23.4", "dB")
    assert meaning_of(EMOTION) == meaning_of(Task("my_own", "regression", "my_own")) == ""


def test_unknown_tasks_are_called_by_their_names():
    assert [title_of(name) for name in ("voiced_ratio", "arousal", "my_own_task")] == [
        "Voiced share",
        "Arousal",
        "My own task",
    ]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(2, "2 s"), (9.54, "9.5 s"), (59.97, "1 min"), (65, "1 min 5 s"), (600, "10 min"), (4500, "75 min")],
)
def test_durations_are_formatted(seconds, expected):
    assert format_duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "decimals", "expected"),
    [(7.46, 1, "0:07.5"), (59.96, 1, "1:00.0"), (754.2, 0, "12:34"), (3723.44, 1, "1:02:03.4"), (7325, 0, "2:02:05")],
)
def test_a_time_is_read_from_a_clock(seconds, decimals, expected):
    assert clock(seconds, decimals) == expected
