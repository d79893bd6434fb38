"""The whole report is tested in test_summary.py."""

import pytest
from jinja2 import UndefinedError

from evaluation.reporting import markdown
from evaluation.reporting.markdown import format_markdown
from tests.support.documents import numbers


def test_an_undefined_number_stops_the_report():
    with pytest.raises(UndefinedError, match="split"):
        format_markdown({"tables": None})


@pytest.mark.parametrize(
    ("filter_", "arguments", "text"),
    [
        ("score", ({"f1": 0.5}, "f1", 0.5), "**0.500**"),
        ("score", ({"f1": 0.5}, "f1", 0.6), "0.500"),
        ("score", ({"r2": None}, "r2", None), "–"),
        ("interval", ({"f1_ci": [0.1, 0.25]}, "f1"), " (0.100–0.250)"),
        ("interval", ({}, "f1"), ""),
        ("best", ([{"group": 0, "ours": {"f1": 0.5}}], "f1", 0), None),  # the only one is not the best
        ("best", ([{"group": i, "ours": {"f1": f1}} for i, f1 in ((0, 0.5), (0, 0.7), (2, 0.9))], "f1", 0), 0.7),
        ("best_cell", ([{"f1": 0.5}, None, {"f1": 0.7}, {"f1": 0.9}], "f1", [0, 0, 0, 3], 0), 0.7),
        ("best_cell", ([{"f1": 0.5}, None, {"f1": 0.7}, {"f1": 0.9}], "f1", [0, 0, 0, 3], 3), None),
        ("clips", ([{"clips": 1200}, {"clips": 1200}],), "1,200"),
        ("clips", ([{"clips": 1200}, None, {"clips": 7}],), "1,200 / – / 7"),
        ("calibrated", ([{"tasks": {"f0_mean": {}}}],), False),
        ("seen", (None,), "unknown"),
        ("seen", (0,), "0"),
        ("difference", ({"difference": 0.01, "ci": [-0.02, 0.04], "p": 0.5},), "+0.010 (-0.020 to +0.040), p 0.500"),
        ("gain", ({"better / worse - 1": 0.0175, "1 - worse / better": None},), "better / worse - 1: 1.8 %"),
        ("wins", ({"wins": 2, "ties": 1, "losses": 0},), "2 wins, 1 ties, 0 losses"),
        (
            "finding",
            ({"holds": None, "values": [], "reason": "not evaluated: a"}, "score"),
            "not computed (not evaluated: a)",
        ),
        (
            "finding",
            (
                {
                    "holds": False,
                    "values": [
                        {"what": what, "value": value, "holds": value > 76} for what, value in (("a", 76.1), ("b", 50))
                    ],
                },
                "percent",
            ),
            "does not hold: a 76.1 %, **b 50.0 %**",
        ),
        (
            "finding",
            (
                {
                    "holds": True,
                    "values": [{"what": "difference", "value": -0.003, "holds": True}],
                    "difference": {"difference": -0.003, "ci": [-0.01, 0.01], "p": 0.5},
                },
                "difference",
            ),
            "holds: difference -0.003 (-0.010 to +0.010), p 0.500",
        ),
    ],
)
def test_how_figures_are_written(filter_, arguments, text):
    assert getattr(markdown, f"_{filter_}")(*arguments) == text


def test_clips_seen_in_training_are_bold():
    text = markdown._seen(1200)
    assert text == f"**{text.strip('*')}**"
    assert numbers(text) == [1200]


def test_a_head_without_clips_has_no_number():
    assert numbers(markdown._metrics({"clips": 0})) == []


def test_a_number_is_written_with_its_unit():
    pooled = {"mae": 12.345, "mae_ci": [11.0, 13.5], "r2": None, "pearson": 0.5, "pearson_ci": [0.4, 0.6], "ccc": 0.4}
    text = markdown._metrics({"kind": "regression", "clips": 3, "unit": "Hz", "pooled": pooled})
    assert text == "MAE 12.3 (11–13.5) Hz, R² –, Pearson 0.500 (0.400–0.600), CCC 0.400"
