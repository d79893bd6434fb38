"""Rows of a timeline -> the files that editors, phoneticians and programs read."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

from ..batch.table_writers import flatten

Row = dict[
    str, Any
]  # as `timeline_rows` makes them: start_s, end_s, channel where each is a speaker, what the heads say


def to_json(rows: list[Row], name: str, duration_s: float) -> str:
    """Everything there is."""
    return json.dumps({"file": name, "duration_s": duration_s, "segments": rows}, indent=1, ensure_ascii=False) + "\n"


def to_csv(rows: list[Row], name: str, duration_s: float) -> str:
    """A line per segment: of a classification the likeliest class, its score and the score of every class."""
    flat = [{"file": name, **flatten(row)} for row in rows]
    columns = dict.fromkeys(["file", "start_s", "end_s", *(column for line in flat for column in line)])
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def to_srt(rows: list[Row], name: str, duration_s: float) -> str:
    """SubRip subtitles."""
    cues = [
        f"{number}\n{_clock(row['start_s'], ',')} --> {_clock(row['end_s'], ',')}\n{_caption(row)}\n"
        for number, row in enumerate(rows, start=1)
    ]
    return "\n".join(cues)


def to_vtt(rows: list[Row], name: str, duration_s: float) -> str:
    """WebVTT subtitles, with the channel as the voice."""
    cues = ["WEBVTT\n"]
    for row in rows:
        voice = f"<v channel {row['channel']}>" if "channel" in row else ""
        text = html.escape(_spoken(row), quote=False)
        cues.append(f"{_clock(row['start_s'], '.')} --> {_clock(row['end_s'], '.')}\n{voice}{text}\n")
    return "\n".join(cues)


def to_rttm(rows: list[Row], name: str, duration_s: float) -> str:
    """NIST's Rich Transcription Time Marked: an emotion, or `uncertain`, takes the place of the speaker.

    Channels count from 1 there. Where the main task is a classification, its score is the confidence.
    """
    lines = []
    for row in rows:
        main = row[_main(row)]
        start, duration = f"{row['start_s']:.4f}", f"{row['end_s'] - row['start_s']:.4f}"
        label, score = (
            (main[0]["label"], f"{main[0]['score']:.4f}") if isinstance(main, list) else (_word(main), "<NA>")
        )
        label = "uncertain" if row.get("uncertain") else _token(label)
        channel = row.get("channel", 0) + 1
        lines.append(f"SPEAKER {_token(name)} {channel} {start} {duration} <NA> <NA> {label} {score} <NA>\n")
    return "".join(lines)


def to_textgrid(rows: list[Row], name: str, duration_s: float) -> str:
    """Praat's TextGrid in its long form: a tier of intervals per head and channel, empty where nobody speaks."""
    channels = sorted({row["channel"] for row in rows if "channel" in row}) or [None]
    heads = list(_heads(rows[0])) if rows else ["emotion"]
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {duration_s}"]
    lines += ["tiers? <exists>", f"size = {len(heads) * len(channels)}", "item []:"]
    for index, (head, channel) in enumerate(product(heads, channels), start=1):
        tier = head if channel is None else f"{head} of channel {channel}"
        spoken = [(row["start_s"], row["end_s"], _word_of(row, head)) for row in rows if row.get("channel") == channel]
        intervals = list(_fill_gaps(spoken, duration_s))
        lines += [f"    item [{index}]:", '        class = "IntervalTier"', f"        name = {_quote(tier)}"]
        lines += ["        xmin = 0", f"        xmax = {duration_s}", f"        intervals: size = {len(intervals)}"]
        for number, (start_s, end_s, text) in enumerate(intervals, start=1):
            lines += [f"        intervals [{number}]:", f"            xmin = {start_s}", f"            xmax = {end_s}"]
            lines += [f"            text = {_quote(text)}"]
    return "\n".join(lines) + "\n"


def to_labels(rows: list[Row], name: str, duration_s: float) -> str:
    """Audacity's labels."""
    return "".join(f"{row['start_s']:.6f}\t{row['end_s']:.6f}\t{_caption(row)}\n" for row in rows)


# By the suffix of the file.
EXPORTS: dict[str, Callable[[list[Row], str, float], str]] = {
    "json": to_json,
    "csv": to_csv,
    "srt": to_srt,
    "vtt": to_vtt,
    "rttm": to_rttm,
    "TextGrid": to_textgrid,
    "txt": to_labels,
}


def _heads(row: Row) -> Iterable[str]:
    return (name for name, value in row.items() if isinstance(value, list | dict))


def _main(row: Row) -> str:
    """The head that a segment is about."""
    return "emotion" if "emotion" in row else next(iter(_heads(row)))


def _word(answer: list[dict] | dict) -> str:
    """The likeliest class with its score, or the value with its unit."""
    if isinstance(answer, list):
        return _line(f"{answer[0]['label']} {answer[0]['score']:.2f}")
    return _line(f"{answer['value']:.4g} {answer['unit']}")


def _word_of(row: Row, head: str) -> str:
    return _spoken(row) if head == _main(row) else _word(row[head])


def _spoken(row: Row) -> str:
    """What a segment is about: `happy 0.87`, or `happy? 0.31` where that is uncertain."""
    answer = row[_main(row)]
    if row.get("uncertain"):
        answer = [{**answer[0], "label": f"{answer[0]['label']}?"}]
    return _word(answer)


def _caption(row: Row) -> str:
    return f"channel {row['channel']}: {_spoken(row)}" if "channel" in row else _spoken(row)


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
