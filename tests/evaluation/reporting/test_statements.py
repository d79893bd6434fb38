"""The statements on hand-made figures: the paper's own columns with one thing changed."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.reporting.column import paper_columns
from evaluation.reporting.paper import BEST, SINGLE_TASK, load_paper
from evaluation.reporting.statements import check_statements

PAPER = paper_columns()
WITH_VR = "w2v + Em + Ge + La + F0-me + F0-st + En-me + En-st + Vr"
WITHOUT_VR = "w2v + Em + Ge + La + F0-me + F0-st + En-me + En-st"
LABELS = load_paper()["figure1"]["labels"]
COUNTS = np.round(10 * np.array(load_paper()["figure1"]["percent"])).astype(int)  # a thousand clips of each class
DIAGONAL, NEUTRAL, PAIRS, BELOW_BEST, BELOW_WITHOUT, ALL_ABOVE, PRECISION, RECALL, MELD = range(9)


def ours(counts=COUNTS, **changed):
    """The paper's columns as if we had evaluated them; `changed`: row to other fields of its column."""
    columns = {**PAPER, BEST: replace(PAPER[BEST], confusion={"labels": LABELS, "counts": np.array(counts).tolist()})}
    for row, fields in changed.items():
        columns[row] = replace(columns[row], **fields)
    return columns


def check(number, columns):
    return check_statements(columns, PAPER)[number]["ours"]


def f1(row, value):
    return {row: {"mean": {**PAPER[row].mean, "weighted_f1": value}}}


def move(true, wrong, clips):
    """The confusion with clips of a class moved from its diagonal to another column."""
    counts = COUNTS.copy()
    place, other = LABELS.index(true), LABELS.index(wrong)
    counts[place, place] -= clips
    counts[place, other] += clips
    return counts


def test_which_statements_hold_in_the_papers_own_tables():
    statements = check_statements(ours(), PAPER)
    holds = [statement["paper"]["holds"] for statement in statements]
    assert holds == [True, True, True, True, False, True, True, True, True]
    assert [statement["ours"]["holds"] for statement in statements] == holds  # computed from counts
    below = statements[BELOW_WITHOUT]["paper"]["values"]
    assert [value["value"] for value in below] == pytest.approx([0.007])  # adding Vr alone raises F1


def test_every_row_and_corpus_of_a_statement_is_one_of_the_papers():
    for statement in load_paper()["statements"]:
        assert {*statement.get("rows", [BEST]), statement.get("row", BEST), statement.get("than", BEST)} <= {*PAPER}
        assert statement.get("corpus", "meld") in load_paper()["table3"]
        assert {label for pair in statement.get("pairs", []) for label in pair} <= {*LABELS}


def test_one_class_below_the_threshold_refutes_the_diagonal():
    finding = check(DIAGONAL, ours(move("happy", "fear", 31)))
    assert finding["holds"] is False
    values = {value["what"]: (value["value"], value["holds"]) for value in finding["values"]}
    assert values["happy"] == (pytest.approx(75.9, abs=0.1), False)
    assert [what for what, (_, holds) in values.items() if not holds] == ["happy"]
    assert len(values) == 7


@pytest.mark.parametrize(("true", "wrong"), [("angry", "disgust"), ("happy", "surprise"), ("sad", "fear")])
def test_another_error_more_frequent_than_neutral_refutes_the_confusion(true, wrong):
    finding = check(NEUTRAL, ours(move(true, wrong, 100)))
    assert finding["holds"] is False
    (refuted,) = [value for value in finding["values"] if not value["holds"]]
    assert true in refuted["what"]
    assert wrong in refuted["what"]


def test_two_errors_as_frequent_refute_the_confusion():
    assert check(PAIRS, ours())["holds"] is True
    even = move("disgust", "neutral", 5)  # 57 of 1,000 as angry, as neutral 52 + 5
    finding = check(PAIRS, ours(even))
    assert [value["holds"] for value in finding["values"]] == [True, False]
    assert finding["values"][1]["value"] == pytest.approx(5.7, abs=0.05)


@pytest.mark.parametrize("number", [DIAGONAL, NEUTRAL])
def test_a_class_without_clips_leaves_the_confusion_open(number):
    counts = COUNTS.copy()
    counts[LABELS.index("sad")] = 0
    finding = check(number, ours(counts))
    assert (finding["holds"], finding["values"]) == (None, [])
    assert "sad" in finding["reason"]
    assert check(PAIRS, ours(counts))["holds"] is True  # which is not about sad


@pytest.mark.parametrize(
    ("value", "holds"), [(0.857, True), (0.852, True), (0.850, False), (0.860, False), (0.9, False)]
)
def test_slightly_below_is_below_by_at_most_one_percent(value, holds):
    finding = check(BELOW_BEST, ours(**f1(WITH_VR, value)))
    assert finding["holds"] is holds
    assert finding["values"][0]["value"] == pytest.approx(value - 0.860)


def test_a_head_of_its_own_may_reduce_f1():
    assert check(BELOW_WITHOUT, ours(**f1(WITHOUT_VR, 0.860)))["holds"] is True


def test_a_reduction_has_its_interval_where_there_are_resamples():
    resampled = {"resampled": {"weighted_f1": np.linspace(0.8, 0.9, 101)}}
    finding = check(BELOW_BEST, ours(**dict.fromkeys((WITH_VR, WITHOUT_VR, BEST), resampled)))
    assert finding["difference"]["ci"] == pytest.approx([0, 0])
    assert check(BELOW_BEST, ours())["difference"] is None


def test_one_row_of_several_tasks_that_is_not_above_refutes_the_statement():
    finding = check(ALL_ABOVE, ours(**f1("w2v + Em + Ge", 0.845)))
    assert finding["holds"] is False
    (refuted,) = [value for value in finding["values"] if not value["holds"]]
    assert refuted["what"] == "w2v + Em + Ge"
    assert refuted["value"] == 0


def test_precision_below_refutes_the_trend_of_the_other_metrics():
    mean = {**PAPER[BEST].mean, "weighted_precision": 0.8}
    findings = [check(number, ours(**{BEST: {"mean": mean}})) for number in (PRECISION, RECALL)]
    assert [finding["holds"] for finding in findings] == [False, True]


def test_a_lower_corpus_refutes_that_meld_is_the_lowest():
    corpora = {"meld": {"weighted_recall": 0.5}, "tess": {"weighted_recall": 0.4}}
    finding = check(MELD, ours(**{BEST: {"corpora": corpora}}))
    assert finding["holds"] is False
    assert [value["value"] for value in finding["values"]] == [0.5, 0.4]
    higher = {**corpora, "tess": {"weighted_recall": 0.6}}
    assert check(MELD, ours(**{BEST: {"corpora": higher}}))["holds"] is True


@pytest.mark.parametrize("corpora", [{"tess": {"weighted_recall": 0.4}}, {"meld": {"weighted_recall": 0.4}}])
def test_without_meld_or_another_corpus_the_statement_is_open(corpora):
    finding = check(MELD, ours(**{BEST: {"corpora": corpora}}))
    assert finding["holds"] is None
    assert "meld" in finding["reason"]


def test_a_row_that_was_not_evaluated_is_the_reason():
    findings = [statement["ours"] for statement in check_statements({SINGLE_TASK: PAPER[SINGLE_TASK]}, PAPER)]
    assert [finding["holds"] for finding in findings] == [None] * 9
    named = [BEST, BEST, BEST, BEST, WITH_VR, WITH_VR, BEST, BEST, BEST]
    assert all(row in finding["reason"] for row, finding in zip(named, findings, strict=True))


def test_rows_on_other_clips_are_not_compared():
    finding = check(BELOW_BEST, ours(**{WITH_VR: {"clips": frozenset("abc")}}))
    assert finding["holds"] is None
    assert WITH_VR in finding["reason"]
