"""What a visitor sends -> what a page shows of it, within limits; whatever is wrong with it is said in a sentence."""

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
from .recording import predict_recording
from .render import render_note, render_recording, render_several

MEGABYTE = 2**20  # bytes, as browsers and Gradio's own messages count them


@dataclass(frozen=True)
class Limits:
    """What a visitor may ask for.

    Args:
        minutes: length of a recording.
        megabytes: size of a file, in `MEGABYTE`.
        total_megabytes: what is kept of all visitors together, in `MEGABYTE`.
        files: how many at once.
        concurrent: requests that are computed at the same time.
        waiting: requests that may wait for their turn; one more is told to come later.
        sessions: visitors whose latest recording and answer are kept for them.
        keep_s: seconds that a file is kept after it was last used.
        patience_s, slowest_kb_s: what is sent has so many seconds, and one more for each so many kilobytes of it.
    """

    minutes: float = 10.0
    megabytes: float = 50.0
    total_megabytes: float = 2000.0
    files: int = 100
    concurrent: int = 2
    waiting: int = 256
    sessions: int = 100
    keep_s: float = 600.0
    patience_s: float = 30.0
    slowest_kb_s: float = 10.0


class Service:
    """Answers requests; each gives HTML for people, and the same as values for programs.

    Args:
        predictor: what hears.
        limits: what a visitor may ask for.
    """

    def __init__(self, predictor: Predictor, limits: Limits):
        self._recogniser = predictor
        self._limits = limits

    def recognize(
        self, file: Path, answer: OutputOptions, timeline: TimelineOptions, progress: Callable[[float], None]
    ) -> tuple[str, dict[str, Any]]:
        """One recording: `{"file", "duration_s", "speech_s", **answer, "segments"}`, or `{"file", "error"}`."""

        def report(share: float) -> None:
            os.utime(file)  # it is in use, and so not yet too old
            progress(share)

        try:
            report(0.0)
            answer.check(self._recogniser.main_task)
            self._check_length(file)
            recording = predict_recording(self._recogniser, file, timeline, answer, report)
        except PREDICTION_ERRORS as error:
            sentence = _say(error, file)
            return render_note(sentence, problem=True), {"file": escape_surrogates(file.name), "error": sentence}
        times = {"duration_s": recording.duration_s, "speech_s": recording.speech_s}
        values = {"file": recording.name, **times, **recording.answer, "segments": recording.segments}
        return render_recording(recording, self._recogniser.tasks, self._recogniser.main_task), values

    def predict_several(
        self, files: Sequence[Path], answer: OutputOptions, progress: Callable[[float], None]
    ) -> tuple[str, list[dict[str, Any]]]:
        """Several recordings, of each the beginning: a row as `predict.py` gives it."""
        try:
            answer.check(self._recogniser.main_task)
            if len(files) > self._limits.files:
                raise ValueError(
                    f"You sent {len(files)} files. This page takes {self._limits.files} at a time: send fewer at once."
                )
        except ValueError as error:
            return render_note(str(error), problem=True), []
        answered: dict[str, dict[str, Any]] = {}
        for path, [row] in predict_files(self._recogniser, [str(file) for file in files], PredictionRequest(answer)):
            name = escape_surrogates(Path(path).name)
            said = {"error": row["error"].replace(path, name)} if "error" in row else {}
            answered[path] = {**row, "file": name, **said}
            progress(len(answered) / len(files))
        rows = [answered[str(file)] for file in files]
        tasks, main_task = self._recogniser.tasks, self._recogniser.main_task
        table = io.StringIO(newline="")
        write_csv(rows, table, columns(tasks, main_task, answer, timeline=False, channel=False))
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
                return  # it ends before; a header may say anything, and those of browsers' recordings say nothing
        raise ValueError(
            f"{escape_surrogates(file.name)} is longer than {format_duration(longest_s)}, the most that this page "
            "takes. Please send a shorter part of it."
        )


def _say(error: Exception, file: Path) -> str:
    """What is wrong with a file, without where it lies."""
    if isinstance(error, FileNotFoundError):
        return f"{escape_surrogates(file.name)} has been deleted by now. Please send it again."
    return escape_surrogates(str(error).replace(str(file), file.name))
