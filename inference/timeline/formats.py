"""A timeline -> the files that editors, phoneticians and programs read."""

from __future__ import annotations

import html
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import PurePath
from typing import Any

from modeling import OutputOptions, Task

from ..table_writers import columns, write_csv
from .build import Timeline, timeline_rows

Segment = Mapping[str, Any]  # as `timeline_rows` formats them: start_s, end_s, channel if each is a speaker, the heads


@dataclass(frozen=True)
class TimelineDocument:
    """A timeline as every format, the command line and the page give it.

    Args:
        file: name of the recording.
        duration_s, speech_s: of the whole recording.
        segments: in the order of time.
        columns: names and types of the columns of its table, see [`~inference.table_writers.columns`].
    """

    file: str
    duration_s: float
    speech_s: float
    segments: Sequence[Segment]
    columns: Mapping[str, type]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row per segment, with what holds for the whole recording; a recording without speech has one row."""
        whole = {"duration_s": self.duration_s, "speech_s": self.speech_s}
        return [{"file": self.file, **segment, **whole} for segment in self.segments or [{}]]


def format_timeline(
    file: str, timeline: Timeline, tasks: Sequence[Task], main_task: Task, options: OutputOptions
) -> TimelineDocument:
    """A timeline with its outputs formatted, and the columns that they need in a table.

    Args:
        file: name of the recording.
        timeline: of it.
        tasks, main_task: of the model.
        options: how the outputs are formatted.
    """
    segments = timeline_rows(timeline, tasks, main_task, options)
    has_channels = any("channel" in segment for segment in segments)
    table = columns(tasks, main_task, options, timeline=True, channel=has_channels)
    return TimelineDocument(file, timeline.duration_s, timeline.speech_s, segments, table)


def to_json(document: TimelineDocument) -> str:
    """All outputs of all segments."""
    content = {"file": document.file, "duration_s": document.duration_s, "speech_s": document.speech_s}
    return json.dumps({**content, "segments": document.segments}, indent=1, ensure_ascii=False) + "\n"


def to_csv(document: TimelineDocument) -> str:
    """A line per segment, with the columns of `predict.py --timeline --wide`."""
    text = io.StringIO(newline="")
    write_csv(document.rows, text, document.columns)
    return text.getvalue()


def to_srt(document: TimelineDocument) -> str:
    """SubRip subtitles."""
    cues = [
        f"{number}\n{_clock(row['start_s'], ',')} --> {_clock(row['end_s'], ',')}\n{_caption(row)}\n"
        for number, row in enumerate(document.segments, start=1)
    ]
    return "\n".join(cues)


def to_vtt(document: TimelineDocument) -> str:
    """WebVTT subtitles, with the channel as the voice."""
    cues = ["WEBVTT\n"]
    for row in document.segments:
        voice = f"<v channel {row['channel']}>" if "channel" in row else ""
        text = html.escape(_text_of(row), quote=False)
        cues.append(f"{_clock(row['start_s'], '.')} --> {_clock(row['end_s'], '.')}\n{voice}{text}\n")
    return "\n".join(cues)


def to_rttm(document: TimelineDocument) -> str:
    """NIST's Rich Transcription Time Marked: an emotion, or `uncertain`, takes the place of the speaker.

    Channels count from 1 there. Where the main task is a classification, its score is the confidence.
    """
    lines = []
    name = _token(PurePath(document.file).stem)
    for row in document.segments:
        main = row[_main(row)]
        start, duration = f"{row['start_s']:.4f}", f"{row['end_s'] - row['start_s']:.4f}"
        label, score = (
            (main[0]["label"], f"{main[0]['score']:.4f}") if isinstance(main, list) else (_format_output(main), "<NA>")
        )
        label = "uncertain" if row.get("uncertain") else _token(label)
        channel = row.get("channel", 0) + 1
        lines.append(f"SPEAKER {name} {channel} {start} {duration} <NA> <NA> {label} {score} <NA>\n")
    return "".join(lines)


def to_textgrid(document: TimelineDocument) -> str:
    """Praat's TextGrid in its long form: a tier of intervals per head and channel, empty where nobody speaks."""
    rows, duration_s = document.segments, document.duration_s
    channels = sorted({row["channel"] for row in rows if "channel" in row}) or [None]
    heads = list(_heads(rows[0])) if rows else ["emotion"]
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {duration_s}"]
    lines += ["tiers? <exists>", f"size = {len(heads) * len(channels)}", "item []:"]
    for index, (head, channel) in enumerate(product(heads, channels), start=1):
        tier = head if channel is None else f"{head} of channel {channel}"
        segments = [
            (row["start_s"], row["end_s"], _head_text(row, head)) for row in rows if row.get("channel") == channel
        ]
        intervals = list(_fill_gaps(segments, duration_s))
        lines += [f"    item [{index}]:", '        class = "IntervalTier"', f"        name = {_quote(tier)}"]
        lines += ["        xmin = 0", f"        xmax = {duration_s}", f"        intervals: size = {len(intervals)}"]
        for number, (start_s, end_s, text) in enumerate(intervals, start=1):
            lines += [f"        intervals [{number}]:", f"            xmin = {start_s}", f"            xmax = {end_s}"]
            lines += [f"            text = {_quote(text)}"]
    return "\n".join(lines) + "\n"


def to_labels(document: TimelineDocument) -> str:
    """Audacity's labels."""
    return "".join(f"{row['start_s']:.6f}\t{row['end_s']:.6f}\t{_caption(row)}\n" for row in document.segments)


# By the suffix of the file.
EXPORTS: dict[str, Callable[[TimelineDocument], str]] = {
    "json": to_json,
    "csv": to_csv,
    "srt": to_srt,
    "vtt": to_vtt,
    "rttm": to_rttm,
    "TextGrid": to_textgrid,
    "txt": to_labels,
}
TITLES = {
    "json": "Data (JSON)",
    "csv": "Table (CSV)",
    "srt": "Subtitles (SRT)",
    "vtt": "Subtitles (WebVTT)",
    "rttm": "Speaker turns (RTTM)",
    "TextGrid": "Praat (TextGrid)",
    "txt": "Audacity labels (TXT)",
}


def _heads(row: Segment) -> Iterable[str]:
    return (name for name, value in row.items() if isinstance(value, list | dict))


def _main(row: Segment) -> str:
    """The name of the main head."""
    return "emotion" if "emotion" in row else next(iter(_heads(row)))


def _format_output(output: list[dict] | dict) -> str:
    """The likeliest class with its score, or the value with its unit."""
    if isinstance(output, list):
        return _line(f"{output[0]['label']} {output[0]['score']:.2f}")
    return _line(f"{output['value']:.4g} {output['unit']}")


def _head_text(row: Segment, head: str) -> str:
    return _text_of(row) if head == _main(row) else _format_output(row[head])


def _text_of(row: Segment) -> str:
    """The output of the main head: `happy 0.87`, or `happy? 0.31` if it is uncertain."""
    output = row[_main(row)]
    if row.get("uncertain"):
        output = [{**output[0], "label": f"{output[0]['label']}?"}]
    return _format_output(output)


def _caption(row: Segment) -> str:
    return f"channel {row['channel']}: {_text_of(row)}" if "channel" in row else _text_of(row)


def _line(text: str) -> str:
    """Text without what ends a line, a field or a cue: control characters, tabs, arrows."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.replace("-->", "→").split())


def _token(text: str) -> str:
    return _line(text).replace(" ", "_") or "<NA>"


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"


def _fill_gaps(intervals: list[tuple[float, float, str]], duration_s: float) -> Iterator[tuple[float, float, str]]:
    """The intervals of one channel with empty ones between, before and after."""
    at = 0.0
    for start_s, end_s, text in intervals:
        if start_s > at:
            yield at, start_s, ""
        yield start_s, end_s, text
        at = end_s
    if at < duration_s:
        yield at, duration_s, ""
