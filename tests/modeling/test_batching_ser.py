from itertools import count, islice

import pytest

from modeling import batched, length_grouped_batches


def test_batches_hold_clips_of_like_length_each_once_the_longest_first():
    lengths = [3, 90, 10, 71, 81, 75, 79]
    batches = length_grouped_batches(lengths, 3)
    assert sorted(index for batch in batches for index in batch) == list(range(7))
    assert [[lengths[index] for index in batch] for batch in batches] == [[90, 81, 79], [75, 71], [10], [3]]
    assert length_grouped_batches([], 3) == []


def test_a_stream_is_read_pool_by_pool():
    assert list(batched(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batched([], 3)) == []
    assert list(islice(batched(count(), 2), 2)) == [[0, 1], [2, 3]]  # which never ends


@pytest.mark.parametrize("size", [0, -3])
def test_pools_of_nothing_are_rejected_where_they_would_lose_all(size):
    with pytest.raises(ValueError, match=rf"got {size}\."):
        next(batched(range(7), size))
