"""Recordings -> rows of predictions: threads decode ahead while the model computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, TypeVar

import joblib
import numpy as np
from av.error import FFmpegError

from modeling import SAMPLING_RATE, AudioReader, OutputOptions, batched, format_outputs
from modeling.audio_remote_ser import redact_credentials
from modeling.outputs_ser import format_no_speech
from modeling.vad_ser import measure_speech

from ..engine.predictor import Predictor
from ..table_writers import Row

if TYPE_CHECKING:
    from ..timeline.build import TimelineOptions
    from ..timeline.formats import TimelineDocument

# Batches that the predictor chooses from, and as many again that are decoded meanwhile: enough for lengths to be
# alike, few enough to hold in memory.
_BATCHES_AHEAD = 16
# What a broken file raises, wherever the decoder meets the error. A RuntimeError is not among them: torch raises it,
# for example when the GPU is full, and that must end the run instead of marking a thousand files as broken.
PREDICTION_ERRORS = (ValueError, OSError, ArithmeticError, MemoryError, FFmpegError)
In = TypeVar("In")
Out = TypeVar("Out")
Report = Callable[[float], None]


class _StoppedError(Exception):
    """The result of the timeline is not needed any more."""


@dataclass(frozen=True)
class PredictionRequest:
    """What is predicted for each recording.

    Args:
        outputs: how outputs are formatted.
        timeline: how a recording is cut into segments; by default it is not, and its beginning is analyzed.
        vad: whether to detect speech in that beginning, and to predict no emotion without it.
    """

    outputs: OutputOptions = field(default_factory=OutputOptions)
    timeline: TimelineOptions | None = None
    vad: bool = True

    def check(self, predictor: Predictor) -> None:
        """Raises a `ValueError` if the model cannot process this request."""
        self.outputs.check(predictor.main_task)
        if self.timeline is not None:
            self.timeline.check(predictor)


@dataclass(frozen=True)
class Clip:
    """The part of a recording that the model processes.

    Args:
        file: name of the recording in its row.
        waveform: mono float32 at 16 kHz, of shape `(samples,)`.
        duration_s: of the whole recording, `None` if it is unknown.
        speech_s: seconds of speech in the waveform, `None` if it was not measured.
    """

    file: str
    waveform: np.ndarray
    duration_s: float | None
    speech_s: float | None


def predict_files(
    predictor: Predictor, files: Iterable[str], request: PredictionRequest, report: Report | None = None
) -> Iterator[tuple[str, list[Row]]]:
    """Yields each file with its rows, once, as soon as they are predicted and so in another order.

    Args:
        predictor: the model.
        files: paths and URLs.
        request: what to predict.
        report: called with the share of a recording's timeline that is done. For a single recording.

    Yields:
        The file, and one row `{"file", **outputs, "duration_s", "analyzed_s", "speech_s"}`, as the pipeline gives it,
        where `duration_s` is `None` if it is unknown without decoding or fetching very much; or, for a timeline, the
        rows of a [`~inference.timeline.formats.TimelineDocument`]. For a file that cannot be read: one row
        `{"file", "error"}`. A row has the file's URL without its password.
    """
    if request.timeline is None:
        yield from _predict_clips(predictor, files, request)
    else:
        yield from _predict_timelines(predictor, files, request, report)


def predict_timeline(
    predictor: Predictor, file: str, request: PredictionRequest, report: Report | None = None
) -> TimelineDocument:
    """The timeline of one recording, cut as `request.timeline` defines.

    Raises:
        one of `PREDICTION_ERRORS`: the recording cannot be read.
    """
    from ..timeline.build import TimelineOptions, build_timeline  # with a speech detector, which takes seconds
    from ..timeline.formats import format_timeline

    options = request.timeline or TimelineOptions()
    timeline = build_timeline(predictor, file, options, report, labels=request.outputs.labels)
    name = redact_credentials(file)
    return format_timeline(name, timeline, predictor.tasks, predictor.main_task, request.outputs)


def _predict_timelines(
    predictor: Predictor, files: Iterable[str], request: PredictionRequest, report: Report | None
) -> Iterator[tuple[str, list[Row]]]:
    def predict(file: str, stopped: Event) -> tuple[str, list[Row]]:
        def continue_unless_stopped(share: float) -> None:
            if stopped.is_set():
                raise _StoppedError
            if report is not None:
                report(share)

        try:
            return file, predict_timeline(predictor, file, request, continue_unless_stopped).rows
        except PREDICTION_ERRORS as error:
            return file, [error_row(file, error)]

    yield from _in_threads(predict, files, joblib.cpu_count())


def _predict_clips(
    predictor: Predictor, files: Iterable[str], request: PredictionRequest
) -> Iterator[tuple[str, list[Row]]]:
    ahead = _BATCHES_AHEAD * predictor.batch_size
    decoded = _in_threads(lambda file, _: _decode(file, predictor.max_duration_s, request.vad), files, ahead)
    for group in batched(decoded, ahead):
        clips = [clip for clip in group if isinstance(clip, Clip)]
        yield from (failed for failed in group if not isinstance(failed, Clip))
        for indices, outputs in predictor.predict_batches([clip.waveform for clip in clips]):
            for place, index in enumerate(indices):
                values = {name: of_batch[place] for name, of_batch in outputs.items()}
                yield clips[index].file, [clip_row(predictor, clips[index], values, request.outputs)]


def _decode(file: str, max_duration_s: float, vad: bool) -> Clip | tuple[str, list[Row]]:
    """The model's window of a file, or the file with the row of its error."""
    try:
        return read_clip(file, file, max_duration_s, vad)
    except PREDICTION_ERRORS as error:
        return file, [error_row(file, error)]


def read_clip(file: str, source: str | bytes, max_duration_s: float, vad: bool) -> Clip:
    """The model's window of a recording.

    Args:
        file: name of the recording.
        source: its path, its URL or its content.
        max_duration_s: the model's window.
        vad: whether speech is measured.

    Raises:
        one of `PREDICTION_ERRORS`: the recording cannot be read.
    """
    with AudioReader(source) as audio:
        waveform = audio.read(0.0, max_duration_s)
        duration_s = audio.duration_s
    return Clip(file, waveform, duration_s, measure_speech(waveform) if vad else None)


def clip_row(predictor: Predictor, clip: Clip, values: dict[str, np.ndarray], options: OutputOptions) -> Row:
    """The row of a recording from the outputs of its clip: task name to probabilities `(num_outputs,)` or a value."""
    if clip.speech_s == 0:
        outputs = format_no_speech(predictor.tasks)
    else:
        outputs = format_outputs(predictor.tasks, predictor.main_task, values, options)
    seconds = {
        "duration_s": clip.duration_s,
        "analyzed_s": clip.waveform.size / SAMPLING_RATE,
        "speech_s": clip.speech_s,
    }
    return {"file": redact_credentials(clip.file), **outputs, **seconds}


def error_row(file: str, error: BaseException) -> Row:
    """The row of a file that cannot be read. Its URL has no password, there and in the error."""
    name = redact_credentials(file)
    return {"file": name, "error": redact_credentials(str(error)).removeprefix(f"{name}: ") or type(error).__name__}


def _in_threads(function: Callable[[In, Event], Out], items: Iterable[In], ahead: int) -> Iterator[Out]:
    """Yields `function(item, stopped)` for each item, as it is done, at most `ahead` items before the consumer.

    `stopped` is an event that is set when nothing more is consumed, so that the function can end early.
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
