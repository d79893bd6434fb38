import numpy as np
import pytest

from inference.timeline.voice_activity import Speech
from inference.timeline.windows import cut_windows

WINDOW, HOP = 30, 10


def speech(bounds, part=10**9):
    """Regions in parts of that size; a sample's value is its index."""
    for first, stop in bounds:
        for start in range(first, stop, part):
            end = min(stop, start + part)
            yield Speech(start, np.arange(start, end, dtype=np.float32), ends=end == stop)


@pytest.mark.parametrize("part", [1, 7, 10, 33, 10**9])
@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ((5, 6), [(5, 6)]),
        ((5, 34), [(5, 34)]),
        ((5, 35), [(5, 35)]),
        ((5, 36), [(5, 35), (6, 36)]),
        ((0, 50), [(0, 30), (10, 40), (20, 50)]),
        ((100, 155), [(100, 130), (110, 140), (120, 150), (125, 155)]),
    ],
)
def test_windows_follow_each_other_by_a_hop_and_end_with_the_region(region, expected, part):
    windows = list(cut_windows(speech([region, (200, 205)], part), WINDOW, HOP))
    assert [(window.start, window.end) for window in windows] == [*expected, (200, 205)]
    assert [window.ends for window in windows] == [False] * (len(expected) - 1) + [True, True]
    for window in windows:
        np.testing.assert_array_equal(window.waveform, np.arange(window.start, window.end))


def test_windows_without_overlap():
    windows = list(cut_windows(speech([(0, 75)], 8), WINDOW, WINDOW))
    assert [(window.start, window.end) for window in windows] == [(0, 30), (30, 60), (45, 75)]


def test_of_a_long_region_only_a_window_or_so_is_held():
    held = []
    for window in cut_windows(speech([(0, 100_000)], 50), WINDOW, HOP):
        held.append(window.waveform.base.size)
    assert max(held) <= 50 + WINDOW + HOP


def test_no_speech_gives_no_window():
    assert list(cut_windows([], WINDOW, HOP)) == []
