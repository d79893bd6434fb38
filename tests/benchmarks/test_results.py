import json
import subprocess
import sys
from dataclasses import replace

import pytest

from benchmarks import results
from benchmarks.__main__ import CLAIMS, add, main, measure
from benchmarks.machine import this_machine
from benchmarks.measure import Line
from benchmarks.rates import Rate
from benchmarks.results import (
    FOLDER,
    PAGE,
    Results,
    Stamp,
    current_stamp,
    format_figure,
    format_page,
    read_results,
    write_page,
    write_results,
)
from tests.conftest import ROOT
from tests.support.machines import machine

MONDAY, TUESDAY = Stamp("a" * 40, "2026-01-05"), Stamp("b" * 40 + "-dirty", "2026-01-06")


def line(claim="faster", value=1.5, **fields) -> Line:
    return Line(
        claim, fields.pop("peer", "slower"), value, value - 0.5, value + 0.5, fields.pop("target", 2.0), **fields
    )


def cells(page: str) -> dict[str, list[str]]:
    """The cells of each row of the table of claims, by the first one."""
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in page.splitlines() if row.startswith("|")]
    return {first: rest for first, *rest in rows}


def test_lines_of_a_benchmark_replace_its_own_and_leave_the_others():
    before = Results(machine(), {}).updated("training", [line("a"), line("b")], MONDAY)
    before = before.updated("memory", [line("c")], MONDAY)
    after = before.updated("training", [line("a", 3.0), line("d")], TUESDAY)
    found = {measured.line.claim: (measured.line.value, measured.stamp) for measured in after.lines}
    assert found == {"a": (3.0, TUESDAY), "d": (1.5, TUESDAY), "c": (1.5, MONDAY)}


def test_results_are_read_as_they_were_written(tmp_path):
    gpu = {"device": "a card", "rates": [], "commit": "c", "date": "d"}
    written = Results(machine(limit="AVX2"), {"torch": "2"}, (), gpu).updated("lora", [line(target=None)], TUESDAY)
    write_results(written, tmp_path / "x.json")
    assert read_results(tmp_path / "x.json") == written


def test_a_row_has_the_figures_of_every_processor_and_none_where_it_was_not_measured():
    first = Results(machine(), {}).updated("memory", [line("small")], MONDAY)
    first = first.updated("training", [line("fast", 2.5)], MONDAY)
    second = Results(machine(processor="Other"), {}).updated("training", [line("fast", 1.5), line("new")], TUESDAY)
    page = format_page([first, second], CLAIMS)
    found = cells(page)
    assert [*found][2:] == ["fast", "new", "small"]  # in the order of the benchmarks
    assert found["claim"][1:] == [first.machine.kind, second.machine.kind]
    assert found["fast"] == ["slower", format_figure(line(value=2.5)), format_figure(line(value=1.5))]
    assert found["new"][1] == found["small"][2] == ""


def test_the_same_claim_beside_another_peer_is_another_row():
    measured = Results(machine(), {}).updated("lora", [line(peer="p"), line(peer="q")], MONDAY)
    rows = [row for row in format_page([measured], CLAIMS).splitlines() if row.startswith("| faster")]
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("fields", "signs"),
    [
        ({"value": 2.5}, ("2.5 ×", "(2–3)", "≥ 2", "met")),
        ({"value": 1.5}, ("1.5 ×", "≥ 2", "**not met**")),
        ({"value": 1.5, "at_least": False, "unit": " GB"}, ("1.5 GB", "≤ 2", "met")),
    ],
)
def test_a_figure_has_its_spread_its_target_and_whether_it_is_met(fields, signs):
    text = format_figure(line(**fields))
    assert [sign for sign in signs if sign not in text] == []
    assert ("**not met**" in text) == ("**not met**" in signs)


def test_a_figure_without_a_target_has_none():
    assert format_figure(line(target=None)) == "1.5 × (1–2)"


def test_notes_have_the_commit_and_the_date_of_their_line():
    measured = Results(machine(), {"torch": "2.0"}).updated("lora", [line(note="Why.")], TUESDAY)
    (note,) = (row for row in format_page([measured], CLAIMS).splitlines() if row.startswith("- **faster**"))
    assert "Why." in note
    assert f"{'b' * 7}-dirty on 2026-01-06:" in note


def test_cards_are_shown_without_a_column_of_their_hosts():
    rate = vars(Rate("a network", "training", "ours", 8, 64, 10.0, 9.0, 11.0, 40.0, 1.0, 8.0, 0.4))
    on_card = Results(
        machine(), {}, (), {"device": "a card", "rates": [rate], "commit": "c" * 40, "date": "2026-02-03"}
    )
    page = format_page([on_card, Results(machine(cores=4), {}).updated("lora", [line()], MONDAY)], CLAIMS)
    assert page.count(machine().kind) == 0
    assert "a card" in page
    assert "ccccccc on 2026-02-03" in page


def test_what_a_benchmark_wrote_is_added(tmp_path):
    before = Results(machine(), {})
    assert add(before, "lora", tmp_path / "nothing.json", MONDAY) == before
    (tmp_path / "lines.json").write_text(json.dumps([vars(line())]))
    assert add(before, "lora", tmp_path / "lines.json", MONDAY).lines[0].line == line()
    (tmp_path / "rates.json").write_text(json.dumps({"device": "a card", "rates": []}))
    gpu = add(before, "gpu", tmp_path / "rates.json", MONDAY).gpu
    assert gpu == {"device": "a card", "rates": [], **vars(MONDAY)}


def test_a_benchmark_that_fails_leaves_its_earlier_lines(tmp_path, monkeypatch):
    file = tmp_path / "x.json"
    write_results(Results(machine(), {}).updated("lora", [line("old")], MONDAY), file)

    def run(name, output, quick):
        if name == "lora":
            return "it ended"
        output.write_text(json.dumps([vars(line("new"))]))
        return ""

    monkeypatch.setattr("benchmarks.__main__.run", run)
    assert measure(["lora", "memory"], file, quick=True) == {"lora": "it ended"}
    found = read_results(file)
    assert [measured.line.claim for measured in found.lines] == ["old", "new"]
    assert found.machine == this_machine()


def test_a_quick_run_needs_a_folder_of_its_own(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.__main__.run", lambda name, output, quick: "" if quick else "not quick")
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--only", "lora"])
    with pytest.raises(SystemExit):
        main()
    assert "--output" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--output", str(tmp_path)])
    main()
    assert (tmp_path / PAGE).is_file()
    assert (tmp_path / FOLDER / f"{this_machine().slug}.json").is_file()


def test_results_alone_do_not_make_the_code_differ(tmp_path, monkeypatch):
    def git(*arguments):
        subprocess.run(["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True)

    for name in (f"benchmarks/{PAGE}", "train.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    monkeypatch.setattr(results, "_ROOT", tmp_path)
    monkeypatch.setattr(results, "versions", lambda *packages: {"commit": "c-dirty"})
    (tmp_path / "benchmarks" / PAGE).write_text("new")
    assert current_stamp().commit == "c"
    (tmp_path / "train.py").write_text("new")
    assert current_stamp().commit == "c-dirty"


def test_the_page_is_that_of_the_stored_files(tmp_path):
    stored = ROOT / "benchmarks"
    files = sorted((stored / FOLDER).glob("*.json"))
    for file in files:
        found = read_results(file)
        assert found.machine.slug == file.stem
        keys = [measured.key for measured in found.lines]
        assert len({*keys}) == len(keys)
        assert {measured.benchmark for measured in found.lines} <= {*CLAIMS}
        write_results(replace(found), tmp_path / FOLDER / file.name)
    write_page(tmp_path, CLAIMS)
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == (stored / PAGE).read_text(encoding="utf-8")
