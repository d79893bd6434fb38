from benchmarks.processes import Part, _lines


def part(seconds: float) -> Part:
    return Part(seconds, waiting_s=seconds / 4, optimizer_s=seconds / 10, exchange_s=0.5, megabytes=150.0)


def test_two_processes_and_two_trainings_are_beside_one_process():
    one, two, apart = [part(10.0)], [part(6.0), part(5.0)], [part(12.5), part(11.0)]
    processes, ceiling = _lines([(one, two, apart), ([part(9.0)], two, apart)], "addmm 90%")
    assert (processes.high, processes.low) == (10 / 6, 9 / 6)  # the slower of both ends the step
    assert (ceiling.high, ceiling.low) == (20 / 12.5, 18 / 12.5)  # which has computed twice as many clips
    assert (processes.target, ceiling.target) == (1.8, None)
    assert "addmm 90%" in processes.note
    assert "25% and 25%" in processes.note
