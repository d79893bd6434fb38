import pytest

from common.processes import must_join_on_cpu, num_processes_started


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for name in ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MASTER_ADDR", "ACCELERATE_USE_CPU"):
        monkeypatch.delenv(name, raising=False)


def test_one_process_is_alone():
    assert num_processes_started() == 1
    assert not must_join_on_cpu()


@pytest.mark.parametrize("launcher", ["WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE"])
def test_several_processes_are_counted_and_have_no_gpu_here(monkeypatch, launcher):
    monkeypatch.setenv(launcher, "2")
    assert num_processes_started() == 2
    assert must_join_on_cpu()


def test_a_single_process_in_the_place_of_several_is_refused(monkeypatch):
    # What `accelerate launch --cpu --num_processes 2` exports.
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with pytest.raises(ValueError, match="torchrun"):
        num_processes_started()
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert num_processes_started() == 2
