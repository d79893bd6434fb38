"""Sound as it comes -> events: the scores of every hop, where speech begins and ends, the segments of a timeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modeling import SAMPLING_RATE, OutputOptions, format_outputs

from ..engine.predictor import Predictor
from .build import TimelineOptions, make_smoother, predict_windows, split_scores
from .smoothing import RegionSmoother, SegmentBound
from .voice_activity import Speech, SpeechDetector
from .windows import Window, WindowCutter

Event = dict[str, Any]
_DEFAULT_CUT, _DEFAULT_OUTPUTS = TimelineOptions(), OutputOptions()
_HOPS_AT_ONCE = 16  # whose windows are processed together, where more sound comes at once than a hop


@dataclass(frozen=True)
class _Part:
    """A part of a region, and the windows that it completes."""

    speech: Speech
    windows: list[Window]


@dataclass(frozen=True)
class _Hop:
    """The end of a hop; in speech, its window is the end of the region so far."""

    time_s: float
    is_speech: bool
    windows: list[Window]


class LiveTimeline:
    """The timeline of a stream, while it is being recorded. Memory does not grow with its length.

    Events are dictionaries with the name of their kind in `event`:

    - `hop`: `time_s`, `speech` (whether somebody speaks), and in speech the outputs of every head over the last hop,
      smoothed over the windows so far. One for every `hop_s` seconds of sound.
    - `speech_start` (`start_s`) and `speech_end` (`end_s`).
    - `segment_start`: `start_s`, and the class of the main task, as soon as no later sound can change it.
    - `segment_end`: `start_s`, `end_s` and the outputs of every head. Together these are the segments that
      [`~inference.timeline.build.build_timeline`] gives for the whole recording. That alone analyzes a recording again,
      at another level, if it finds no speech.

    Args:
        predictor: processes the windows.
        options: how the stream is cut; its channels are mixed.
        outputs: how outputs are formatted.

    Raises:
        ValueError: a window is longer than the model's own, or the model lacks a label.
    """

    def __init__(
        self,
        predictor: Predictor,
        options: TimelineOptions = _DEFAULT_CUT,
        outputs: OutputOptions = _DEFAULT_OUTPUTS,
    ):
        options.check(predictor)
        outputs.check(predictor.main_task)
        self._predictor, self._options, self._outputs = predictor, options, outputs
        self._hop = options.in_samples[1]
        self._detector, self._cutter = SpeechDetector(), WindowCutter(*options.in_samples)
        self._region: RegionSmoother | None = None
        self._samples = 0

    def add(self, samples: np.ndarray) -> list[Event]:
        """Takes the next samples, mono float32 at 16 kHz of shape `(samples,)`; returns the events that they cause."""
        block = _HOPS_AT_ONCE * self._hop
        return [
            event
            for start in range(0, samples.size, block)
            for event in self._describe(self._cut(samples[start : start + block]))
        ]

    def end(self) -> list[Event]:
        """The events that are left when the stream ends."""
        return self._describe(_Part(speech, [*self._cutter.add(speech)]) for speech in self._detector.end())

    def _cut(self, samples: np.ndarray) -> Iterator[_Part | _Hop]:
        """The speech and the hops in the next samples, in the order of time."""
        while samples.size:
            piece = samples[: self._hop - self._samples % self._hop]
            samples = samples[piece.size :]
            self._samples += piece.size
            for speech in self._detector.add(piece):
                yield _Part(speech, [*self._cutter.add(speech)])
            if self._samples % self._hop == 0:
                rest = self._cutter.rest if self._detector.is_speech else None
                yield _Hop(self._samples / SAMPLING_RATE, self._detector.is_speech, [] if rest is None else [rest])

    def _describe(self, parts: Iterable[_Part | _Hop]) -> list[Event]:
        """The events of what was cut, whose windows are processed together."""
        parts = list(parts)
        windows = [window for part in parts for window in part.windows]
        rows = iter(predict_windows(self._predictor, windows, self._outputs.labels) if windows else ())
        events: list[Event] = []
        for part in parts:
            scored = [(window, next(rows)) for window in part.windows]
            events += self._describe_hop(part, scored) if isinstance(part, _Hop) else self._take(part.speech, scored)
        return events

    def _take(self, speech: Speech, scored: Sequence[tuple[Window, np.ndarray]]) -> Iterator[Event]:
        """The events of a part of a region, whose windows have these scores."""
        if self._region is None:
            self._region = make_smoother(self._predictor, self._options)
            yield {"event": "speech_start", "start_s": speech.start / SAMPLING_RATE}
        for window, row in scored:
            yield from map(self._describe_segment, self._region.add(window, row))
        if speech.ends:
            self._region = None
            yield {"event": "speech_end", "end_s": (speech.start + speech.waveform.size) / SAMPLING_RATE}

    def _describe_hop(self, hop: _Hop, scored: Sequence[tuple[Window, np.ndarray]]) -> Iterator[Event]:
        event: Event = {"event": "hop", "time_s": hop.time_s, "speech": hop.is_speech}
        if scored and self._region is not None:
            event |= self._format(self._region.latest(*scored[0]))
        yield event

    def _describe_segment(self, bound: SegmentBound) -> Event:
        event: Event = {"event": bound.event, "start_s": bound.start / SAMPLING_RATE}
        if bound.event == "segment_end":
            return {**event, "end_s": bound.end / SAMPLING_RATE, **self._format(bound.scores)}
        main = self._predictor.main_task
        return {**event, main.name: main.labels[bound.class_]} if main.is_classification else event

    def _format(self, scores: np.ndarray) -> dict[str, Any]:
        tasks = self._predictor.tasks
        return format_outputs(tasks, self._predictor.main_task, split_scores(tasks, scores), self._outputs)
