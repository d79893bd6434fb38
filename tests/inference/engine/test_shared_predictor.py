import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from inference.engine.predictor import Predictor, load_predictor
from inference.engine.shared_predictor import SharedPredictor
from tests.conftest import TASKS, tiny_config, voice

CLIPS = [voice(seconds, 90 + 10 * i, i) for i, seconds in enumerate((2.5, 0.02, 4.0, 0.4, 6.0, 1.1, 0.4, 2.4))]


def test_outputs_are_those_of_the_predictor_however_many_ask_at_once(checkpoint):
    predictor = load_predictor(str(checkpoint))
    expected = predictor(CLIPS)
    shared = SharedPredictor(predictor)
    with ThreadPoolExecutor(8) as clients:
        found = list(clients.map(lambda clip: shared([clip]), CLIPS * 4))
    for index, outputs in enumerate(found):
        for task in TASKS:
            tolerance = 1e-5 * (task.std if task.unit else 1)
            np.testing.assert_allclose(outputs[task.name][0], expected[task.name][index % 8], atol=tolerance)
    assert shared(CLIPS)["emotion"] == pytest.approx(expected["emotion"], abs=1e-5)
    shared.close()


def test_what_waits_while_it_computes_is_batched_together():
    sizes, release = [], threading.Event()

    def forward(values, mask):
        release.wait()
        sizes.append(len(values))
        return {task.name: np.zeros((len(values), task.num_outputs), np.float32) for task in TASKS}

    groups = []
    shared = SharedPredictor(Predictor(tiny_config(), forward), 0.0, lambda count, seconds: groups.append(count))
    first = shared.submit(CLIPS[0])
    while shared.num_waiting:
        pass
    others = [shared.submit(CLIPS[0]) for _ in range(16)]
    release.set()
    assert [future.result()["emotion"].shape for future in [first, *others]] == [(3,)] * 17
    shared.close()
    assert (groups, sizes) == ([1, 16], [1, 8, 8])


def test_what_is_canceled_while_it_waits_is_not_computed_and_others_are():
    sizes, release = [], threading.Event()

    def forward(values, mask):
        release.wait()
        sizes.append(len(values))
        return {task.name: np.zeros((len(values), task.num_outputs), np.float32) for task in TASKS}

    shared = SharedPredictor(Predictor(tiny_config(), forward), 0.0)
    first = shared.submit(CLIPS[0])
    while shared.num_waiting:
        pass
    others = [shared.submit(CLIPS[0]) for _ in range(3)]
    assert others[0].cancel()
    release.set()
    assert [future.result()["emotion"].shape for future in (first, *others[1:])] == [(3,)] * 3
    assert not first.cancel()
    alone = shared.submit(CLIPS[0])
    alone.cancel()
    assert shared(CLIPS[:1])["emotion"].shape == (1, 3)
    shared.close()
    assert sum(sizes) in (4, 5)  # the last one may have been computed before it was canceled


def test_an_error_reaches_those_who_asked_and_no_others():
    def forward(values, mask):
        if mask.shape[1] == 10:
            raise RuntimeError("out of memory")
        return {task.name: np.zeros((len(values), task.num_outputs), np.float32) for task in TASKS}

    shared = SharedPredictor(Predictor(tiny_config(), forward), 0.0)
    with pytest.raises(RuntimeError, match="out of memory"):
        shared([np.zeros(10, np.float32)])
    assert shared([np.zeros(20, np.float32)])["emotion"].shape == (1, 3)
    shared.close()
