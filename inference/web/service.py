"""Uploaded recordings -> HTML and values, within limits; every error becomes a sentence for the visitor."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.text_files import escape_surrogates
from modeling import AudioError, AudioReader, OutputOptions

from ..batch.predict import PREDICTION_ERRORS, PredictionRequest, predict_files
from ..engine.predictor import Predictor
from ..table_writers import columns, write_csv
from ..timeline.build import TimelineOptions
from .formatting import format_duration
from .limits import SharedLimits
from .recording import predict_recording
from .render import render_note, render_recording, render_several


@dataclass(frozen=True)
class Limits(SharedLimits):
    """What a visitor may ask for, in addition to the limits that the service shares.

    Args:
        files: how many at once.
        concurrent: requests that are computed at the same time.
        waiting: requests that may wait in the queue; further ones are rejected.
        sessions: visitors whose latest recording and result are kept.
    """

    minutes: float = 10.0
    total_megabytes: float = 2000.0
    streams: int = 8
    files: int = 100
    concurrent: int = 2
    waiting: int = 256
    sessions: int = 100


class Service:
    """Handles requests; each returns HTML for people, and the same as values for programs.

    Args:
        predictor: the model.
        limits: what a visitor may ask for.
    """

    def __init__(self, predictor: Predictor, limits: Limits):
        self._predictor = predictor
        self._limits = limits

    def recognize(
        self, file: Path, options: OutputOptions, timeline: TimelineOptions, progress: Callable[[float], None]
    ) -> tuple[str, dict[str, Any]]:
        """One recording: `{"file", "duration_s", "speech_s", **outputs, "segments"}`, or `{"file", "error"}`."""

        def report(share: float) -> None:
            os.utime(file)  # it is in use, so it must not expire
            progress(share)

        try:
            report(0.0)
            options.check(self._predictor.main_task)
            self._check_length(file)
            recording = predict_recording(self._predictor, file, timeline, options, report)
        except PREDICTION_ERRORS as error:
            sentence = _describe_error(error, file)
            return render_note(sentence, problem=True), {"file": escape_surrogates(file.name), "error": sentence}
        times = {"duration_s": recording.duration_s, "speech_s": recording.speech_s}
        values = {"file": recording.name, **times, **recording.outputs, "segments": recording.segments}
        return render_recording(recording, self._predictor.tasks, self._predictor.main_task), values

    def predict_several(
        self, files: Sequence[Path], options: OutputOptions, progress: Callable[[float], None]
    ) -> tuple[str, list[dict[str, Any]]]:
        """The beginning of each of several recordings: rows as `predict.py` writes them."""
        try:
            options.check(self._predictor.main_task)
            if len(files) > self._limits.files:
                raise ValueError(
                    f"You sent {len(files)} files, but this page takes up to {self._limits.files} at a time. "
                    "Please send fewer."
                )
        except ValueError as error:
            return render_note(str(error), problem=True), []
        predicted: dict[str, dict[str, Any]] = {}
        for path, [row] in predict_files(self._predictor, [str(file) for file in files], PredictionRequest(options)):
            name = escape_surrogates(Path(path).name)
            without_folder = {"error": row["error"].replace(path, name)} if "error" in row else {}
            predicted[path] = {**row, "file": name, **without_folder}
            progress(len(predicted) / len(files))
        rows = [predicted[str(file)] for file in files]
        tasks, main_task = self._predictor.tasks, self._predictor.main_task
        table = io.StringIO(newline="")
        write_csv(rows, table, columns(tasks, main_task, options, timeline=False, channel=False))
        downloads = {
            "emotions.csv": table.getvalue(),
            "emotions.json": json.dumps(rows, indent=1, ensure_ascii=False),
        }
        return render_several(rows, tasks, main_task, downloads), rows

    def _check_length(self, file: Path) -> None:
        longest_s = 60 * self._limits.minutes
        with AudioReader(file) as audio:
            try:
                audio.read(longest_s, longest_s + 1)
            except AudioError:
                return  # it ends before; headers may be wrong, and browsers' recordings have no length in theirs
        raise ValueError(
            f"{escape_surrogates(file.name)} is longer than {format_duration(longest_s)}, the longest recording that "
            "this page takes. Please send a shorter part of it."
        )


def _describe_error(error: Exception, file: Path) -> str:
    """The message of an error, without the folder of the file."""
    if isinstance(error, FileNotFoundError):
        return f"{escape_surrogates(file.name)} has already been deleted. Please send it again."
    return escape_surrogates(str(error).replace(str(file), file.name))
