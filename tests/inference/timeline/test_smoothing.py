from itertools import groupby, product

import numpy as np
import pytest

from inference.timeline.smoothing import ClassPath, RegionSmoother, StretchAverage
from inference.timeline.windows import Window


def windows_of(length, window, hop):
    starts = [*range(0, max(1, length - window), hop), max(0, length - window)]
    starts = np.array(sorted(set(starts)))
    return starts, np.minimum(starts + window, length)


def windows_between(starts, ends):
    return [
        Window(int(start), np.zeros(end - start), end == ends[-1] and start == starts[-1])
        for start, end in zip(starts, ends, strict=True)
    ]


def average_stretches(starts, ends, scores, hop):
    average = StretchAverage(hop)
    stretches = [
        stretch
        for window, row in zip(windows_between(starts, ends), scores, strict=True)
        for stretch in average.add(window, row)
    ]
    edges = [stretches[0].start, *(stretch.end for stretch in stretches)]
    return np.array(edges), np.array([stretch.scores for stretch in stretches])


def choose_classes(probabilities, durations, cost):
    path = ClassPath(cost)
    decided = [
        class_ for row, seconds in zip(probabilities, durations, strict=True) for class_ in path.add(row, seconds)
    ]
    return np.array(decided + path.end())


def segments_of(starts, ends, scores, hop, cost, classes):
    smoother = RegionSmoother(hop, cost, classes)
    bounds = [
        bound
        for window, row in zip(windows_between(starts, ends), scores, strict=True)
        for bound in smoother.add(window, row)
    ]
    assert [bound.event for bound in bounds] == ["segment_start", "segment_end"] * (len(bounds) // 2)
    assert [(first.start, first.class_) for first in bounds[::2]] == [
        (last.start, last.class_) for last in bounds[1::2]
    ]
    return bounds[1::2]


@pytest.mark.parametrize(("window", "hop"), [(30, 10), (30, 30), (32, 10), (30, 7)])
@pytest.mark.parametrize("length", [4, 30, 31, 95, 200])
def test_stretches_cover_the_region_and_stay_probabilities(window, hop, length):
    starts, ends = windows_of(length, window, hop)
    scores = np.random.default_rng(0).dirichlet(np.ones(4), size=len(starts))
    edges, means = average_stretches(starts, ends, scores, hop)
    assert (edges[0], edges[-1]) == (0, length)
    np.testing.assert_array_equal(np.diff(edges)[:-1], hop)
    assert 0 < edges[-1] - edges[-2] <= hop
    np.testing.assert_allclose(means.sum(axis=1), 1)


def test_a_stretch_is_the_mean_of_the_windows_that_it_lies_in():
    edges, means = average_stretches(np.array([0, 10, 15]), np.array([20, 30, 35]), np.array([[1.0], [3.0], [7.0]]), 10)
    np.testing.assert_array_equal(edges, [0, 10, 20, 30, 35])
    # Of the second stretch, the last window covers one half.
    np.testing.assert_allclose(means[:, 0], [1, (1 + 3 + 0.5 * 7) / 2.5, 5, 7])


@pytest.mark.parametrize("change", [40, 73, 88, 100])
def test_a_change_is_placed_right_to_a_hop(change):
    """A model that predicts the share of a window that is of each of two emotions."""
    length, window, hop = 150, 30, 10
    starts, ends = windows_of(length, window, hop)
    first = np.clip((change - starts) / (ends - starts), 0, 1)
    segments = segments_of(starts, ends, np.stack([first, 1 - first], axis=1), hop, 5.0, slice(0, 2))
    assert [segment.class_ for segment in segments] == [0, 1]
    assert abs(segments[0].end - change) <= hop


def objective(classes, probabilities, durations, cost):
    right = sum(probabilities[index, class_] * durations[index] for index, class_ in enumerate(classes))
    return right - cost * np.count_nonzero(np.diff(classes))


@pytest.mark.parametrize("seed", range(20))
def test_no_sequence_of_classes_is_worth_more(seed):
    random = np.random.default_rng(seed)
    stretches, cost = int(random.integers(1, 7)), float(random.uniform(0, 1))
    probabilities = random.dirichlet(np.full(3, 0.3), size=stretches)
    durations = np.append(np.ones(stretches - 1), random.uniform(0.01, 1))
    found = objective(choose_classes(probabilities, durations, cost), probabilities, durations, cost)
    best = max(objective(each, probabilities, durations, cost) for each in product(range(3), repeat=stretches))
    assert found == pytest.approx(best)


@pytest.mark.parametrize("seed", range(20))
def test_a_segment_lasts_and_its_class_is_the_likeliest_in_its_mean(seed):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(4, 0.1), size=200)
    edges = np.append(np.arange(0, 2000, 10), 1993)  # the last stretch is shorter
    segments = segments_of(edges[:-1], edges[1:], probabilities, 10, 12.0, slice(0, 4))
    assert len(segments) > 2
    classes = choose_classes(probabilities, np.diff(edges), 12.0)
    chosen = [class_ for class_, _ in groupby(classes.tolist())]
    assert [segment.class_ for segment in segments] == chosen
    assert [int(segment.scores.argmax()) for segment in segments] == chosen
    lengths = [segment.end - segment.start for segment in segments]
    assert min(lengths) >= 12
    assert all(length >= 24 for length, a, c in zip(lengths[1:], chosen, chosen[2:], strict=False) if a == c)


def test_without_a_cost_each_stretch_is_its_likeliest_class():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), size=30)
    np.testing.assert_array_equal(choose_classes(probabilities, np.ones(30), 0.0), probabilities.argmax(axis=1))


def test_one_doubtful_stretch_changes_nothing_and_two_do():
    calm, angry = [0.9, 0.1], [0.2, 0.8]
    for doubtful, expected in ((1, [0] * 7), (2, [0, 0, 0, 1, 1, 0, 0, 0])):
        probabilities = np.array([calm] * 3 + [angry] * doubtful + [calm] * 3)
        assert choose_classes(probabilities, np.ones(len(probabilities)), 0.5).tolist() == expected


def test_a_mean_is_over_time():
    scores = np.array([[0.0, 6.0], [12.0, 0.0]])
    (segment,) = segments_of(np.array([0, 10]), np.array([10, 12]), scores, 10, 0.0, None)
    assert (segment.start, segment.end) == (0, 12)
    np.testing.assert_allclose(segment.scores, [2, 5])


def test_what_is_undecided_is_bounded():
    path, decided, sizes = ClassPath(switch_cost=1e9), [], []
    for _ in range(2500):
        decided += path.add(np.array([0.6, 0.4]), 1.0)
        sizes.append(len(path._classes))
    assert max(sizes) < 1000
    assert decided + path.end() == [0] * 2500


def test_a_region_of_an_hour_keeps_as_little_as_one_of_minutes():
    smoother = RegionSmoother(hop=10, switch_cost=1e9, classes=slice(0, 2))
    held, bounds = [], []
    for number in range(3600):
        window = Window(10 * number, np.zeros(30), number == 3599)
        bounds += smoother.add(window, np.array([0.6, 0.4]))
        held.append((len(smoother._undecided), len(smoother._average._windows)))
    assert np.max(held, axis=0).tolist() <= [1000, 3]
    assert [(bound.event, bound.end) for bound in bounds][-1] == ("segment_end", 36_020)
    assert len(bounds) == 2
