import json
import sys

import pytest

from benchmarks.measure import Laps, Line, command_line, race, ratio, spread
from tests.support.documents import numbers


def counting():
    """A way whose rounds return how often it ran."""
    runs = []

    def run():
        runs.append(None)
        return len(runs)

    return run


def dying():
    raise ValueError("no such thing")


@pytest.mark.slow
def test_ways_run_in_turns_each_in_a_process_of_its_own():
    laps = race({"ours": counting, "theirs": counting}, budget_s=0, min_rounds=3)
    assert [lap.results for lap in laps.values()] == [[1, 2, 3], [1, 2, 3]]
    assert [len(lap.seconds) for lap in laps.values()] == [3, 3]


@pytest.mark.slow
def test_a_way_that_fails_ends_the_race(capfd):
    with pytest.raises(RuntimeError, match="'theirs'"):
        race({"ours": counting, "theirs": dying})
    assert "no such thing" in capfd.readouterr().err


def test_a_ratio_is_taken_within_rounds():
    laps = {"ours": Laps([1.0, 2.0, 1.0], [1, 1, 4]), "theirs": Laps([2.0, 6.0, 2.5], [1, 3, 1])}
    assert ratio(laps, "ours", "theirs") == {"value": 2.5, "low": 2.0, "high": 3.0}
    assert ratio(laps, "ours", "theirs", per_result=True) == {"value": 2.0, "low": 1.0, "high": 10.0}


@pytest.mark.parametrize(("at_least", "met"), [(True, [False, True, True]), (False, [True, True, False])])
def test_a_target_is_a_bound(at_least, met):
    lines = [Line("a", "b", value, value, value, 2.0, at_least) for value in (1.0, 2.0, 3.0)]
    assert [line.met for line in lines] == met


def test_lines_are_printed_and_written(tmp_path, monkeypatch, capsys):
    line = Line("faster", "slower", **spread([1.0, 3.0, 2.0]), target=2.5, note="12 clips.")
    monkeypatch.setattr(sys, "argv", ["benchmark", "--quick", "--output", str(tmp_path / "lines.json")])
    seen = []
    command_line(lambda quick: seen.append(quick) or [line], "")
    assert seen == [True]
    first, note = capsys.readouterr().out.splitlines()
    assert numbers(first) == [2, 1, 3, 2.5]
    assert [part in first for part in ("faster", "slower", "NOT MET")] == [True] * 3
    assert note.strip() == "12 clips."
    assert [Line(**entry) for entry in json.loads((tmp_path / "lines.json").read_text())] == [line]
