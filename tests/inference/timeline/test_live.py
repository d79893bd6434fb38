import numpy as np
import pytest

from inference.engine.predictor import Predictor
from inference.timeline.build import TimelineOptions, build_timeline, predict_windows, timeline_rows
from inference.timeline.live import LiveTimeline
from modeling import SAMPLING_RATE, OutputOptions
from tests.conftest import TASKS, tiny_config
from tests.inference.conftest import noise


def play(live, waveform, chunk):
    events = [event for start in range(0, waveform.size, chunk) for event in live.add(waveform[start : start + chunk])]
    return events + live.end()


def of_kind(events, kind):
    return [event for event in events if event["event"] == kind]


def best_score(event):
    return event["emotion"][0]["score"] if "emotion" in event else None


@pytest.mark.parametrize("chunk", [48_000, 317_001, 1600])
@pytest.mark.parametrize(("window_s", "hop_s"), [(3.0, 1.0), (2.0, 0.5), (1.0, 0.7)])
def test_the_segments_are_those_of_the_file(predictor, film, chunk, window_s, hop_s):
    options, outputs = TimelineOptions(window_s, hop_s), OutputOptions(uncertain_below=0.6)
    timeline = build_timeline(predictor, film[0], options, sampling_rate=SAMPLING_RATE)
    expected = timeline_rows(timeline, predictor.tasks, predictor.main_task, outputs)
    events = play(LiveTimeline(predictor, options, outputs), film[0], chunk)
    found = of_kind(events, "segment_end")
    assert len(found) == len(expected) > 8
    for event, row in zip(found, expected, strict=True):
        assert (event["start_s"], event["end_s"]) == (row["start_s"], row["end_s"])
        assert event["emotion"][0]["label"] == row["emotion"][0]["label"]
        assert event["emotion"][0]["score"] == pytest.approx(row["emotion"][0]["score"], abs=1e-6)
        assert event["f0_mean"]["value"] == pytest.approx(row["f0_mean"]["value"], rel=1e-6)
    begun = [(event["start_s"], event["emotion"]) for event in of_kind(events, "segment_start")]
    assert begun == [(row["start_s"], row["emotion"][0]["label"]) for row in expected]


def test_every_hop_has_an_event_with_scores_where_somebody_speaks(predictor, film):
    waveform, script = film
    hops = of_kind(play(LiveTimeline(predictor), waveform, 4000), "hop")
    assert [hop["time_s"] for hop in hops] == list(range(1, int(waveform.size / SAMPLING_RATE) + 1))
    for hop in hops:
        assert hop["speech"] == ("emotion" in hop)
        for emotion, start_s, end_s in script:
            if start_s + 0.5 < hop["time_s"] < end_s - 0.2:
                assert (hop["speech"], hop["emotion"][0]["label"]) == (True, emotion)


def test_speech_begins_and_ends_where_segments_do(predictor, film):
    events = play(LiveTimeline(predictor), film[0], 8000)
    starts = [event["start_s"] for event in of_kind(events, "speech_start")]
    ends = [event["end_s"] for event in of_kind(events, "speech_end")]
    segments = of_kind(events, "segment_end")
    assert set(starts) <= {event["start_s"] for event in segments}
    assert set(ends) <= {event["end_s"] for event in segments}
    assert len(starts) == len(ends) > 8


def test_sound_that_comes_late_is_processed_many_hops_at_a_time(predictor, film, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "inference.timeline.live.predict_windows",
        lambda predictor, windows, labels: calls.append(len(windows)) or predict_windows(predictor, windows, labels),
    )
    expected = play(LiveTimeline(predictor), film[0], 16_000)
    hops, alone = len(of_kind(expected, "hop")), len(calls)
    calls.clear()
    found = play(LiveTimeline(predictor), film[0], film[0].size)
    assert [event["event"] for event in found] == [event["event"] for event in expected]
    for hop, other in zip(of_kind(found, "hop"), of_kind(expected, "hop"), strict=True):
        assert best_score(hop) == pytest.approx(best_score(other), abs=1e-5)
    assert len(calls) <= hops / 16 + 2 < alone / 4


def test_silence_has_hops_alone(predictor):
    events = play(LiveTimeline(predictor), noise(3, 0.001), 1000)
    assert events == [{"event": "hop", "time_s": float(second), "speech": False} for second in (1, 2, 3)]


def test_a_number_has_a_segment_per_region(film):
    task = TASKS[2]
    predictor = Predictor(tiny_config((task,)), lambda values, mask: {"f0_mean": mask.sum(axis=1, keepdims=True)})
    timeline = build_timeline(predictor, film[0], sampling_rate=SAMPLING_RATE)
    found = of_kind(play(LiveTimeline(predictor), film[0], 16_000), "segment_end")
    assert [event["start_s"] for event in found] == [segment.start_s for segment in timeline.segments]


def test_memory_does_not_grow_with_the_length_of_speech(predictor, spoken):
    live, line = LiveTimeline(predictor), np.concatenate(spoken[:4])
    sizes = []
    for _ in range(12):
        live.add(line)
        sizes.append(live._cutter._held.size + live._detector._held.size)
    assert max(sizes) < 5 * SAMPLING_RATE
    assert line.size * 12 > 50 * SAMPLING_RATE


@pytest.mark.parametrize(
    "arguments", [{"options": TimelineOptions(window_s=60.0)}, {"outputs": OutputOptions(labels=("bored",))}]
)
def test_what_the_model_cannot_do_is_refused(predictor, arguments):
    with pytest.raises(ValueError, match=r"60|bored"):
        LiveTimeline(predictor, **arguments)
