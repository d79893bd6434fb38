from dataclasses import replace

import numpy as np
import pytest

from evaluation.metrics.means import mean_over_corpora
from evaluation.reporting.column import paired_difference, paper_columns, why_not_comparable
from evaluation.reporting.paper import BEST, SINGLE_TASK, load_paper

PAPER = paper_columns()
ZERO = dict.fromkeys(("weighted_f1", "weighted_recall", "weighted_precision", "macro_f1", "unweighted_recall"), 0.0)


@pytest.mark.parametrize(("name", "mean"), list(zip(load_paper()["columns"], (0.7877, 0.8471, 0.8629), strict=True)))
def test_our_mean_of_the_papers_table_3_is_the_recall_of_its_table_2(name, mean):
    printed = paper_columns()[name]
    recalls = {corpus: {**ZERO, "clips": 10, "speakers": 5, **values} for corpus, values in printed.corpora.items()}
    ours = mean_over_corpora(recalls, {})
    assert ours["weighted_recall"] == pytest.approx(mean, abs=5e-5)
    assert ours["weighted_recall"] == pytest.approx(printed.mean["weighted_recall"], abs=1e-3)
    assert len(ours["corpora"]) == 25


def test_rows_are_comparable_on_the_same_clips():
    assert why_not_comparable(PAPER, BEST, SINGLE_TASK) is None
    assert "w2v + x" in why_not_comparable(PAPER, BEST, "w2v + x")
    assert BEST in why_not_comparable({**PAPER, BEST: replace(PAPER[BEST], clips=frozenset("a"))}, BEST, SINGLE_TASK)


def test_a_difference_is_paired_on_the_same_clips_alone():
    resampled = {"weighted_f1": np.linspace(0.8, 0.9, 101)}
    best, single = (replace(PAPER[name], resampled=resampled) for name in (BEST, SINGLE_TASK))
    assert paired_difference(best, single)["difference"] == pytest.approx(0.015)
    assert paired_difference(best, best) is None
    assert paired_difference(best, replace(single, clips=frozenset("a"))) is None
