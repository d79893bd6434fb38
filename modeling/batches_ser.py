"""Batches of clips of like length: less padding to compute, and since padding is masked, the same answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches_by_length(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Indices of clips in batches of like length, the longest first, so that memory runs out early or never."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    return [order[first : first + batch_size] for first in range(0, len(order), batch_size)]


def pools(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` successive items, the last one shorter."""
    iterator = iter(items)
    while pool := list(islice(iterator, size)):
        yield pool
