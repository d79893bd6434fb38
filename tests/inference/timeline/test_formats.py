import csv
import io
import json
import re

import numpy as np
import pytest
import srt
import webvtt
from praatio import textgrid

from inference.table_writers import columns
from inference.timeline.formats import EXPORTS, TITLES, TimelineDocument
from modeling import OutputOptions, Task

DURATION = 7384.5
NAME = 'the  "film"\tno. 1 --> ünd\nmore.mkv'
AWKWARD = 'très "heureux" --> & <b>gai</b>\tici\n\nlà'


def row(start_s, end_s, label, score, channel=None, **more):
    other = {"angry": "sad"}.get(label, "angry")
    return {
        "start_s": start_s,
        "end_s": end_s,
        **({} if channel is None else {"channel": channel}),
        "emotion": [{"label": label, "score": score}, {"label": other, "score": 1 - score}],
        "f0_mean": {"value": 181.26, "unit": "Hz"},
        **more,
    }


MIXED = [
    row(0.0, 1.5, "angry", 0.875, uncertain=False),
    row(1.5, 59.9996, "sad", 0.3125, uncertain=True),
    row(61.25, 7384.0375, AWKWARD, 0.75, uncertain=False),
]
# Two who speak at the same time.
EACH = [row(0.5, 2.5, "angry", 0.875, 0), row(1.0, 3.0, AWKWARD, 0.75, 1), row(2.5, 4.0, "sad", 0.5, 0)]
NUMBERS = [{"start_s": 1.0, "end_s": 2.0, "arousal": {"value": 3.25, "unit": ""}}]
BOUNDS = [(each["start_s"], each["end_s"]) for each in MIXED]
# What is left of the awkward label on one line.
ONE_LINE = 'très "heureux" → & <b>gai</b> ici là'


EMOTION = Task("emotion", "classification", "emotion", labels=("angry", "sad", AWKWARD))
PITCH = Task("f0_mean", "regression", "f0_mean", unit="Hz")


def export(suffix, rows):
    options = OutputOptions(uncertain_below=0.5 if any("uncertain" in row for row in rows) else None)
    channel = any("channel" in row for row in rows)
    table = columns((EMOTION, PITCH), EMOTION, options, timeline=True, channel=channel)
    return EXPORTS[suffix](TimelineDocument(NAME, DURATION, 12.5, rows, table))


@pytest.mark.parametrize("rows", [MIXED, EACH, NUMBERS, []])
def test_json_is_everything(rows):
    assert json.loads(export("json", rows)) == {
        "file": NAME,
        "duration_s": DURATION,
        "speech_s": 12.5,
        "segments": rows,
    }


def test_csv_has_a_column_for_every_number():
    lines = list(csv.DictReader(io.StringIO(export("csv", MIXED))))
    assert [line["file"] for line in lines] == [NAME] * 3
    times = [(float(line["start_s"]), float(line["end_s"])) for line in lines]
    np.testing.assert_allclose(times, BOUNDS, atol=5e-4)
    assert [line["emotion"] for line in lines] == ["angry", "sad", AWKWARD]
    assert [float(line["emotion_score"]) for line in lines] == [0.875, 0.3125, 0.75]
    assert [line["emotion_angry"] for line in lines] == ["0.875", "0.6875", "0.25"]
    assert {(line["duration_s"], line["speech_s"]) for line in lines} == {(str(DURATION), "12.5")}
    assert [line[f"emotion_{AWKWARD}"] for line in lines] == ["", "", "0.75"]
    assert {line["f0_mean"] for line in lines} == {"181.3"}
    assert [line["channel"] for line in csv.DictReader(io.StringIO(export("csv", EACH)))] == ["0", "1", "0"]
    (silent,) = csv.DictReader(io.StringIO(export("csv", [])))
    assert {name: value for name, value in silent.items() if value} == {
        "file": NAME,
        "duration_s": str(DURATION),
        "speech_s": "12.5",
    }


def test_srt_is_read_by_its_library():
    cues = list(srt.parse(export("srt", MIXED)))
    assert [cue.index for cue in cues] == [1, 2, 3]
    times = [(cue.start.total_seconds(), cue.end.total_seconds()) for cue in cues]
    assert times == [(0, 1.5), (1.5, 60.0), (61.25, pytest.approx(7384.038, abs=0.0011))]
    assert [cue.content for cue in cues] == ["angry 0.88", "sad? 0.31", f"{ONE_LINE} 0.75"]
    assert export("srt", MIXED).count("-->") == 3
    assert [cue.content for cue in srt.parse(export("srt", EACH))][1] == f"channel 1: {ONE_LINE} 0.75"
    assert list(srt.parse(export("srt", []))) == []


def test_webvtt_is_read_by_its_library():
    cues = webvtt.from_string(export("vtt", MIXED)).captions
    assert [(cue.start, cue.end) for cue in cues][:2] == [
        ("00:00:00.000", "00:00:01.500"),
        ("00:00:01.500", "00:01:00.000"),
    ]
    escaped = 'très "heureux" → &amp; &lt;b&gt;gai&lt;/b&gt; ici là'
    assert [cue.text for cue in cues] == ["angry 0.88", "sad? 0.31", f"{escaped} 0.75"]
    cues = webvtt.from_string(export("vtt", EACH)).captions
    assert [cue.voice for cue in cues] == ["channel 0", "channel 1", "channel 0"]
    assert [cue.text for cue in cues] == ["angry 0.88", f"{escaped} 0.75", "sad 0.50"]
    assert webvtt.from_string(export("vtt", [])).captions == []


def read_rttm(text):
    """As NIST's tools do: ten fields between blanks."""
    fields = [line.split() for line in text.splitlines()]
    assert {(len(line), line[0], *line[5:7], line[9]) for line in fields} <= {(10, "SPEAKER", "<NA>", "<NA>", "<NA>")}
    return [(line[1], int(line[2]), float(line[3]), float(line[4]), line[7], line[8]) for line in fields]


def test_rttm_has_ten_fields():
    names, channels, starts, durations, labels, scores = zip(*read_rttm(export("rttm", MIXED)), strict=True)
    assert set(names) == {'the_"film"_no._1_→_ünd_more'}
    assert channels == (1, 1, 1)
    for (start_s, end_s), start, duration in zip(BOUNDS, starts, durations, strict=True):
        assert (start, start + duration) == (pytest.approx(start_s, abs=1e-3), pytest.approx(end_s, abs=1e-3))
    assert labels == ("angry", "uncertain", ONE_LINE.replace(" ", "_"))
    assert scores == ("0.8750", "0.3125", "0.7500")
    assert [line[1] for line in read_rttm(export("rttm", EACH))] == [1, 2, 1]
    assert [line[4:] for line in read_rttm(export("rttm", NUMBERS))] == [("3.25", "<NA>")]
    assert export("rttm", []) == ""


def tiers_of(rows, folder):
    """Tier name to its intervals, as Praat's format is read by praatio, which refuses what overlaps."""
    (folder / "film.TextGrid").write_text(export("TextGrid", rows), encoding="utf-8")
    grid = textgrid.openTextgrid(str(folder / "film.TextGrid"), includeEmptyIntervals=True, reportingMode="error")
    assert (grid.minTimestamp, grid.maxTimestamp) == (0, DURATION)
    for tier in grid.tiers:
        assert (tier.entries[0].start, tier.entries[-1].end) == (0, DURATION)
        for before, after in zip(tier.entries, tier.entries[1:], strict=False):
            assert before.end == after.start
    return {tier.name: [tuple(entry) for entry in tier.entries] for tier in grid.tiers}


def test_a_textgrid_covers_the_whole_recording(tmp_path):
    tiers = tiers_of(MIXED, tmp_path)
    assert tiers["emotion"] == [
        (0.0, 1.5, "angry 0.88"),
        (1.5, 59.9996, "sad? 0.31"),
        (59.9996, 61.25, ""),
        (61.25, 7384.0375, f"{ONE_LINE} 0.75"),
        (7384.0375, DURATION, ""),
    ]
    assert [text for *_, text in tiers["f0_mean"]] == ["181.3 Hz", "181.3 Hz", "", "181.3 Hz", ""]


def test_a_textgrid_has_a_tier_per_channel(tmp_path):
    tiers = tiers_of(EACH, tmp_path)
    assert list(tiers) == [f"{head} of channel {channel}" for head in ("emotion", "f0_mean") for channel in (0, 1)]
    assert [text for *_, text in tiers["emotion of channel 0"]] == ["", "angry 0.88", "sad 0.50", ""]
    assert [text for *_, text in tiers["emotion of channel 1"]] == ["", f"{ONE_LINE} 0.75", ""]


def test_a_textgrid_of_nothing_is_one_empty_interval(tmp_path):
    assert tiers_of([], tmp_path) == {"emotion": [(0, DURATION, "")]}


def read_labels(text):
    lines = [re.fullmatch(r"([\d.]+)\t([\d.]+)\t([^\t]*)", line) for line in text.removesuffix("\n").split("\n")]
    return [(float(line[1]), float(line[2]), line[3]) for line in lines]


def test_audacitys_labels_are_lines_of_three_columns():
    found = read_labels(export("txt", MIXED))
    assert [line[:2] for line in found] == BOUNDS
    assert [line[2] for line in found] == ["angry 0.88", "sad? 0.31", f"{ONE_LINE} 0.75"]
    assert read_labels(export("txt", EACH))[1] == (1.0, 3.0, f"channel 1: {ONE_LINE} 0.75")
    assert read_labels(export("txt", NUMBERS)) == [(1.0, 2.0, "3.25")]
    assert export("txt", []) == ""


def test_every_format_has_a_title():
    assert TITLES.keys() == EXPORTS.keys()
