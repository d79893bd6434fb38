import json

import pytest

from preprocessing.corpora import CORPORA
from preprocessing.prepared.table1 import PAPER_DURATION_S, PAPER_TOTALS, build_table1, format_table1, write_table1
from tests.support.documents import numbers


def summary(kept: int, locale: str = "en-US", seconds: float = 4.0, **counts) -> dict:
    return {
        "kept": kept,
        "mean_duration_s": seconds,
        "emotion": counts.get("emotion", {"happy": kept}),
        "gender": counts.get("gender", {"male": kept}),
        "locale": {locale: kept},
    }


REPORT = {
    "corpora": {
        "ravdess": summary(2450, seconds=4.09, emotion={"happy": 2000, "sad": 450}),
        "enterface05": summary(1293, seconds=3.17),
        "mine": summary(10, "sv-SE", emotion={"bored": 10}, gender={"None": 10}),
        "empty": {"kept": 0, "skipped": {"shorter than 0.5 s": 3}},
    }
}


def test_the_papers_figures_add_up():
    paper = {name: corpus for name, corpus in CORPORA.items() if corpus.paper_clips is not None}
    assert PAPER_DURATION_S.keys() == paper.keys()
    for column, totals in PAPER_TOTALS.items():
        assert sum(totals.values()) == 95_625, column
    by_locale = dict.fromkeys(PAPER_TOTALS["locale"], 0)
    for corpus in paper.values():
        by_locale[corpus.locale] += corpus.paper_clips
    assert by_locale == PAPER_TOTALS["locale"]


def test_every_corpus_is_compared_with_the_papers():
    table = build_table1(REPORT)
    assert [*table["corpora"]] == ["ravdess", "enterface05", "mine"]
    row = table["corpora"]["ravdess"]
    assert (row["clips"], row["paper_clips"], row["difference"]) == (2450, 2452, -2)
    assert numbers(row["reason"]) == [2]
    assert (row["mean_duration_s"], row["paper_duration_s"], row["style"]) == (4.09, 4.09, "acted")
    assert "subject 11" in table["corpora"]["enterface05"]["reason"]
    assert table["corpora"]["mine"]["difference"] is None
    part = build_table1({"corpora": {"enterface05": summary(1000)}})["corpora"]["enterface05"]
    assert part["reason"].startswith("293 fewer ")
    assert (table["clips"], table["paper_clips"]) == (3753, 2452 + 1263)


def test_totals_count_what_was_prepared():
    totals = build_table1(REPORT)["totals"]
    assert totals["emotion"]["happy"] == {"clips": 3293, "paper": 17_524}
    assert totals["emotion"]["bored"] == {"clips": 10, "paper": None}
    assert totals["gender"]["female"] == {"clips": 0, "paper": 45_808}
    assert totals["locale"]["sv-SE"] == {"clips": 10, "paper": None}


def test_as_text_every_row_is_a_line_and_what_is_unknown_a_dash():
    lines = format_table1(build_table1(REPORT)).splitlines()
    assert lines[1].split()[:8] == ["RAVDESS", "en-US", "4.09", "4.09", "2,450", "2,452", "-2", "acted"]
    assert lines[2].split()[:8] == ["eNterface05", "en-US", "3.17", "2.58", "1,293", "1,263", "+30", "acted"]
    assert "subject 11" in lines[2]
    assert lines[3].split() == ["mine", "sv-SE", "4.00", "–", "10", "–", "–", "–"]


@pytest.mark.parametrize("corpora", [["ravdess", "enterface05", "mine"], ["mine"]])
def test_it_is_written_as_text_json_and_a_figure(tmp_path, corpora):
    report = {"corpora": {name: REPORT["corpora"][name] for name in corpora}}
    text = write_table1(report, tmp_path)
    assert (tmp_path / "table1.txt").read_text(encoding="utf-8") == text + "\n"
    assert json.loads((tmp_path / "table1.json").read_text(encoding="utf-8")) == build_table1(report)
    assert (tmp_path / "table1.png").read_bytes().startswith(b"\x89PNG")


def reason(name: str, kept: int, settings: dict | None = None, **counts) -> str:
    prepared = {**summary(kept), "skipped_by_rule": 0, "unusable": {}, **counts}
    return build_table1({"corpora": {name: prepared}, "settings": settings or {}})["corpora"][name]["reason"]


def test_clips_that_were_skipped_are_distinguished_from_those_that_the_folder_lacks():
    lacking = reason("oreau02", 432)
    skipping = reason("oreau02", 432, unusable={"the name is odd": 2})
    both = reason("oreau02", 431, unusable={"the name is odd": 2})
    difference, absent = lacking.split(": ")
    assert numbers(difference) == numbers(absent) == [2]
    assert skipping == f"{difference}: 2 skipped (the name is odd)"
    assert both.partition(": ")[2] == f"2 skipped (the name is odd), {absent.replace('2', '1')}"


def test_what_the_papers_rules_leave_out_explains_nothing_and_what_others_do_does():
    assert "286" not in reason("mesd", 430, skipped_by_rule=426)
    for settings in ({"label_rules": "strict"}, {"min_duration_s": 1.0}):
        cause = reason(
            "mesd", 430, skipped_by_rule=432, settings={"label_rules": "paper", "min_duration_s": 0.5, **settings}
        )
        assert numbers(cause.partition(": ")[2]) == [432]


def test_of_meld_a_missing_part_is_not_laid_to_the_gender_table():
    whole, known = CORPORA["meld"].usable_files, CORPORA["meld"].paper_differs
    assert reason("meld", 12_800, skipped_by_rule=whole - 12_800, unusable={"cannot be read": 1}) == known
    part = reason("meld", 10_300, skipped_by_rule=whole - 2610 - 10_300, unusable={"a missing file": 2610})
    assert part != known
    assert "2,610 skipped (a missing file)" in part
    absent = reason("meld", 10_300, skipped_by_rule=whole - 2610 - 10_300).partition(": ")[2]
    assert numbers(absent) == [2610]
    assert "skipped" not in absent
