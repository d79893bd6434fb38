"""Rows of metrics of real evaluations are tested in test_compute.py."""

import numpy as np
import pytest

from evaluation.metrics.means import intervals, mean_over_corpora


def row(mae, ccc, clips=20, speakers=4):
    return {"mae": mae, "ccc": ccc, "clips": clips, "speakers": speakers}


def test_a_metric_that_is_undefined_has_no_interval():
    resampled = {"mae": np.linspace(0, 100, 1001), "ccc": np.linspace(0, 1, 1001)}
    assert intervals(row(50.0, None), resampled, 4) == {"mae_ci": pytest.approx([2.5, 97.5])}


@pytest.mark.parametrize(
    ("clips", "speakers", "reason"),
    [(20, 2, "fewer than 3 speakers (2)"), (9, 3, "fewer than 10 clips (9)"), (9, 2, "fewer than 10 clips (9)")],
)
def test_too_few_clips_or_speakers_have_a_reason_in_place_of_intervals(clips, speakers, reason):
    found = intervals(row(1.0, 0.5, clips), {"mae": np.zeros(5), "ccc": np.zeros(5)}, speakers)
    assert found == {"mae_ci": None, "ccc_ci": None, "ci_reason": reason}


def test_a_mean_is_over_the_corpora_that_have_the_metric_and_counts_all_clips():
    corpora = {"alpha": row(1.0, None, 20, None), "beta": row(3.0, 0.5)}
    mean = mean_over_corpora(corpora, {})
    assert mean == {"mae": 2.0, "ccc": 0.5, "clips": 40, "speakers": 4, "corpora": ["alpha", "beta"]}
    resampled = {
        "alpha": {"mae": np.ones(5), "ccc": np.full(5, np.nan)},
        "beta": {"mae": np.ones(5), "ccc": np.ones(5)},
    }
    assert mean_over_corpora(corpora, resampled) == {**mean, "mae_ci": [1.0, 1.0], "ccc_ci": [1.0, 1.0]}
    assert mean_over_corpora({"alpha": row(1.0, None)}, {})["ccc"] is None
