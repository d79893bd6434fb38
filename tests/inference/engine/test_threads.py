import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from inference.engine.threads import num_threads, start_threads


@pytest.mark.parametrize("threads", [4], indirect=True)
@pytest.mark.parametrize(("count", "share"), [(2, 2), (4, 1), (8, 1)])
def test_threads_divide_those_of_pytorch_and_others_keep_theirs(threads, count, share):
    with start_threads(count) as workers:
        assert set(workers.map(lambda _: torch.get_num_threads(), range(20))) == {share}
    assert torch.get_num_threads() == 4
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == 4


@pytest.mark.parametrize("threads", [5], indirect=True)
@pytest.mark.parametrize(("count", "shares"), [(2, [2, 3]), (3, [1, 2, 2]), (5, [1] * 5), (7, [1] * 7)])
def test_threads_that_do_not_divide_evenly_are_all_used(threads, count, shares):
    together = threading.Barrier(count)

    def share(_):
        together.wait(10)  # each thread gets one call
        return torch.get_num_threads()

    with start_threads(count) as workers:
        assert sorted(workers.map(share, range(count))) == shares


def test_without_pytorch_the_environment_decides(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert num_threads() == 3
    for given in ("", "0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", given)
        assert num_threads() >= 1
    with start_threads(2) as threads:
        assert list(threads.map(abs, (-1, 2))) == [1, 2]
