import os
import signal
from concurrent.futures import ProcessPoolExecutor

import joblib
import pytest
from datasets import Dataset

from common.workers import KilledWorkerError, killed_worker_errors


def kill_itself(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def in_a_pool():
    with ProcessPoolExecutor(1) as pool:
        list(pool.map(kill_itself, [0]))


def as_it_starts():
    with ProcessPoolExecutor(1) as pool:
        pool.submit(kill_itself).exception()
        pool.submit(int)  # to a pool that is broken already


def in_joblib():
    joblib.Parallel(2)(joblib.delayed(kill_itself)(number) for number in range(4))


def in_datasets():
    Dataset.from_dict({"a": [0, 1]}).map(kill_itself, num_proc=2)


@pytest.mark.parametrize("work", [in_a_pool, as_it_starts, in_joblib, in_datasets])
@pytest.mark.slow
def test_a_killed_worker_is_one_error_whichever_library_started_it(work):
    with pytest.raises(KilledWorkerError), killed_worker_errors():
        work()


def test_other_errors_of_a_worker_are_not_taken_for_it():
    with pytest.raises(RuntimeError) as caught, killed_worker_errors():
        raise RuntimeError("another")
    assert not isinstance(caught.value, KilledWorkerError)
