import numpy as np
import pytest

from preprocessing.labels import LABEL_RULES
from preprocessing.votes import (
    has_votes,
    is_vote_column,
    majority_labels,
    map_votes,
    parse_votes,
    read_shares,
    vote_columns,
)

LABELS = ("angry", "happy", "sad")
VALUES = {
    "emotion": ["sad", "happy", "angry", None, None, "sad", "angry"],
    "emotion:angry": [6.0, 0.5, 2.0, 0.0, None, 0.0, 0.0],
    "emotion:happy": [2.0, 0.5, 2.0, 0.0, None, None, 0.0],
    "emotion:calm": [0.0, 0.0, 3.0, 1.0, None, None, 0.0],
    "mood:angry": [9.0] * 7,
}


def test_a_column_of_votes_names_what_they_are_about_and_the_label():
    assert vote_columns("emotion", VALUES) == {
        "angry": "emotion:angry",
        "happy": "emotion:happy",
        "calm": "emotion:calm",
    }
    assert [name for name in VALUES if not is_vote_column(name)] == ["emotion"]


def test_a_clip_without_a_vote_has_all_of_them_for_its_label():
    assert has_votes("emotion", VALUES).tolist() == [True, True, True, True, False, False, False]
    expected = [
        [0.75, 0.25, 0.0],
        [0.5, 0.5, 0.0],
        [0.5, 0.5, 0.0],  # the votes for calm do not count among these labels
        [np.nan] * 3,  # whose only vote is for another label
        [np.nan] * 3,
        [0.0, 0.0, 1.0],
        [1.0, 0.0, 0.0],
    ]
    np.testing.assert_allclose(read_shares("emotion", VALUES, LABELS), expected)


def test_the_majority_is_the_label_with_the_most_votes_and_a_tie_is_decided_by_the_label_alone():
    assert majority_labels("emotion", VALUES) == ["angry", "happy", "calm", "calm", None, "sad", "angry"]
    tied = {"emotion": ["sad"], "emotion:angry": [3.0], "emotion:happy": [3.0]}
    assert majority_labels("emotion", tied) == [None]


def test_votes_go_by_the_rules_of_labels_and_add_up_where_these_merge():
    extra = {
        "emotion:Frustration": 2.0,
        "emotion:anger": 3.0,
        "emotion:other": 4.0,
        "emotion:sad": None,
        "valence": 1.0,
    }
    assert map_votes(extra, "emotion", LABEL_RULES["paper"]) == {
        "emotion:angry": 5.0,
        "emotion:sad": None,
        "valence": 1.0,
    }


@pytest.mark.parametrize(("cell", "votes"), [("3", 3.0), ("0.25", 0.25), (None, None), ("NA", None), ("", None)])
def test_a_cell_is_a_number_of_votes_or_missing(cell, votes):
    assert parse_votes(cell, "emotion:sad") == votes


@pytest.mark.parametrize("cell", ["-1", "inf", "many"])
def test_a_cell_that_is_not_a_number_of_votes_is_refused(cell):
    with pytest.raises(ValueError, match=f"emotion:sad.*{cell}"):
        parse_votes(cell, "emotion:sad")
