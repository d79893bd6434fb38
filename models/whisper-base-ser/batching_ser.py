"""Batches of clips of similar length: less padding to compute, and since padding is masked, the same outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

# Shortest clip over longest in a batch. On a CPU a batch of 8 saves a sixth of the time, which more padding would cost.
_MIN_LENGTH_RATIO = 0.8


def length_grouped_batches(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Indices of clips in batches of similar length, the longest first, so that memory runs out early or never.

    A batch has `batch_size` clips, or fewer where the next one would be padded by more than a fifth.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if batches and len(batches[-1]) < batch_size and lengths[index] >= _MIN_LENGTH_RATIO * lengths[batches[-1][0]]:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` successive items, the last one shorter.

    Raises:
        ValueError: the size is below 1.
    """
    if size < 1:
        raise ValueError(f"The batch size must be 1 or more, got {size}.")
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
