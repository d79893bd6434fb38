"""One recording -> all that a page shows of it: the answer, the segments, its outline, its sound."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from inference.recogniser import Recogniser
from inference.timeline import Timeline, TimelineOptions, build_timeline, timeline_rows
from modeling import SAMPLING_RATE, AnswerOptions, AudioReader, load_audio, word_answer
from preprocessing.clip import spelled

PEAKS = 240  # bars of the outline: each is still a pixel wide on a phone
_BLOCK_S = 60.0
_COMPRESSION = 0.6  # of 0 to 1: speech at 40 kbit/s


@dataclass(frozen=True)
class Recording:
    """What was heard in a recording.

    Args:
        name: of the file, without its folder.
        duration_s: its length.
        speech_s: how much of it is speech.
        answer: what every head says about it, as [`word_answer`] gives it; empty where nobody speaks.
        averaged: whether that is the mean over its speech, for the model does not hear so much as a whole.
        segments: rows of its timeline.
        peaks: the outline, from 0 to 1, of shape `(PEAKS,)`.
        sound: what the model heard, as an MP3 file: browsers do not play everything that can be read here.
    """

    name: str
    duration_s: float
    speech_s: float
    answer: dict[str, Any]
    averaged: bool
    segments: list[dict[str, Any]]
    peaks: np.ndarray
    sound: bytes


def recognise_recording(
    recogniser: Recogniser,
    path: Path,
    timeline_options: TimelineOptions,
    answer_options: AnswerOptions,
    progress: Callable[[float], None] | None = None,
) -> Recording:
    """Everything about a recording.

    Raises:
        OSError: there is no such file.
        ValueError: it is no audio, or cannot be read to its end.
    """
    timeline = build_timeline(recogniser, path, timeline_options, progress, labels=answer_options.labels)
    averaged = timeline.duration_s > recogniser.max_duration_s
    decoded = _average(recogniser, timeline) if averaged else _hear(recogniser, path)
    tasks, main_task = recogniser.tasks, recogniser.main_task
    peaks, sound = _copy_sound(path, timeline.duration_s)
    return Recording(
        name=spelled(path.name),
        duration_s=timeline.duration_s,
        speech_s=timeline.speech_s,
        answer=word_answer(tasks, main_task, decoded, answer_options) if timeline.segments else {},
        averaged=averaged,
        segments=timeline_rows(timeline, tasks, main_task, answer_options),
        peaks=peaks,
        sound=sound,
    )


def _hear(recogniser: Recogniser, path: Path) -> dict[str, np.ndarray]:
    return {name: values[0] for name, values in recogniser([load_audio(path)]).items()}


def _average(recogniser: Recogniser, timeline: Timeline) -> dict[str, np.ndarray]:
    """What every head says, averaged over the seconds of speech."""
    if not timeline.segments:
        return {}
    seconds = [segment.end_s - segment.start_s for segment in timeline.segments]
    return {
        task.name: np.average([segment.decoded[task.name] for segment in timeline.segments], axis=0, weights=seconds)
        for task in recogniser.tasks
    }


def _copy_sound(path: Path, duration_s: float) -> tuple[np.ndarray, bytes]:
    """The outline and the MP3 of a recording, read block by block."""
    peaks, file = np.zeros(PEAKS), io.BytesIO()
    samples, first = round(duration_s * SAMPLING_RATE), 0
    mp3 = {"format": "MP3", "subtype": "MPEG_LAYER_III", "compression_level": _COMPRESSION}
    with AudioReader(path) as audio, soundfile.SoundFile(file, "w", SAMPLING_RATE, 1, **mp3) as copy:
        for block in audio.blocks(_BLOCK_S):
            places = (first + np.arange(block.size)) * PEAKS // samples
            np.maximum.at(peaks, places, np.abs(block))
            copy.write(block.clip(-1, 1))
            first += block.size
    return peaks / max(peaks.max(), 1e-9), file.getvalue()
