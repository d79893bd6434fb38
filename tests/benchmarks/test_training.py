from benchmarks.measure import Laps
from benchmarks.training import PEERS, WAYS, StepClock, _beside_peers, _bfloat16


def test_a_clock_times_each_step_from_the_end_of_the_one_before(monkeypatch):
    clock = StepClock()
    times = iter((1.0, 2.0, 2.5, 4.0, 9.0, 9.25, 10.0))  # begin; before and after the optimizer, and the end, twice
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    monkeypatch.setattr("time.process_time", iter((0.0, 2.0, 7.0)).__next__)
    clock.on_train_begin()
    for _ in range(2):
        clock.on_pre_optimizer_step()
        clock.on_optimizer_step()
        clock.on_step_end()
    assert [clock.step(number) for number in (0, 1)] == [(3.0, 2.0), (6.0, 5.0)]
    assert clock.optimizer_s == [0.5, 0.25]


def test_each_peer_has_a_line_in_audio_per_second():
    assert {"ours", *PEERS} == {*WAYS}
    steps = {
        f"{way}, {precision}": Laps([seconds / speed] * 2, [audio] * 2)
        for precision, speed in (("float32", 1), ("bfloat16", 4))
        for way, seconds, audio in (("ours", 1.0, 3.0), ("padded to 6 s", 2.0, 3.0), ("random batches", 2.0, 4.0))
    }
    for precision in ("float32", "bfloat16"):
        lines = _beside_peers(steps, precision, "")
        assert [(line.value, line.target) for line in lines] == [(2.0, 2.0), (1.5, 1.8)]
        assert [precision in line.claim for line in lines] == [precision == "bfloat16"] * 2
    assert _bfloat16(steps).value == 4.0
    assert _bfloat16(steps).target is None
