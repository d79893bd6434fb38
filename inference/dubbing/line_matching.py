"""The lines of two aligned tracks -> which are the same, and which are in one track only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .alignment import Alignment

# Share of the shorter line; a smaller overlap is a neighbor that begins early or ends late.
_MIN_OVERLAP = 0.5


@dataclass(frozen=True)
class MatchedLines:
    """Lines as start and end in seconds, each in the order of time.

    Args:
        source, dub: the lines that both tracks have, each in its own time, `(lines, 2)`.
        missing: those of the source that the dub lacks, in the source's time, `(missing, 2)`.
        added: those that only the dub has, in the dub's time, `(added, 2)`.
    """

    source: np.ndarray
    dub: np.ndarray
    missing: np.ndarray
    added: np.ndarray


def match_lines(source: np.ndarray, dub: np.ndarray, alignment: Alignment) -> MatchedLines:
    """Finds the lines that two tracks share.

    Lines of the two are the same if they overlap by half of the shorter one. Speech that is one line in one track and
    has a pause in the other is one line.

    Args:
        source, dub: lines of each track in its own time, `(lines, 2)`, in order and without overlap.
        alignment: of the tracks.
    """
    labels = _label(alignment.to_dub(source), dub)
    source_labels, dub_labels = labels[: len(source)], labels[len(source) :]
    # Of each line all parts are successive in time, so it starts where the first one does.
    shared = [label for label in dict.fromkeys(source_labels.tolist()) if label in set(dub_labels.tolist())]
    return MatchedLines(
        source=_spans(source, source_labels, shared),
        dub=_spans(dub, dub_labels, shared),
        missing=source[~np.isin(source_labels, dub_labels)],
        added=dub[~np.isin(dub_labels, source_labels)],
    )


def _label(source: np.ndarray, dub: np.ndarray) -> np.ndarray:
    """A number for each line of the source and then of the dub, the same for the same line."""
    pairs = []
    first = np.searchsorted(dub[:, 1], source[:, 0], side="right")
    stop = np.searchsorted(dub[:, 0], source[:, 1])
    for row, (start, end) in enumerate(source):
        for column in range(first[row], stop[row]):
            overlap = min(end, dub[column, 1]) - max(start, dub[column, 0])
            if overlap >= _MIN_OVERLAP * min(end - start, dub[column, 1] - dub[column, 0]):
                pairs.append((row, len(source) + column))
    count = len(source) + len(dub)
    rows, columns = np.array(pairs, dtype=int).reshape(-1, 2).T
    return connected_components(coo_array((np.ones(len(pairs)), (rows, columns)), (count, count)), directed=False)[1]


def _spans(lines: np.ndarray, labels: np.ndarray, shared: list[int]) -> np.ndarray:
    """Start of the first and end of the last part of each shared line, `(shared, 2)`."""
    spans = [(lines[labels == label, 0].min(), lines[labels == label, 1].max()) for label in shared]
    return np.array(spans).reshape(-1, 2)
