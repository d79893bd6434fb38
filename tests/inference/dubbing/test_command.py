import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from inference.dubbing.__main__ import WRITERS, format_check, main, timecode
from inference.dubbing.alignment import Alignment
from inference.dubbing.compare import DubCheck, Limits
from tests.conftest import ROOT
from tests.support.documents import numbers
from tests.support.films import write_films


def row(status, start_s, why="", **more):
    times = {"source_start_s": start_s, "source_end_s": start_s + 1, "dub_start_s": start_s + 1, "dub_end_s": 9.0}
    return {"status": status, **times, "reason": why, **more} if why or more else {"status": status, **times}


CHECK = DubCheck(
    Alignment(offset_s=0.8, drift=0.001, correlation=0.8, confidence=0.9),
    Limits(),
    {"emotion": 0.2, "pitch": 5.0, "energy": -1.0},
    [
        row("differs", 3661.5, "angry 0.91 in the dub, neutral 0.85 in the source; energy +8.0 dB", score=5.0),
        row("differs", 4.0, "pitch -3.2 semitones", score=3.0),
        row("missing in the dub", 8.0),
        row("fits", 12.0, pitch_difference=None, score=0.1),
    ],
)


@pytest.fixture
def run(monkeypatch):
    """Runs the command in this process."""

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["compare", *map(str, args)])
        main()

    return run


def test_times_are_timecodes():
    assert [timecode(seconds) for seconds in (0, 3661.5, 59.9996, -1.25)] == [
        "00:00:00.000",
        "01:01:01.500",
        "00:01:00.000",
        "-00:00:01.250",
    ]


def test_the_worst_lines_with_both_times_and_why():
    text = format_check(CHECK, worst=10)
    alignment, counts, *_ = text.splitlines()
    assert all(part in alignment for part in ("+0.800 s", "+0.1000%", "0.90"))
    assert numbers(counts) == [3, 2, 1, 0]
    assert [line.split(maxsplit=3) for line in text.splitlines()[-3:]] == [
        ["1", "01:01:01.500", "01:01:02.500", CHECK.rows[0]["reason"]],
        ["2", "00:00:04.000", "00:00:05.000", "pitch -3.2 semitones"],
        ["3", "00:00:08.000", "00:00:09.000", "missing in the dub"],
    ]
    assert len(format_check(CHECK, worst=1).splitlines()) == len(text.splitlines()) - 2


def test_the_files_hold_every_line(tmp_path):
    WRITERS[".json"](CHECK, tmp_path / "check.json")
    content = json.loads((tmp_path / "check.json").read_text())
    assert content["lines"] == CHECK.rows
    assert content["alignment"]["offset_s"] == 0.8
    assert content["limits"] == {"emotion": 0.3, "pitch": 3.0, "energy": 6.0}
    WRITERS[".csv"](CHECK, tmp_path / "check.csv")
    table = pd.read_csv(tmp_path / "check.csv")
    assert table["status"].tolist() == [row["status"] for row in CHECK.rows]
    assert table["reason"][0] == CHECK.rows[0]["reason"]


@pytest.mark.slow
def test_the_command_compares_two_files(run, capsys, checkpoint, takes, tmp_path):
    source, dub, starts = write_films(tmp_path, takes, minutes=1, offset_s=0.8, drift=0.001)
    run(source, dub, "--model", checkpoint, "--output", tmp_path / "check.json", "--worst", 2)
    printed = capsys.readouterr().out
    assert numbers(printed.splitlines()[1])[0] == len(starts)
    assert all(part in printed.splitlines()[-1] for part in (f" {len(starts)} ", str(tmp_path / "check.json")))
    assert len(json.loads((tmp_path / "check.json").read_text())["lines"]) == len(starts)


@pytest.mark.parametrize("output", ["check.txt", "nowhere/check.csv"])
def test_an_output_that_cannot_be_written_is_refused_at_once(output):
    command = [*"-m inference.dubbing a.wav b.wav --model none --output".split(), output]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert output.split("/")[0] in done.stderr


@pytest.mark.parametrize(
    ("args", "data"),
    [
        ([], "silence.wav"),
        (["--energy_limit", "-1"], "energy"),
    ],
)
def test_an_error_ends_the_command_with_its_message(run, checkpoint, tmp_path, args, data):
    soundfile.write(tmp_path / "silence.wav", np.zeros(32_000), 16_000)
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path / "silence.wav", tmp_path / "silence.wav", "--model", checkpoint, *args)
    assert str(stopped.value).startswith("inference.dubbing: ")
    assert data in str(stopped.value)
