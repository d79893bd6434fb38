import sys
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


def test_without_pytorch_the_environment_decides(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert num_threads() == 3
    for given in ("", "0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", given)
        assert num_threads() >= 1
    with start_threads(2) as threads:
        assert list(threads.map(abs, (-1, 2))) == [1, 2]
