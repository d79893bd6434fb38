from collections import Counter

import pytest

from preprocessing.prepared.few_shot import few_shot
from preprocessing.prepared.protocols import Row

ROWS = [
    Row(f"c/{speaker}_{i:02}", "c", f"s{speaker}", "male", ("angry", "happy", "sad")[i % 3], None)
    for speaker in range(6)
    for i in range(12)
]


@pytest.mark.parametrize("number", [1, 5, 12])
def test_so_many_clips_of_each_class_are_for_training_and_other_speakers_are_the_test(number):
    splits, notes = few_shot(ROWS, number, 0)
    assert Counter(row.emotion for row in ROWS if splits[row.id] == "train") == dict.fromkeys(
        ("angry", "happy", "sad"), number
    )
    speakers = {split: {row.speaker for row in ROWS if splits[row.id] == split} for split in ("train", "test")}
    assert not speakers["train"] & speakers["test"]
    assert len(speakers["test"]) == 3
    assert notes == []


def test_the_test_is_the_same_for_every_number_and_shots_are_nested():
    few, many = few_shot(ROWS, 2, 0)[0], few_shot(ROWS, 7, 0)[0]
    assert [id_ for id_ in few if few[id_] == "test"] == [id_ for id_ in many if many[id_] == "test"]
    assert {id_ for id_ in few if few[id_] == "train"} < {id_ for id_ in many if many[id_] == "train"}


def test_a_class_with_fewer_clips_is_noted():
    _, notes = few_shot(ROWS, 13, 0)
    assert [note.partition(" of ")[0] for note in notes] == ["c: 12 clips"] * 3


def test_without_two_known_speakers_the_test_is_what_is_left():
    rows = [row._replace(speaker="one") for row in ROWS]
    splits, notes = few_shot(rows, 3, 0)
    assert Counter(splits.values()) == {"train": 9, "test": 63}
    assert len(notes) == 1


def test_a_corpus_without_emotions_is_refused():
    with pytest.raises(ValueError, match="emotion"):
        few_shot([row._replace(emotion=None) for row in ROWS], 1, 0)
