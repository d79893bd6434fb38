"""Outputs of overlapping windows -> segments of a region, each of one emotion, as the windows come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from .windows import Window


class Stretch(NamedTuple):
    """Samples `start` to `end`, and the outputs of every head over them, `(outputs,)`."""

    start: int
    end: int
    scores: np.ndarray


class StretchAverage:
    """The scores of a region over time, from those of its windows.

    A stretch lasts `hop` samples; the last one of the region may be shorter. Its scores are the mean of the windows
    that it lies in, weighted by how much of it they cover.
    """

    def __init__(self, hop: int):
        self._hop = hop
        self._windows: list[Stretch] = []  # that reach beyond the finished stretches
        self._next: int | None = None  # where the next stretch begins

    def add(self, window: Window, scores: np.ndarray) -> Iterator[Stretch]:
        """Takes the next window with its scores `(outputs,)`; yields the stretches that no later window overlaps."""
        self._windows.append(Stretch(window.start, window.end, scores))
        self._next = window.start if self._next is None else self._next
        while self._next < (window.end if window.ends else window.start - self._hop + 1):
            start, self._next = self._next, min(self._next + self._hop, window.end)
            yield Stretch(start, self._next, _average(self._windows, start, self._next))
        self._windows = [held for held in self._windows if held.end > self._next]

    def latest(self, rest: Window, scores: np.ndarray) -> np.ndarray:
        """The scores `(outputs,)` of the last `hop` samples so far, with the end of the region as one more window."""
        start = max(rest.start, rest.end - self._hop)
        return _average([*self._windows, Stretch(rest.start, rest.end, scores)], start, rest.end)


def _average(windows: Sequence[Stretch], start: int, end: int) -> np.ndarray:
    covered = np.array([max(0, min(window.end, end) - max(window.start, start)) for window in windows], np.float64)
    mean: np.ndarray = covered @ np.array([window.scores for window in windows], np.float64) / covered.sum()
    return mean


_MAX_UNDECIDED = 1000  # stretches: 17 minutes of speech with the default hop


class ClassPath:
    """The class of each stretch of a region, such that classes do not flicker.

    Of all sequences it is the one with the greatest expected time of right classes, less `switch_cost` for every
    change: the present class stays until the lead of another one, summed over time, is worth the change. It follows
    that no segment next to another one is shorter than `switch_cost`, none inside another class shorter than twice
    that, and that the class of a segment is the likeliest one in the segment's mean. A class is decided as soon as no
    later stretch can change it, or when it is the first of a thousand that are undecided: then all of them are, by what
    has come, and the next stretch may change the class at no cost.

    Args:
        switch_cost: in the unit of the durations.
    """

    def __init__(self, switch_cost: float):
        self._switch_cost = switch_cost
        self._best: np.ndarray | None = None  # gain of the best path to each class, (classes,)
        self._classes = np.empty((0, 0), int)  # of each undecided stretch on each of these paths, (stretches, classes)

    def add(self, probabilities: np.ndarray, duration: float) -> list[int]:
        """Takes the next stretch, probabilities `(classes,)`; returns the classes that are decided now, in order."""
        gain, classes = probabilities * duration, np.arange(len(probabilities))
        if self._best is None:
            self._best, self._classes = gain, classes[None]
            return []
        leader = int(self._best.argmax())
        threshold = self._best[leader] - self._switch_cost
        stays = self._best >= threshold
        self._best = np.where(stays, self._best, threshold) + gain
        self._classes = np.vstack([self._classes[:, np.where(stays, classes, leader)], classes])
        return self._decide()

    def end(self) -> list[int]:
        """The classes of the stretches that are left."""
        return [] if self._best is None else self._classes[:, self._best.argmax()].tolist()

    def _decide(self) -> list[int]:
        """Removes and returns the beginning that the best paths to all classes share."""
        before = self._classes[:-1]
        shared = int((before == before[:, :1]).all(axis=1).sum())  # they share all that comes before the last of these
        if not shared and len(self._classes) >= _MAX_UNDECIDED:
            return self._decide_all()
        decided, self._classes = self._classes[:shared, 0].tolist(), self._classes[shared:]
        return decided

    def _decide_all(self) -> list[int]:
        """Removes and returns everything, so that memory does not grow with the length of a region."""
        decided, self._best, self._classes = self.end(), None, self._classes[:0]
        return decided


class SegmentBound(NamedTuple):
    """A segment begins, or ends.

    Args:
        event: which of the two.
        start, end: in samples; where it begins, `end` is that of its first stretch.
        class_: the index of its class.
        scores: the mean over time of the outputs of every head, `(outputs,)`.
    """

    event: Literal["segment_start", "segment_end"]
    start: int
    end: int
    class_: int
    scores: np.ndarray


class RegionSmoother:
    """Windows of a region of speech, one by one -> its segments.

    Args:
        hop: samples from one window to the next, and between the times at which a segment can begin.
        switch_cost: as of [`ClassPath`], in samples.
        classes: where the probabilities of the classes are in the scores; `None`: the whole region is one segment.
    """

    def __init__(self, hop: int, switch_cost: float, classes: slice | None):
        self._average, self._path, self._classes = StretchAverage(hop), ClassPath(switch_cost), classes
        self._undecided: deque[Stretch] = deque()  # finished stretches without a class
        self._segment: _Segment | None = None

    def add(self, window: Window, scores: np.ndarray) -> Iterator[SegmentBound]:
        """Takes the next window with its scores `(outputs,)`; yields the beginnings and ends of segments."""
        for stretch in self._average.add(window, scores):
            self._undecided.append(stretch)
            probabilities = np.zeros(1) if self._classes is None else stretch.scores[self._classes]
            yield from self._extend(self._path.add(probabilities, stretch.end - stretch.start))
        if window.ends:
            yield from self._extend(self._path.end())
            if self._segment is not None:
                yield self._segment.bound("segment_end")

    def latest(self, rest: Window, scores: np.ndarray) -> np.ndarray:
        """See [`StretchAverage.latest`]."""
        return self._average.latest(rest, scores)

    def _extend(self, classes: Sequence[int]) -> Iterator[SegmentBound]:
        """Adds the stretches whose classes were decided to the open segment, or begins others with them."""
        for class_ in classes:
            stretch = self._undecided.popleft()
            if self._segment is not None and self._segment.class_ == class_:
                self._segment.add(stretch)
                continue
            if self._segment is not None:
                yield self._segment.bound("segment_end")
            self._segment = _Segment(class_, stretch)
            yield self._segment.bound("segment_start")


class _Segment:
    """Successive stretches of one class, and the mean of their scores over time."""

    def __init__(self, class_: int, first: Stretch):
        self.class_ = class_
        self._start = self._end = first.start
        self._sum = np.zeros_like(first.scores)
        self.add(first)

    def add(self, stretch: Stretch) -> None:
        self._sum = self._sum + stretch.scores * (stretch.end - stretch.start)
        self._end = stretch.end

    def bound(self, event: Literal["segment_start", "segment_end"]) -> SegmentBound:
        return SegmentBound(event, self._start, self._end, self.class_, self._sum / (self._end - self._start))
