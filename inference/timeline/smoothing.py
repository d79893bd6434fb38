"""Outputs of overlapping windows -> segments of a region, each of one emotion."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def average_stretches(
    starts: np.ndarray, ends: np.ndarray, scores: np.ndarray, hop: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scores over time, from those of the windows of one region.

    Args:
        starts, ends: of the windows, in samples, each `(windows,)` and never decreasing. Together the windows cover the
            region without a gap.
        scores: of the windows, `(windows, outputs)`.
        hop: samples of a stretch; the last one of the region may be shorter.

    Returns:
        The stretches' edges in samples `(stretches + 1,)`, and for each of them `(stretches, outputs)` the mean of the
        windows that it lies in, weighted by how much of it they cover.
    """
    edges = np.append(np.arange(starts[0], ends[-1], hop), ends[-1])
    means = np.empty((len(edges) - 1, scores.shape[1]))
    for index, (start, end) in enumerate(pairwise(edges)):
        means[index] = average_stretch(starts, ends, scores, start, end)
    return edges, means


def average_stretch(starts: np.ndarray, ends: np.ndarray, scores: np.ndarray, start: int, end: int) -> np.ndarray:
    """The mean scores `(outputs,)` of the windows that a stretch lies in; arguments as of [`average_stretches`]."""
    covering = slice(np.searchsorted(ends, start, "right"), np.searchsorted(starts, end, "left"))
    covered = np.minimum(ends[covering], end) - np.maximum(starts[covering], start)
    mean: np.ndarray = covered @ scores[covering] / covered.sum()
    return mean


def choose_classes(probabilities: np.ndarray, durations: np.ndarray, switch_cost: float) -> np.ndarray:
    """The class of each stretch of a region, such that classes do not flicker.

    Of all sequences it is the one with the greatest expected time of right classes, less `switch_cost` for every
    change: the present class stays until the lead of another one, summed over time, is worth the change. It follows
    that no segment beside another one is shorter than `switch_cost`, none inside another class shorter than twice that,
    and that the class of a segment is the likeliest one in the segment's mean.

    Args:
        probabilities: `(stretches, classes)`.
        durations: `(stretches,)`.
        switch_cost: in the unit of the durations.

    Returns:
        Indices of classes, `(stretches,)`.
    """
    path = ClassPath(switch_cost)
    decided: list[int] = []
    for row, duration in zip(probabilities, durations, strict=True):
        decided += path.add(row, duration)
    return np.array(decided + path.end(), np.intp)


class ClassPath:
    """[`choose_classes`] of stretches that come one by one; a class is decided as soon as no later stretch changes it.

    Args:
        switch_cost: as of [`choose_classes`].
    """

    def __init__(self, switch_cost: float):
        self._switch_cost = switch_cost
        self._best: np.ndarray | None = None  # gain of the best path to each class, (classes,)
        self._came_from: list[np.ndarray] = []  # for each stretch after the first undecided one, (classes,)

    def add(self, probabilities: np.ndarray, duration: float) -> list[int]:
        """Takes the next stretch, probabilities `(classes,)`; returns the classes that are decided now, in order."""
        gain = probabilities * duration
        if self._best is None:
            self._best = gain
            return []
        leader = int(self._best.argmax())
        threshold = self._best[leader] - self._switch_cost
        stays = self._best >= threshold
        self._came_from.append(np.where(stays, np.arange(len(gain)), leader))
        self._best = np.where(stays, self._best, threshold) + gain
        return self._decide()

    def end(self) -> list[int]:
        """The classes of the stretches that are left."""
        if self._best is None:
            return []
        return self._trace(int(self._best.argmax()))

    def _decide(self) -> list[int]:
        """Removes and returns the beginning that the best paths to all classes share."""
        origins = np.arange(len(self._came_from[-1]))
        for index in range(len(self._came_from) - 1, -1, -1):
            origins = self._came_from[index][origins]
            if (origins == origins[0]).all():
                decided = self._trace(int(origins[0]), index)
                del self._came_from[: index + 1]
                return decided
        return []

    def _trace(self, last: int, stop: int | None = None) -> list[int]:
        """The undecided classes on the best path that ends in a class."""
        classes = [last]
        for came_from in reversed(self._came_from[:stop]):
            classes.append(int(came_from[classes[-1]]))
        return classes[::-1]


def join_stretches(edges: np.ndarray, means: np.ndarray, classes: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
    """Successive stretches of one class as `(start, end, mean scores (outputs,))`."""
    changes = np.flatnonzero(np.diff(classes)) + 1
    bounds = [0, *changes.tolist(), len(classes)]
    durations = np.diff(edges)
    return [
        (int(edges[first]), int(edges[stop]), np.average(means[first:stop], axis=0, weights=durations[first:stop]))
        for first, stop in pairwise(bounds)
    ]
