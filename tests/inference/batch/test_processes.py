import pytest

from inference.batch.processes import join_processes


def test_a_single_process_acts_itself_and_raises_its_error(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    process = join_processes()
    assert (process.num_processes, process.process_index, process.is_main_process) == (1, 0, True)
    process.wait_for_everyone()
    with pytest.raises(ValueError, match="twice"):
        process.in_first(lambda: int("twice"))
