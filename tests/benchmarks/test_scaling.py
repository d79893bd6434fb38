import pytest

from benchmarks.scaling import THREADS, form, thread_numbers


def test_batches_by_length_have_little_padding():
    few, many = form(100), form(5_000)
    assert 0 < many["training"] < 0.05
    assert 0 < many["prediction"] < 0.05
    assert many["training"] < few["training"] < few["random"]
    assert many["random"] == pytest.approx(0.4, abs=0.05)
    assert many["padded"] == pytest.approx(0.445, abs=0.01)


@pytest.mark.parametrize(("cores", "expected"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 3, 4, 5, 6]), (16, [*THREADS[:8]])])
def test_threads_are_some_up_to_all(monkeypatch, cores, expected):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {*range(cores)})
    assert thread_numbers() == expected
