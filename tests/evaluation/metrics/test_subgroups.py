import numpy as np

from evaluation.metrics.subgroups import GROUPINGS, group_clips


def members(groups):
    return {name: np.flatnonzero(mine).tolist() for name, mine in groups.items()}


def grouped(**columns):
    clips = len(next(iter(columns.values())))
    return group_clips({name: columns.get(name, [None] * clips) for name in GROUPINGS.values()})


def test_durations_by_their_names():
    seconds = [0.5, 0.99, 1.0, 1.99, 2.0, 3.9, 4.0, 6.0, 6.01, 90.0, None]
    assert members(grouped(duration_s=seconds)["duration"]) == {
        "under 1 s": [0, 1],
        "1 to 2 s": [2, 3],
        "2 to 4 s": [4, 5],
        "4 to 6 s": [6, 7],
        "over 6 s": [8, 9],
        "unknown": [10],
    }


def test_what_is_unknown_comes_last_and_what_is_empty_not_at_all():
    groups = grouped(gender=[None, "male", "female", "male"], style=["natural"] * 4)
    assert list(members(groups["gender"]).items()) == [("female", [2]), ("male", [1, 3]), ("unknown", [0])]
    assert members(groups["style"]) == {"natural": [0, 1, 2, 3]}
    assert members(groups["duration"]) == {"unknown": [0, 1, 2, 3]}


def test_every_clip_is_in_one_group_of_each_grouping():
    groups = grouped(gender=["male", None, "female"], duration_s=[1.0, None, 8.0], style=["acted", "natural", None])
    assert groups.keys() == {"gender", "duration", "style"}
    for members_ in groups.values():
        assert np.sum(list(members_.values()), axis=0).tolist() == [1, 1, 1]
