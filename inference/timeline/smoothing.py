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
        covering = slice(np.searchsorted(ends, start, "right"), np.searchsorted(starts, end, "left"))
        covered = np.minimum(ends[covering], end) - np.maximum(starts[covering], start)
        means[index] = covered @ scores[covering] / covered.sum()
    return edges, means


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
    gains = probabilities * durations[:, None]
    best = gains[0]
    came_from = np.empty(gains.shape, np.intp)
    for index, gain in enumerate(gains[1:], start=1):
        leader = int(best.argmax())
        stays = best >= best[leader] - switch_cost
        came_from[index] = np.where(stays, np.arange(len(gain)), leader)
        best = np.where(stays, best, best[leader] - switch_cost) + gain
    classes = np.empty(len(gains), np.intp)
    classes[-1] = best.argmax()
    for index in range(len(gains) - 1, 0, -1):
        classes[index - 1] = came_from[index, classes[index]]
    return classes


def join_stretches(edges: np.ndarray, means: np.ndarray, classes: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
    """Successive stretches of one class as `(start, end, mean scores (outputs,))`."""
    changes = np.flatnonzero(np.diff(classes)) + 1
    bounds = [0, *changes.tolist(), len(classes)]
    durations = np.diff(edges)
    return [
        (int(edges[first]), int(edges[stop]), np.average(means[first:stop], axis=0, weights=durations[first:stop]))
        for first, stop in pairwise(bounds)
    ]
