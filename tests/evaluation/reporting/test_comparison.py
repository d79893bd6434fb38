from dataclasses import replace

import numpy as np
import pytest

from evaluation.metrics.means import mean_over_corpora
from evaluation.reporting.column import Column
from evaluation.reporting.comparison import compare_columns, count_wins, in_percent, percent, relative_gain
from evaluation.reporting.paper import BEST, SINGLE_TASK

PANN = "PANN + Em"


def scores(value, clips=10):
    names = ("weighted_f1", "weighted_recall", "weighted_precision", "macro_f1", "unweighted_recall")
    return (
        dict.fromkeys(names, value)
        | {f"{name}_ci": [value - 0.1, value + 0.1] for name in names}
        | {
            "clips": clips,
            "speakers": 5,
        }
    )


def column(name, corpora, *, protocol="paper", clips="abc", resampled=None):
    parts = {corpus: scores(value) for corpus, value in corpora.items()}
    mean = mean_over_corpora(parts, {})
    values = np.linspace(-0.02, 0.02, 101) + mean["weighted_f1"] if resampled is None else resampled
    return Column(
        row=name,
        name=name,
        protocol=protocol,
        mean=mean | scores(mean["weighted_f1"]) | {"corpora": list(corpora)},
        corpora=parts,
        locales={"de-DE": scores(mean["weighted_f1"])},
        confusion={"labels": ["angry", "sad"], "counts": [[3, 1], [0, 0]]},
        resampled={"weighted_f1": values},
        clips=frozenset(clips),
    )


def test_shares_add_up_to_100_exactly():
    random = np.random.default_rng(0)
    for _ in range(200):
        counts = random.integers(0, 50, size=7) + np.eye(7, dtype=int)[0]
        shares = percent(counts)
        assert sum(round(10 * share) for share in shares) == 1000
        assert shares == pytest.approx(100 * counts / counts.sum(), abs=0.1)


def test_shares_are_rounded_by_the_largest_remainder():
    assert percent(np.array([1, 1, 1])) == [33.4, 33.3, 33.3]


def test_a_class_without_clips_has_no_line():
    confusion = in_percent({"labels": ["angry", "sad"], "counts": [[3, 1], [0, 0]]})
    assert confusion == {"labels": ["angry", "sad"], "clips": [4, 0], "percent": [[75.0, 25.0], None]}


def test_claims_from_the_papers_own_tables():
    claims = compare_columns([column(BEST, {"emodb": 0.5})])["claims"]
    gains = [claim["paper"] for claim in claims if claim["kind"] == "gain"]
    assert [round(100 * gain["1 - worse / better"], 1) for gain in gains] == [7.0, 8.6, 1.7, 8.6]
    assert [round(100 * gain["better / worse - 1"], 1) for gain in gains] == [7.5, 9.4, 1.8, 9.4]
    by_better = ["1 - worse / better"]
    assert [claim["fits"] for claim in claims if claim["kind"] == "gain"] == [[], by_better, by_better, []]
    wins = [claim["paper"] for claim in claims if claim["kind"] == "wins"]
    assert wins == [
        {"wins": 8, "ties": 2, "losses": 3},
        {"wins": 7, "ties": 2, "losses": 4},
        {"wins": 22, "ties": 2, "losses": 1},
        {"wins": 12, "ties": 7, "losses": 6},
    ]


def test_wins_are_counted_over_what_all_have():
    mine = {"a": {"f1": 0.5}, "b": {"f1": 0.5}, "c": {"f1": 0.5}, "only mine": {"f1": 1.0}}
    first = {"a": {"f1": 0.4}, "b": {"f1": 0.5}, "c": {"f1": 0.4}}
    second = {"a": {"f1": 0.3}, "b": {"f1": 0.4}, "c": {"f1": 0.6}}
    assert count_wins([mine, first, second], "f1") == {"wins": 1, "ties": 1, "losses": 1}


def test_a_gain_over_nothing_is_open():
    assert relative_gain(0.5, 0.0) == {"better / worse - 1": None, "1 - worse / better": 1.0}


def test_our_claims_come_from_our_columns():
    tables = compare_columns(
        [column(PANN, {"emodb": 0.4, "tess": 0.8}), column(SINGLE_TASK, {"emodb": 0.5, "tess": 0.8}),
         column(BEST, {"emodb": 0.6, "tess": 0.8})]
    )  # fmt: skip
    a, *_ = tables["claims"]
    assert a["ours"]["better / worse - 1"] == pytest.approx(0.65 / 0.6 - 1)
    assert a["difference"]["difference"] == pytest.approx(0.05)
    over_pann = next(claim for claim in tables["claims"] if claim["printed"] == 23)
    assert over_pann["ours"] == {"wins": 1, "ties": 1, "losses": 0}


def test_what_was_not_evaluated_is_not_claimed():
    claims = compare_columns([column(BEST, {"emodb": 0.6})])["claims"]
    assert [claim["ours"] for claim in claims] == [None] * len(claims)
    assert [[row for row in (PANN, SINGLE_TASK, BEST) if row in claim["reason"]] for claim in claims[:3]] == [
        [PANN, SINGLE_TASK],
        [PANN],
        [SINGLE_TASK],
    ]


def test_the_papers_figures_are_next_to_ours():
    tables = compare_columns([column(BEST, {"emodb": 0.6, "mine": 0.2}), column("w2v + valence", {"emodb": 0.7})])
    assert [line["paper"] for line in tables["table2"]] == [
        {"weighted_f1": 0.860, "weighted_recall": 0.862, "weighted_precision": 0.870},
        None,
    ]
    emodb, mine = tables["table3"]["lines"]
    assert (emodb["name"], emodb["paper"], [cell["weighted_recall"] for cell in emodb["ours"]]) == (
        "emodb",
        [0.907, 0.953, 0.963],
        [0.6, 0.7],
    )
    assert (mine["paper"], mine["ours"][1]) == ([None, None, None], None)
    assert len(tables["table3"]["paper_only"]) == 24
    assert "de-DE" not in tables["table4"]["paper_only"]


def test_a_gain_over_other_clips_is_not_computed():
    tables = compare_columns([column(SINGLE_TASK, {"tess": 0.5}, clips="abd"), column(BEST, {"emodb": 0.6})])
    assert [claim["ours"] for claim in tables["claims"]] == [None] * len(tables["claims"])


def test_the_best_is_one_of_the_models_on_the_same_clips():
    columns = [column(SINGLE_TASK, {"emodb": 0.5}), column(BEST, {"emodb": 0.6}, protocol="speaker", clips="x")]
    tables = compare_columns([*columns, column(PANN, {"emodb": 0.4})])
    assert [line["group"] for line in tables["table2"]] == tables["table3"]["groups"] == [0, 1, 0]


def test_the_claims_are_of_the_protocol_with_most_of_the_papers_rows_and_not_of_the_highest_figures():
    columns = [column(PANN, {"emodb": 0.9}, protocol="loco"), column(PANN, {"emodb": 0.4})]
    tables = compare_columns([*columns, column(SINGLE_TASK, {"emodb": 0.5})])
    assert tables["claims_protocol"] == tables["figure1"]["protocol"] == "paper"
    assert tables["claims"][0]["ours"]["1 - worse / better"] == pytest.approx(0.2)


def test_a_second_model_of_a_row_has_the_papers_figures_too():
    again = replace(column(BEST, {"emodb": 0.7}), name=f"{BEST} (seed 1)")
    tables = compare_columns([column(SINGLE_TASK, {"emodb": 0.5}), column(BEST, {"emodb": 0.6}), again])
    assert [line["paper"]["weighted_f1"] for line in tables["table2"]] == [0.845, 0.860, 0.860]
    assert tables["claims"][2]["ours"]["better / worse - 1"] == pytest.approx(0.2)  # of the first


def test_differences_are_paired_only_on_the_same_clips_and_protocol():
    single = column(SINGLE_TASK, {"emodb": 0.5})
    same, other, elsewhere = (
        column(BEST, {"emodb": 0.6}),
        column("w2v + Em + Ge", {"emodb": 0.6}, clips="abd"),
        column("w2v + Em + La", {"emodb": 0.6}, protocol="speaker"),
    )
    lines = compare_columns([single, same, other, elsewhere])["table2"]
    assert [line["difference"] is not None for line in lines] == [False, True, False, False]
    assert [line["reference"] for line in lines] == [1, 1, 3, 4]
    assert lines[1]["difference"]["difference"] == pytest.approx(0.1)


def test_figure_1_is_the_papers_best_row_even_where_another_scores_higher():
    tables = compare_columns([column(SINGLE_TASK, {"emodb": 0.9}), column(BEST, {"emodb": 0.1})])
    assert tables["figure1"]["name"] == BEST
    tables = compare_columns([column(SINGLE_TASK, {"emodb": 0.9}), column(PANN, {"emodb": 0.1})])
    assert tables["figure1"]["name"] == SINGLE_TASK


def test_other_works_are_next_to_the_row_that_the_paper_compares_with_them():
    others = compare_columns([column(PANN, {"ravdess": 0.7}), column(BEST, {"iemocap": 0.6})])["others"]
    ours = {(other["work"][:3], other["corpus"]): other["ours"] for other in others}
    assert ours["[6]", "ravdess"] == 0.7
    assert ours["[4]", "iemocap"] == 0.6
    assert ours["[4]", "ravdess"] is None


def test_two_models_of_ones_own_have_a_paired_difference():
    mine = [column(f"w2v + {name}", {"mine": f1}) for name, f1 in (("Em + Ge", 0.5), ("Em + arousal", 0.6), ("x", 0.4))]
    lines = compare_columns(mine)["table2"]
    assert [line["reference"] for line in lines] == [1, 1, 1]
    assert lines[0]["difference"] is None
    assert [line["difference"]["difference"] for line in lines[1:]] == pytest.approx([0.1, -0.1])
    lines = compare_columns(mine, reference="w2v + Em + arousal")["table2"]
    assert [line["reference"] for line in lines] == [2, 2, 2]
    assert [line["difference"] and round(line["difference"]["difference"], 6) for line in lines] == [-0.1, None, -0.2]


def test_where_the_reference_was_not_evaluated_the_first_on_the_clips_is_one():
    here, there = (column(name, {"mine": 0.5}) for name in ("a", "b")), ("c", "d")
    there = [column(name, {"mine": 0.6}, protocol="speaker", clips="xyz") for name in there]
    lines = compare_columns([*here, *there], reference="b")["table2"]
    assert [line["reference"] for line in lines] == [2, 2, 3, 3]


def test_a_difference_on_few_clips_or_speakers_has_a_reason_in_place_of_interval_and_p():
    mine = [column(name, {"mine": f1}) for name, f1 in (("a", 0.5), ("b", 0.6))]
    lonely = [replace(each, mean={**each.mean, "weighted_f1_ci": None, "ci_reason": "few"}) for each in mine]
    difference = compare_columns(lonely)["table2"][1]["difference"]
    assert difference == {"difference": pytest.approx(0.1), "ci": None, "p": None, "ci_reason": "few"}


def test_the_papers_figures_are_shown_for_its_own_corpora_alone():
    tables = compare_columns([column("w2v + Em + arousal", {"mine": 0.6})])
    assert tables["on_paper_corpora"] is False
    for name in ("table3", "table4"):
        assert tables[name]["paper_columns"] == tables[name]["paper_only"] == []
        assert [line["paper"] for line in tables[name]["lines"]] == [[]]
