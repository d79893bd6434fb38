import itertools
import struct

import numpy as np
import pytest
import soundfile

from inference.engine.predictor import Predictor, load_predictor
from inference.timeline.build import TimelineOptions, build_timeline, timeline_rows
from inference.timeline.voice_activity import find_speech
from modeling import SAMPLING_RATE, AudioError, OutputOptions, Task
from tests.conftest import TASKS, tiny_config
from tests.inference.conftest import noise
from tests.inference.timeline.conftest import LEVELS


def build(predictor, waveform, progress=None, **options):
    return build_timeline(predictor, waveform, TimelineOptions(**options), progress, sampling_rate=SAMPLING_RATE)


def emotion_of(segment):
    return TASKS[0].labels[segment.outputs["emotion"].argmax()]


def regions_of(waveform):
    """The bounds of the regions of speech in seconds."""
    regions, start = [], None
    for part in find_speech([waveform]):
        start = part.start if start is None else start
        if part.ends:
            regions.append((start / SAMPLING_RATE, (part.start + part.waveform.size) / SAMPLING_RATE))
            start = None
    return regions


def union(segments):
    """What the segments cover, in seconds."""
    covered = []
    for segment in segments:
        assert segment.end_s > segment.start_s
        if covered and covered[-1][1] == segment.start_s:
            covered[-1] = (covered[-1][0], segment.end_s)
        else:
            assert not covered or segment.start_s > covered[-1][1]
            covered.append((segment.start_s, segment.end_s))
    return covered


def test_every_speaker_is_found_with_their_emotion_and_nothing_else(predictor, film):
    waveform, script = film
    timeline = build(predictor, waveform)
    assert timeline.duration_s == waveform.size / SAMPLING_RATE
    found = list(timeline.segments)
    for emotion, start_s, end_s in script:
        inside = [segment for segment in found if segment.start_s < end_s and segment.end_s > start_s]
        assert {emotion_of(segment) for segment in inside} == {emotion}
        assert abs(inside[0].start_s - start_s) < 0.5
        assert abs(inside[-1].end_s - end_s) < 0.5
        found = [segment for segment in found if segment not in inside]
    assert found == []


@pytest.mark.parametrize("options", [{}, {"window_s": 1.0, "hop_s": 0.3, "switch_cost_s": 0.0}, {"window_s": 6.0}])
def test_segments_cover_exactly_the_speech(predictor, film, options):
    timeline = build(predictor, film[0], **options)
    regions = regions_of(film[0])
    assert union(timeline.segments) == regions
    assert timeline.speech_s == pytest.approx(sum(end - start for start, end in regions))
    assert max(predictor._backend.lengths) <= options.get("window_s", 3.0) * SAMPLING_RATE
    for segment in timeline.segments:
        assert segment.outputs["emotion"].sum() == pytest.approx(1)
        assert segment.outputs["f0_mean"].shape == ()


def test_a_change_without_a_pause_is_right_to_one_hop(predictor, spoken):
    """A monologue of several minutes' blocks, of which each emotion is a part."""
    voice = np.tile(spoken[0][2_000:10_000], 60)
    waveform = np.concatenate([voice * LEVELS[emotion] / 0.1 for emotion in ("angry", "happy", "sad")])
    timeline = build(predictor, waveform)
    assert len(union(timeline.segments)) == 1
    assert [emotion_of(segment) for segment in timeline.segments] == ["angry", "happy", "sad"]
    for index, segment in enumerate(timeline.segments[1:], start=1):
        assert abs(segment.start_s - index * voice.size / SAMPLING_RATE) <= 1.0
        assert segment.start_s == timeline.segments[index - 1].end_s


def test_a_region_shorter_than_a_window_is_processed_whole(checkpoint, film):
    predictor = load_predictor(str(checkpoint))
    timeline = build(predictor, film[0], window_s=6.0)
    regions = regions_of(film[0])
    alone = predictor([film[0][round(a * SAMPLING_RATE) : round(b * SAMPLING_RATE)] for a, b in regions])
    assert [(segment.start_s, segment.end_s) for segment in timeline.segments] == regions
    for row, segment in enumerate(timeline.segments):
        for task in TASKS:
            np.testing.assert_allclose(segment.outputs[task.name], alone[task.name][row], rtol=1e-5, atol=1e-5)


def test_each_channel_is_a_speaker(predictor, lines):
    silence = [np.zeros_like(line) for _, line in lines[:4]]
    left = np.concatenate([lines[0][1], silence[1], lines[2][1], silence[3]])
    right = np.concatenate([silence[0], lines[1][1], lines[2][1], lines[3][1]])
    timeline = build(predictor, np.stack([left, right]), channels="each")
    for channel, waveform in enumerate((left, right)):
        segments = [segment for segment in timeline.segments if segment.channel == channel]
        assert union(segments) == regions_of(waveform)
    starts = [segment.start_s for segment in timeline.segments]
    assert starts == sorted(starts)
    lengths = [end - start for waveform in (left, right) for start, end in regions_of(waveform)]
    assert timeline.speech_s == pytest.approx(sum(lengths))
    assert timeline.duration_s == left.size / SAMPLING_RATE
    mixed = build(predictor, np.stack([left, right]))
    assert {segment.channel for segment in mixed.segments} == {None}
    assert union(mixed.segments) == regions_of(((left + right) / 2).astype(np.float32))


def test_the_one_channel_of_a_recording_is_a_speaker_too(predictor, film):
    mixed, each = build(predictor, film[0]), build(predictor, film[0], channels="each")
    assert {segment.channel for segment in each.segments} == {0}
    assert union(each.segments) == union(mixed.segments)


def test_where_the_main_task_is_a_number_segments_are_the_regions(film):
    task = Task("arousal", "regression", "arousal", mean=3.0, std=2.0)
    predictor = Predictor(tiny_config((task,)), lambda values, mask: {"arousal": mask.sum(axis=1, keepdims=True)})
    timeline = build(predictor, film[0], window_s=1.0, hop_s=0.5)
    assert [(segment.start_s, segment.end_s) for segment in timeline.segments] == regions_of(film[0])
    for row in timeline_rows(timeline, predictor.tasks, predictor.main_task, OutputOptions()):
        seconds = min(1.0, row["end_s"] - row["start_s"]) * SAMPLING_RATE
        assert row["arousal"] == {"value": pytest.approx(3 + 2 * seconds), "unit": ""}


def test_a_recording_without_speech_has_no_segments(predictor):
    timeline = build(predictor, noise(2.5, 0.01))
    assert (timeline.duration_s, timeline.speech_s, timeline.segments) == (2.5, 0, ())
    assert timeline_rows(timeline, predictor.tasks, predictor.main_task, OutputOptions()) == []


def test_it_listens_while_it_reads(predictor, spoken):
    """The network has processed the first minute before the last one is read."""
    shares, processed = [], []

    def report(share):
        shares.append(share)
        processed.append(len(predictor._backend.lengths))

    build(predictor, np.resize(np.concatenate(spoken), 200 * SAMPLING_RATE), report, channels="each")
    assert shares == sorted(shares)
    assert (len(shares), shares[-1]) == (4, 1.0)
    assert 0 < processed[0] < processed[1] < processed[2]


def test_the_duration_is_what_was_decoded_whatever_the_header_promises(predictor, film, tmp_path):
    path = tmp_path / "cut.wav"
    soundfile.write(path, film[0], SAMPLING_RATE, subtype="PCM_16")
    content = path.read_bytes()
    path.write_bytes(
        content[:4] + struct.pack("<I", 2**31 - 1) + content[8:40] + struct.pack("<I", 2**31 - 37) + content[44:]
    )
    shares = []
    timeline = build_timeline(predictor, path, progress=shares.append)
    assert timeline.duration_s == film[0].size / SAMPLING_RATE
    assert 0 < shares[-1] <= 1


def test_a_sample_that_is_not_a_number_is_an_error(predictor, film):
    waveform = np.append(film[0], np.float32(np.nan))
    with pytest.raises(AudioError, match=r"1 of .* samples are NaN"):
        build(predictor, waveform)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hop_s": 0.0}, "hop_s.* 0.0 s .* 3.0 s"),
        ({"hop_s": 3.5}, "hop_s"),
        ({"window_s": float("nan")}, "hop_s"),
        ({"switch_cost_s": -1.0}, "switch_cost_s.* -1.0"),
        ({"channels": "left"}, "channels.*'left'"),
        ({"window_s": 7.0}, "window_s.* 6 s.* 7 s"),
    ],
)
def test_invalid_options_are_refused(predictor, options, message):
    with pytest.raises(ValueError, match=message):
        build(predictor, noise(1, 0.01), **options)


def test_rows_have_formatted_outputs(predictor, film):
    timeline = build(predictor, film[0], channels="each")
    options = OutputOptions(top_k=1, uncertain_below=0.99)
    rows = timeline_rows(timeline, predictor.tasks, predictor.main_task, options)
    for row, segment in zip(rows, timeline.segments, strict=True):
        assert list(row) == ["start_s", "end_s", "channel", "emotion", "gender", "f0_mean", "uncertain"]
        assert (row["start_s"], row["end_s"], row["channel"]) == (segment.start_s, segment.end_s, 0)
        assert row["emotion"] == [{"label": emotion_of(segment), "score": segment.outputs["emotion"].max()}]
        assert row["uncertain"] == (row["emotion"][0]["score"] < 0.99)


def test_emotions_that_cannot_be_chosen_divide_no_segment(predictor, spoken):
    """Angry and sad speech with happy between, which is loud or soft and no more where happy cannot be chosen."""
    voice = np.tile(spoken[0][2_000:10_000], 12)
    waveform = np.concatenate([voice * LEVELS[emotion] / 0.1 for emotion in ("angry", "happy", "sad", "happy") * 2])
    labels = ("sad", "angry")
    timeline = build_timeline(predictor, waveform, TimelineOptions(), sampling_rate=SAMPLING_RATE, labels=labels)
    assert len(timeline.segments) > 2
    for segment in timeline.segments:
        assert segment.outputs["emotion"][1] == 0
        assert segment.outputs["emotion"].sum() == pytest.approx(1)
    rows = timeline_rows(timeline, TASKS, TASKS[0], OutputOptions(labels=labels))
    beside = [(one, other) for one, other in itertools.pairwise(rows) if one["end_s"] == other["start_s"]]
    assert beside
    assert [one["emotion"][0]["label"] == other["emotion"][0]["label"] for one, other in beside] == [False] * len(
        beside
    )
