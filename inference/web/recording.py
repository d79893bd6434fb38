"""One recording -> all that a page shows of it: the segments, their mean, its outline, its sound."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from common.text_files import escape_surrogates
from modeling import SAMPLING_RATE, AudioReader, OutputOptions, Task

from ..engine.predictor import Predictor
from ..timeline.build import TimelineOptions, build_timeline
from ..timeline.formats import TimelineDocument, format_timeline

PEAKS = 240  # bars of the outline at least: each is still a pixel wide on a phone
_PEAK_S = 0.25  # of a bar at most, so that a long recording has an outline to zoom into
_BLOCK_S = 60.0
_COMPRESSION = 0.6  # of 0 to 1: speech at 40 kbit/s


@dataclass(frozen=True)
class Recording:
    """What a page shows of a recording. All predictions are of its speech, from the same windows.

    Args:
        name: of the file, without its folder.
        duration_s: its length.
        speech_s: seconds of speech in it.
        outputs: the mean of the segments, as [`average_segments`] returns it; empty if there is no speech.
        timeline: its segments, and how they are exported.
        peaks: the outline, from 0 to 1, of shape `(bars,)`, `PEAKS` or more.
        sound: the analyzed sound as an MP3 file, because browsers cannot play every format that is read here.
    """

    name: str
    duration_s: float
    speech_s: float
    outputs: dict[str, Any]
    timeline: TimelineDocument
    peaks: np.ndarray
    sound: bytes

    @property
    def segments(self) -> Sequence[Mapping[str, Any]]:
        """Rows of its timeline."""
        return self.timeline.segments


def predict_recording(
    predictor: Predictor,
    path: Path,
    timeline_options: TimelineOptions,
    output_options: OutputOptions,
    progress: Callable[[float], None] | None = None,
) -> Recording:
    """The predictions, the outline and the sound of a recording.

    Raises:
        OSError: the file does not exist.
        ValueError: the file is not audio, or cannot be read to its end.
    """
    timeline = build_timeline(predictor, path, timeline_options, progress, labels=output_options.labels)
    name = escape_surrogates(path.name)
    document = format_timeline(name, timeline, predictor.tasks, predictor.main_task, output_options)
    peaks, sound = _copy_sound(path, timeline.duration_s)
    return Recording(
        name=name,
        duration_s=timeline.duration_s,
        speech_s=timeline.speech_s,
        outputs=average_segments(document.segments, predictor.tasks, predictor.main_task, output_options),
        timeline=document,
        peaks=peaks,
        sound=sound,
    )


def average_segments(
    segments: Sequence[Mapping[str, Any]], tasks: Sequence[Task], main_task: Task, options: OutputOptions
) -> dict[str, Any]:
    """The mean of the rows of a timeline, weighted by their seconds.

    It has the form of [`~modeling.outputs_ser.format_outputs`]. The first class of a head is the likeliest of those
    that lead a segment: the mean alone could rank a class first that leads no segment (the second one of 0.5, 0.4, 0.1
    and 0.1, 0.4, 0.5).
    """
    if not segments:
        return {}
    seconds = [row["end_s"] - row["start_s"] for row in segments]
    outputs: dict[str, Any] = {}
    for task in tasks:
        values = [row[task.name] for row in segments]
        if task.is_classification:
            outputs[task.name] = _average_scores(values, seconds)
        else:
            mean = float(np.average([value["value"] for value in values], weights=seconds))
            outputs[task.name] = {"value": mean, "unit": task.unit}
    if options.uncertain_below is not None and main_task.is_classification:
        outputs["uncertain"] = outputs[main_task.name][0]["score"] < options.uncertain_below
    return outputs


def _average_scores(rankings: Sequence[Sequence[Mapping[str, Any]]], seconds: Sequence[float]) -> list[dict[str, Any]]:
    scores = [{entry["label"]: entry["score"] for entry in ranking} for ranking in rankings]
    means = {label: float(np.average([row[label] for row in scores], weights=seconds)) for label in scores[0]}
    first = max((ranking[0]["label"] for ranking in rankings), key=means.__getitem__)
    ranked = sorted(means, key=lambda label: (label != first, -means[label]))
    return [{"label": label, "score": means[label]} for label in ranked]


def _copy_sound(path: Path, duration_s: float) -> tuple[np.ndarray, bytes]:
    """The outline and the MP3 of a recording, read block by block."""
    peaks, file = np.zeros(max(PEAKS, math.ceil(duration_s / _PEAK_S))), io.BytesIO()
    samples, first = round(duration_s * SAMPLING_RATE), 0
    mp3 = {"format": "MP3", "subtype": "MPEG_LAYER_III", "compression_level": _COMPRESSION}
    with AudioReader(path) as audio, soundfile.SoundFile(file, "w", SAMPLING_RATE, 1, **mp3) as copy:
        for block in audio.blocks(_BLOCK_S):
            places = (first + np.arange(block.size)) * peaks.size // samples
            np.maximum.at(peaks, places, np.abs(block))
            copy.write(block.clip(-1, 1))
            first += block.size
    return peaks / max(peaks.max(), 1e-9), file.getvalue()
