import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soxr
from starlette.websockets import WebSocketDisconnect

from inference.timeline.build import TimelineOptions, build_timeline
from inference.timeline.live import LiveTimeline
from inference.web.api.stream import PcmDecoder


def pcm(waveform):
    return (waveform * 32767).astype("<i2").tobytes()


def play(client, content, query="", chunk=8000):
    """The events of a stream, and the code with which it closes."""
    events = []
    with client.websocket_connect(f"/v1/stream{query}") as socket:
        for start in range(0, len(content), chunk):
            socket.send_bytes(content[start : start + chunk])
        socket.send_text("end")
        try:
            while True:
                events.append(json.loads(socket.receive_text()))
        except WebSocketDisconnect as closed:
            return events, closed.code


@pytest.mark.parametrize("chunk", [999, 32_000])
def test_the_events_are_those_of_the_live_timeline(client, predictor, spoken, chunk):
    waveform = np.concatenate([*spoken[:2], np.zeros(8000, np.float32), spoken[3]])
    content = pcm(waveform)
    events, code = play(client, content, "?window_s=2&hop_s=0.5&top_k=2", chunk)
    live = LiveTimeline(predictor, TimelineOptions(2.0, 0.5))
    samples = np.frombuffer(content, "<i2").astype(np.float32) / 32768
    expected = live.add(samples) + live.end()
    assert code == 1000
    assert [(event["event"], event.get("start_s")) for event in events] == [
        (event["event"], event.get("start_s")) for event in expected
    ]
    assert events[-2]["emotion"][0]["score"] == pytest.approx(expected[-2]["emotion"][0]["score"], abs=1e-6)
    assert len(events[-2]["emotion"]) == 2


def test_segments_of_a_stream_at_another_rate_are_those_of_the_file_within_a_hop(client, predictor, spoken):
    gap = np.zeros(16_000, np.float32)
    waveform = np.concatenate([part for line in spoken[:8] for part in (line, gap)])
    events, _ = play(client, pcm(soxr.resample(waveform, 16_000, 44_100)), "?sample_rate=44100", 50_000)
    segments = [event for event in events if event["event"] == "segment_end"]
    timeline = build_timeline(predictor, waveform, sampling_rate=16_000)
    assert len(segments) == len(timeline.segments)
    for event, segment in zip(segments, timeline.segments, strict=True):
        assert event["start_s"] == pytest.approx(segment.start_s, abs=1.0)
        assert event["end_s"] == pytest.approx(segment.end_s, abs=1.0)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?labels=bored", "invalid"),
        ("?window_s=60", "invalid"),
        ("?sample_rate=1", "invalid"),
        ("?encoding=mp3", "invalid"),
        ("?nothing=1", "invalid"),
    ],
)
def test_an_invalid_stream_is_refused_with_an_event(client, query, code):
    events, closed = play(client, b"", query)
    assert (events[0]["event"], events[0]["code"], closed) == ("error", code, 1007)


def test_keys_and_the_number_of_streams_are_checked(serve):
    client = serve(keys=("one",), streams=1)
    events, closed = play(client, b"")
    assert (events[0]["code"], closed) == ("unauthorized", 1008)
    with client.websocket_connect("/v1/stream?api_key=one") as first:
        events, closed = play(client, b"", "?api_key=one")
        assert (events[0]["code"], closed) == ("unavailable", 1013)
        first.send_text("end")
    assert client.service.admission.streams == 0


def test_a_stream_that_breaks_off_ends(client):
    with client.websocket_connect("/v1/stream") as socket:
        socket.send_bytes(bytes(1001))
        socket.close()
    assert play(client, bytes(64_000))[0][-1] == {"event": "hop", "time_s": 2.0, "speech": False}
    assert client.service.admission.streams == 0


@pytest.mark.slow
def test_a_service_that_ends_closes_its_streams_after_their_events(client, spoken):
    with client.websocket_connect("/v1/stream") as socket:
        socket.send_bytes(pcm(spoken[0][:16_000]))
        kinds = [json.loads(socket.receive_text())["event"]]
        client.service.admission.draining = True
        with pytest.raises(WebSocketDisconnect) as closed:
            kinds += [json.loads(socket.receive_text())["event"] for _ in range(99)]
    assert (kinds, closed.value.code) == (["speech_start"], 1012)


def test_a_service_that_ends_closes_streams_that_go_on_sending(client):
    closed = threading.Event()

    def send():
        while not closed.wait(0.05) and len(sent) < 200:
            socket.send_bytes(bytes(1600))
            sent.append(1)

    sent: list[int] = []
    with client.websocket_connect("/v1/stream") as socket, ThreadPoolExecutor(1) as threads:
        sending = threads.submit(send)
        client.service.admission.draining = True
        with pytest.raises(WebSocketDisconnect) as end:
            list(iter(socket.receive_text, None))
        closed.set()
        sending.result()
    assert (end.value.code, len(sent) < 100) == (1012, True)


def test_a_sample_may_come_in_two_chunks():
    decoder = PcmDecoder(16_000)
    samples = np.array([1, -2, 3], "<i2").tobytes()
    parts = [decoder.decode(samples[:1]), decoder.decode(samples[1:4]), decoder.decode(samples[4:], last=True)]
    assert (np.concatenate(parts) * 32768).tolist() == [1, -2, 3]
