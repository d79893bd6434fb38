import re

import pytest

from evaluation.reporting.console import format_report
from tests.evaluation.reporting.conftest import PROTOCOL
from tests.support.documents import numbers


def line(text, start):
    """The cells of the one line of a text that starts so."""
    (found,) = [line for line in text.splitlines() if line.startswith(start)]
    return found.removeprefix(start).split()


@pytest.mark.parametrize(("seen", "warning"), [(0, None), (3, "3"), (None, "unknown")])
def test_the_text_warns_of_clips_that_were_or_may_have_been_trained_on(report, seen, warning):
    text = format_report({**report, "num_clips_seen_in_training": seen})
    warnings = [line for line in text.splitlines() if "WARNING" in line]
    assert [warning in line.split() for line in warnings] == ([True] if warning else [])


def test_the_text_has_the_protocol_and_its_notes(report):
    text = format_report(report)
    assert [part in text.splitlines()[0] for part in ("demo:", " test ", " paper ", "seed 7")] == [True] * 4
    for sentence in (PROTOCOL["description"], *PROTOCOL["notes"]):
        assert f"  {sentence}." in text.splitlines()


def test_the_text_shows_each_corpus_and_their_mean(report):
    text = format_report(report)
    beta, mean = report["tasks"]["emotion"]["corpora"]["beta"], report["tasks"]["emotion"]["mean_over_corpora"]
    assert beta["weighted_f1_ci"] is None
    assert line(text, "alpha ") == ["1.000", "1.000–1.000", "1.000", "1.000", "1.000", "1.000", "1,200"]
    # Of sad, 3 of 5 clips: recall 2/3, precision 1, F1 0.8; of the two other classes 0.
    assert line(text, "beta ") == ["0.480", "–", "0.400", "0.600", "0.267", "0.222", "5"]
    assert beta["ci_reason"] in text
    low, high = mean["weighted_f1_ci"]
    assert line(text, "mean over corpora ") == [
        "0.740",
        f"{low:.3f}–{high:.3f}",
        "0.700",
        "0.800",
        "0.633",
        "0.611",
        "1,205",
    ]
    assert any(numbers(line) == [1] and "'proud'" in line for line in text.splitlines())


def test_the_text_shows_each_locale(report):
    text = format_report(report)
    assert line(text, "de-DE") == ["1.000", "1.000", "1.000", "1,200", "alpha"]
    assert line(text, "pl-PL") == ["0.480", "0.400", "0.600", "5", "beta"]


def test_the_text_shows_each_head(report):
    text = format_report(report)
    accuracy = f"{1202 / 1205:.3f}"
    assert line(text, "emotion  ")[2:4] == ["accuracy", accuracy]
    assert line(text, "emotion  ")[-2:] == ["(1,205", "clips)"]
    pitch = " ".join(line(text, "f0_mean"))
    assert pitch == "MAE 33.3 Hz R² 0.000 Pearson – CCC 0.000 (3 clips)"
    assert line(text, "gender")
    assert numbers(" ".join(line(text, "gender"))) == []


def test_the_text_compares_with_the_baseline(report, metrics):
    assert "baseline" not in format_report(report)
    baseline = {**metrics["emotion"], "mean_over_corpora": {"weighted_f1": 0.123}}
    last = format_report({**report, "baseline": baseline}).splitlines()[-1]
    assert last.startswith("emotion F1")
    assert re.findall(r"\d\.\d{3}", last) == ["0.740", "0.123"]


def test_a_regression_can_be_the_main_task(report):
    text = format_report({**report, "main_task": "f0_mean"})
    assert "by corpus" not in text
    assert line(text, "f0_mean")[:3] == ["MAE", "33.3", "Hz"]


def test_a_main_task_without_labels_has_no_table(report):
    text = format_report({**report, "main_task": "gender"})
    assert "by corpus" not in text
    assert line(text, "gender")
    assert numbers(" ".join(line(text, "gender"))) == []
