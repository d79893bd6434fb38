from inference.timeline.live_console import format_event
from tests.conftest import TASKS

EMOTION = [{"label": "happy", "score": 0.5}, {"label": "sad", "score": 0.5}]


def test_hops_and_segments_have_lines_and_the_others_none():
    hop = format_event({"event": "hop", "time_s": 2.0, "speech": True, "emotion": EMOTION}, TASKS[0])
    assert "2.0" in hop
    assert "happy 0.50" in hop
    assert hop.count("█") == hop.count("·") == 12
    silent = format_event({"event": "hop", "time_s": 2.0, "speech": False}, TASKS[0])
    assert "happy" not in silent
    segment = {"event": "segment_end", "start_s": 1.0, "end_s": 2.5, "emotion": EMOTION}
    assert "1.0 to 2.5 s: happy" in format_event(segment, TASKS[0])
    assert format_event({"event": "speech_start", "start_s": 1.0}, TASKS[0]) is None


def test_a_number_is_shown_with_its_unit():
    hop = {"event": "hop", "time_s": 2.0, "speech": True, "f0_mean": {"value": 123.456, "unit": "Hz"}}
    assert "123.5 Hz" in format_event(hop, TASKS[2])
