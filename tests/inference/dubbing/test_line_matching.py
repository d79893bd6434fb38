import numpy as np

from inference.dubbing.alignment import Alignment
from inference.dubbing.line_matching import match_lines

SAME = Alignment(offset_s=0.0, drift=0.0, correlation=1.0, confidence=1.0)


def match(source, dub, alignment=SAME):
    def as_lines(spans):
        return np.array(spans, dtype=float).reshape(-1, 2)

    matched = match_lines(as_lines(source), as_lines(dub), alignment)
    return [getattr(matched, name).tolist() for name in ("source", "dub", "missing", "added")]


def test_lines_are_matched_where_the_alignment_puts_them():
    alignment = Alignment(offset_s=10.0, drift=0.01, correlation=1.0, confidence=1.0)
    source, dub, missing, added = match([(0, 2), (100, 103)], [(10, 12.1), (111.2, 114)], alignment)
    assert source == [[0, 2], [100, 103]]
    assert dub == [[10, 12.1], [111.2, 114]]
    assert missing == added == []


def test_lines_of_one_track_only():
    source, dub, missing, added = match([(0, 2), (5, 6), (9, 11)], [(0.1, 2.2), (7, 8), (9, 11), (20, 21)])
    assert (source, dub) == ([[0, 2], [9, 11]], [[0.1, 2.2], [9, 11]])
    assert missing == [[5, 6]]
    assert added == [[7, 8], [20, 21]]


def test_a_line_with_a_pause_is_one_line_if_it_is_in_the_other_track():
    assert match([(0, 4)], [(0, 1.5), (2, 4.2)])[:2] == [[[0, 4]], [[0, 4.2]]]
    assert match([(0, 1.5), (2, 4.2), (6, 7)], [(0, 4), (6, 7)])[:2] == [[[0, 4.2], [6, 7]], [[0, 4], [6, 7]]]


def test_a_line_that_runs_into_the_next_one_is_not_both():
    source, dub, *_ = match([(0, 2), (2.5, 5)], [(0, 2.9), (3.1, 5)])
    assert (source, dub) == ([[0, 2], [2.5, 5]], [[0, 2.9], [3.1, 5]])


def test_nothing_in_common():
    assert match([(0, 1)], [(5, 6)]) == [[], [], [[0, 1]], [[5, 6]]]
