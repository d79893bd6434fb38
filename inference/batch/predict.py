"""Recordings -> what is said about each, as rows: threads decode ahead while the model computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, TypeVar

import joblib
import numpy as np
from av.error import FFmpegError

from modeling import SAMPLING_RATE, AudioReader, OutputOptions, batched, format_outputs, length_grouped_batches
from modeling.audio_remote_ser import redact_credentials
from modeling.outputs_ser import format_no_speech
from modeling.vad_ser import measure_speech

from ..engine.predictor import Predictor
from .table_writers import Row

if TYPE_CHECKING:
    from ..timeline.build import TimelineOptions

# Batches to choose from, and as many again that are decoded meanwhile: enough for lengths to be alike, few enough to
# hold in memory.
_POOL = 16
# What a broken file raises, wherever the decoder meets the fault. A RuntimeError is none of them: that is torch's, and
# ends the job, which would otherwise call a thousand files broken because the GPU is full.
PREDICTION_ERRORS = (ValueError, OSError, ArithmeticError, MemoryError, FFmpegError)
In = TypeVar("In")
Out = TypeVar("Out")
Report = Callable[[float], None]


class _StoppedError(Exception):
    """Nobody waits for the timeline in hand any more."""


@dataclass(frozen=True)
class PredictionRequest:
    """What is asked about each recording.

    Args:
        answer: how an answer is worded.
        timeline: how a recording is cut into segments; by default it is not, and its beginning is heard.
        vad: whether to look for speech in that beginning, and to name no emotion where there is none.
    """

    answer: OutputOptions = field(default_factory=OutputOptions)
    timeline: TimelineOptions | None = None
    vad: bool = True

    def check(self, predictor: Predictor) -> None:
        """Raises a `ValueError` where the model cannot be asked this."""
        self.answer.check(predictor.main_task)
        if self.timeline is not None:
            self.timeline.check(predictor)


@dataclass(frozen=True)
class _Heard:
    file: str
    waveform: np.ndarray  # (samples,)
    duration_s: float | None
    speech_s: float | None


def predict_files(
    predictor: Predictor,
    files: Iterable[str],
    question: PredictionRequest,
    batch_size: int = 8,
    report: Report | None = None,
) -> Iterator[tuple[str, list[Row]]]:
    """Yields each file with its rows, once, as soon as they are known and so in another order.

    Args:
        predictor: the model.
        files: paths and URLs.
        question: what to say about them.
        batch_size: clips that are computed at once; rows come by so many.
        report: called with the share of a recording's timeline that is done. To follow a single one.

    Yields:
        The file, and one row `{"file", **answer, "duration_s", "analyzed_s", "speech_s"}`, as the pipeline gives it,
        where `duration_s` is `None` if it is not known without decoding or fetching very much; or, on a timeline, one
        per segment, `{"file", "start_s", "end_s", **answer, "duration_s", "speech_s"}`, and where there is no speech,
        one without times and answer. For a file that cannot be read: one row `{"file", "error"}`. A row has the file's
        URL without its password.
    """
    if question.timeline is not None:

        def hear(file: str, stopped: Event) -> tuple[str, list[Row]]:
            def go_on(share: float) -> None:
                if stopped.is_set():
                    raise _StoppedError
                if report is not None:
                    report(share)

            return file, _segments(predictor, file, question, go_on)

        yield from _in_threads(hear, files, joblib.cpu_count())
        return
    seconds = predictor.max_duration_s
    decoded = _in_threads(lambda file, _: _decode(file, seconds, question.vad), files, _POOL * batch_size)
    for pool in batched(decoded, _POOL * batch_size):
        clips = [clip for clip in pool if isinstance(clip, _Heard)]
        yield from (failed for failed in pool if not isinstance(failed, _Heard))
        for batch in length_grouped_batches([clip.waveform.size for clip in clips], batch_size):
            said = predictor([clips[index].waveform for index in batch])
            for place, index in enumerate(batch):
                values = {name: values[place] for name, values in said.items()}
                yield clips[index].file, [_row(predictor, clips[index], values, question.answer)]


def _decode(file: str, max_duration_s: float, vad: bool) -> _Heard | tuple[str, list[Row]]:
    """What the model is to hear of a file, or the file with the row that says why that is not possible."""
    try:
        with AudioReader(file) as audio:
            waveform = audio.read(0.0, max_duration_s)
            duration_s = audio.duration_s
    except PREDICTION_ERRORS as error:
        return file, [_failed(file, error)]
    return _Heard(file, waveform, duration_s, measure_speech(waveform) if vad else None)


def _row(predictor: Predictor, clip: _Heard, values: dict[str, np.ndarray], options: OutputOptions) -> Row:
    if clip.speech_s == 0:
        answer = format_no_speech(predictor.tasks)
    else:
        answer = format_outputs(predictor.tasks, predictor.main_task, values, options)
    seconds = {
        "duration_s": clip.duration_s,
        "analyzed_s": clip.waveform.size / SAMPLING_RATE,
        "speech_s": clip.speech_s,
    }
    return {"file": redact_credentials(clip.file), **answer, **seconds}


def _segments(predictor: Predictor, file: str, question: PredictionRequest, report: Report) -> list[Row]:
    from ..timeline.build import build_timeline, timeline_rows  # and with it a detector of speech

    try:
        timeline = build_timeline(predictor, file, question.timeline, report, labels=question.answer.labels)
    except PREDICTION_ERRORS as error:
        return [_failed(file, error)]
    segments = timeline_rows(timeline, predictor.tasks, predictor.main_task, question.answer)
    whole = {"duration_s": timeline.duration_s, "speech_s": timeline.speech_s}
    return [{"file": redact_credentials(file), **segment, **whole} for segment in segments or [{}]]


def _failed(file: str, error: BaseException) -> Row:
    name = redact_credentials(file)
    return {"file": name, "error": redact_credentials(str(error)).removeprefix(f"{name}: ") or type(error).__name__}


def _in_threads(function: Callable[[In, Event], Out], items: Iterable[In], ahead: int) -> Iterator[Out]:
    """What `function` gives for each item, as it comes, and at most so many items ahead of what is taken.

    It gets the item, and an event that is set when nothing more is wanted, so that it need not come to its end.
    """
    threads, stopped = ThreadPoolExecutor(joblib.cpu_count()), Event()
    waiting: set[Future[Out]] = set()
    try:
        for item in items:
            waiting.add(threads.submit(function, item, stopped))
            if len(waiting) >= ahead:
                ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in ready)
        yield from (future.result() for future in as_completed(waiting))
    finally:
        stopped.set()
        threads.shutdown(cancel_futures=True)
