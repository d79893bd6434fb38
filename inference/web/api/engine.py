"""Recordings in memory -> rows and timelines, computed by one shared predictor; every error has a status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import joblib

from modeling import SAMPLING_RATE, AudioError, AudioReader, OutputOptions

from ...batch.predict import PREDICTION_ERRORS, clip_row, read_clip
from ...engine.predictor import Predictor
from ...engine.shared_predictor import SharedPredictor
from ...table_writers import Row
from ...timeline.build import TimelineOptions, build_timeline
from ...timeline.formats import TimelineDocument, format_timeline
from .admission import ApiLimits
from .bodies import Upload
from .errors import ApiError
from .metrics import Metrics

_MAX_TIMELINES = 4  # requests whose timelines are computed at the same time


class Engine:
    """What computes for all requests, jobs and streams.

    Args:
        predictor: the model.
        limits: of the service.
        metrics: counts what is computed.
    """

    def __init__(self, predictor: Predictor, limits: ApiLimits, metrics: Metrics):
        self.predictor = SharedPredictor(predictor, observe=metrics.observe_group)
        self._limits = limits
        self._metrics = metrics
        self._decoders = ThreadPoolExecutor(2 * joblib.cpu_count(), thread_name_prefix="decoder")
        self._timelines = ThreadPoolExecutor(_MAX_TIMELINES, thread_name_prefix="timeline")
        metrics.watch("ser_waiting_clips", "Clips that wait for the model", lambda: self.predictor.num_waiting)

    async def predict(self, upload: Upload, options: OutputOptions, vad: bool) -> Row:
        """The row of the beginning of a recording; raises an [`ApiError`] if it cannot be read."""
        loop = asyncio.get_running_loop()
        window_s = self.predictor.max_duration_s
        try:
            clip = await loop.run_in_executor(self._decoders, read_clip, upload.name, upload.content, window_s, vad)
        except PREDICTION_ERRORS as error:
            raise describe_failure(error, upload) from error
        values = await asyncio.wrap_future(self.predictor.submit(clip.waveform))
        self._metrics.audio_seconds.inc(clip.waveform.size / SAMPLING_RATE)
        return clip_row(self.predictor, clip, values, options)

    async def predict_timeline(
        self, upload: Upload, timeline: TimelineOptions, options: OutputOptions
    ) -> TimelineDocument:
        """The timeline of a recording; raises an [`ApiError`] if it cannot be read."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(
                self._timelines, self.compute_timeline, upload, timeline, options, lambda share: None
            )
        except PREDICTION_ERRORS as error:
            raise describe_failure(error, upload) from error

    def compute_timeline(
        self, upload: Upload, timeline: TimelineOptions, options: OutputOptions, report: Callable[[float], None]
    ) -> TimelineDocument:
        """The timeline of a recording, in the thread that calls it.

        Args:
            upload: the recording.
            timeline: how it is cut.
            options: how outputs are formatted.
            report: called with the share of the work that is done.
        """
        self._check_length(upload)
        built = build_timeline(self.predictor, upload.content, timeline, report, labels=options.labels)
        self._metrics.audio_seconds.inc(built.duration_s)
        return format_timeline(upload.name, built, self.predictor.tasks, self.predictor.main_task, options)

    async def measure(self, upload: Upload) -> float:
        """Seconds of a recording that its header promises; raises an [`ApiError`] if it is not audio."""

        def promised() -> float:
            with AudioReader(upload.content) as audio:
                return audio.promised_s

        try:
            return await asyncio.get_running_loop().run_in_executor(self._decoders, promised)
        except PREDICTION_ERRORS as error:
            raise describe_failure(error, upload) from error

    def close(self) -> None:
        """Ends the threads."""
        self._decoders.shutdown(cancel_futures=True)
        self._timelines.shutdown(cancel_futures=True)
        self.predictor.close()

    def _check_length(self, upload: Upload) -> None:
        longest_s = 60 * self._limits.minutes
        with AudioReader(upload.content) as audio:
            try:
                audio.read(longest_s, longest_s + 1)
            except AudioError:
                return  # it ends before
        raise ApiError(413, f"The recording is longer than {self._limits.minutes:g} minutes. Send a part of it.")


def describe_failure(error: Exception, upload: Upload) -> ApiError:
    """The error of a recording that cannot be read, or of a computation that failed."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, PREDICTION_ERRORS):
        reason = str(error).removeprefix(f"{len(upload.content)} bytes: ") or type(error).__name__
        return ApiError(415, f"{upload.name} cannot be read: {reason.rstrip('.')}. Send an audio or video file.")
    return ApiError(500, "The service failed. Please report the time of this request to its operator.")
