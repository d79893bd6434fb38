import io

import pytest

import inference.batch.console
from inference.batch.console import Progress, format_file, format_table

ROW = {
    "file": "clip.wav",
    "emotion": [{"label": "happy", "score": 0.875}, {"label": "angry", "score": 0.125}],
    "valence": {"value": -0.25, "unit": ""},
    "f0_mean": {"value": 181.26, "unit": "Hz"},
    "uncertain": False,
    "duration_s": 7.5,
    "analyzed_s": 6.0,
}
ERROR = {"file": "other.wav", "error": "not a sound"}


def test_one_file_with_all_its_outputs():
    first, *heads = format_file(ROW).splitlines()
    assert first.startswith("clip.wav: 7.50 s, 6.00 s ")
    assert [head.split() for head in heads] == [
        ["emotion", "happy", "0.875", "angry", "0.125"],
        ["valence", "-0.25"],
        ["f0_mean", "181.3", "Hz"],
        ["uncertain", "no"],
    ]
    assert format_file(ERROR) == "other.wav: not a sound"


def test_a_table_has_a_line_per_row_and_a_column_per_head():
    header, *rows = format_table([ROW, ERROR]).splitlines()
    assert header.split() == ["file", "emotion", "valence", "f0_mean", "uncertain", "duration_s", "analyzed_s", "error"]
    assert rows[0].split() == ["clip.wav", "happy", "0.88", "-0.25", "181.3", "Hz", "no", "7.50", "6.00"]
    assert rows[1].split() == ["other.wav", "not", "a", "sound"]
    for name, cell in (("emotion", "happy"), ("f0_mean", "181.3"), ("analyzed_s", "6.00")):
        assert header.index(name) == rows[0].index(cell)
    assert header.index("error") == rows[1].index("not a sound")


def test_an_unknown_duration_is_named_and_leaves_its_cell_empty():
    unknown = {**ROW, "duration_s": None}
    assert "None" not in format_file(unknown) + format_table([unknown, ROW])
    assert "6.00 s" in format_file(unknown)


def test_a_table_of_errors_alone():
    assert [line.split() for line in format_table([ERROR]).splitlines()] == [
        ["file", "error"],
        ["other.wav", "not", "a", "sound"],
    ]


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test advances them."""

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(inference.batch.console, "time", clock)
    return clock


def test_a_log_gets_a_line_now_and_then_with_rate_time_left_and_errors(clock, capsys):
    with Progress(total=100, done=40, every_s=30) as progress:
        for index in range(20):
            clock.now += 2
            progress.add(failed=index % 10 == 0)
    (line,) = capsys.readouterr().err.splitlines()
    assert all(part in line for part in ("55 of 100", "2.00s/file", "01:30", "errors=2"))


def test_a_terminal_gets_a_bar(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    with Progress(total=2) as progress:
        progress.add(failed=True)
        progress.add(failed=False)
        progress._bar.refresh()
    assert "100%" in terminal.getvalue()
    assert "errors=1" in terminal.getvalue()
    assert "\n" not in terminal.getvalue()


def test_of_a_single_file_the_part_that_is_done_counts(clock, capsys):
    with Progress(total=1, every_s=10) as progress:
        clock.now = 10
        progress.add_part(0.25)
    printed = capsys.readouterr().err
    assert "25 %" in printed
    assert "00:30" in printed


def test_only_the_first_process_shows_progress(clock, capsys):
    with Progress(total=2, shown=False, every_s=0) as progress:
        progress.add(failed=False)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("place", [{}, {"start_s": 1.0, "end_s": 2.5}, {"start_s": 1.0, "end_s": 2.5, "channel": 1}])
def test_a_table_is_as_wide_as_a_terminal_at_most(monkeypatch, place):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    scores = [{"label": "surprise", "score": 0.7}]
    # On a timeline a recording without speech has neither.
    silent = {} if place else {"emotion": [{"label": None, "score": None}], "reason": "no speech was found"}
    rows = [
        {"file": "calls/" + "a" * 90 + ".wav", **place, "emotion": scores, "uncertain": True, "speech_s": 2.0},
        {"file": "calls/silent.wav", **silent, "speech_s": 0.0},
        {"file": "calls/broken.wav", "error": "not an audio or video file that can be read " * 2},
    ]
    lines = format_table(rows, "emotion").splitlines()
    assert max(map(len, lines)) <= 80
    assert "surprise" in lines[1]
    assert lines[0].split()[0] == "file"
    assert lines[0].split()[-1] == "error"


def test_a_label_with_a_hyphen_is_not_divided_at_the_end_of_a_line():
    labels = [f"{'x' * length}-YY" for length in range(1, 13)]
    row = {"file": "a.wav", "language": [{"label": label, "score": 0.1} for label in labels]}
    text = format_file(row | {"duration_s": 1.0, "analyzed_s": 1.0})
    assert max(map(len, text.splitlines())) <= 80
    assert all(f"{label} 0.100" in text for label in labels)
