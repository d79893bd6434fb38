"""Sound as it comes -> events: the scores of every hop, where speech begins and ends, the segments of a timeline."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modeling import SAMPLING_RATE, OutputOptions, format_outputs

from ..engine.predictor import Predictor
from .build import TimelineOptions, predict_windows, split_scores
from .smoothing import ClassPath, average_stretch
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
        self._region: _Region | None = None
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
            self._region = _Region(self._predictor, self._options)
            yield {"event": "speech_start", "start_s": speech.start / SAMPLING_RATE}
        for window, row in scored:
            for kind, start, end, mean in self._region.add(window, row):
                yield self._describe_segment(kind, start, end, mean)
        if speech.ends:
            self._region = None
            yield {"event": "speech_end", "end_s": (speech.start + speech.waveform.size) / SAMPLING_RATE}

    def _describe_hop(self, hop: _Hop, scored: Sequence[tuple[Window, np.ndarray]]) -> Iterator[Event]:
        event: Event = {"event": "hop", "time_s": hop.time_s, "speech": hop.is_speech}
        if scored and self._region is not None:
            event |= self._format(self._region.latest(*scored[0]))
        yield event

    def _describe_segment(self, kind: str, start: int, end: int, scores: np.ndarray) -> Event:
        outputs = self._format(scores)
        if kind == "segment_end":
            return {"event": kind, "start_s": start / SAMPLING_RATE, "end_s": end / SAMPLING_RATE, **outputs}
        main = self._predictor.main_task
        label = {main.name: outputs[main.name][0]["label"]} if main.is_classification else {}
        return {"event": kind, "start_s": start / SAMPLING_RATE, **label}

    def _format(self, scores: np.ndarray) -> dict[str, Any]:
        tasks = self._predictor.tasks
        return format_outputs(tasks, self._predictor.main_task, split_scores(tasks, scores), self._outputs)


_Decided = tuple[str, int, int, np.ndarray]  # kind of the event; first sample, end and scores of a segment


class _Region:
    """The smoothing of a region of speech whose windows come one by one, as `average_stretches` does for all.

    Args:
        predictor: names the tasks.
        options: how the region is cut.
    """

    def __init__(self, predictor: Predictor, options: TimelineOptions):
        self._predictor = predictor
        self._hop = options.in_samples[1]
        self._path = ClassPath(options.switch_cost_s)
        # Start, end and scores of the windows that reach beyond the finished stretches.
        self._windows: list[tuple[int, int, np.ndarray]] = []
        self._next: int | None = None  # where the next stretch begins
        self._undecided: deque[tuple[int, int, np.ndarray]] = deque()  # finished stretches without a class
        self._segment: _Segment | None = None

    def add(self, window: Window, scores: np.ndarray) -> Iterator[_Decided]:
        """Takes the next window with its scores `(outputs,)`; yields the beginnings and ends of segments."""
        self._windows.append((window.start, window.end, scores))
        self._next = window.start if self._next is None else self._next
        while self._next < (window.end if window.ends else window.start - self._hop + 1):
            end = min(self._next + self._hop, window.end)
            mean = _average(self._windows, self._next, end)
            self._undecided.append((self._next, end, mean))
            seconds, self._next = (end - self._next) / SAMPLING_RATE, end
            yield from self._extend(self._path.add(self._probabilities(mean), seconds))
        if window.ends:
            yield from self._extend(self._path.end())
            if self._segment is not None:
                yield self._segment.decided("segment_end")
        self._windows = [held for held in self._windows if held[1] > self._next]

    def latest(self, rest: Window, scores: np.ndarray) -> np.ndarray:
        """The scores `(outputs,)` of the region's last hop so far.

        Args:
            rest: the end of the region so far.
            scores: of this window, `(outputs,)`.
        """
        start = max(rest.start, rest.end - self._hop)
        return _average([*self._windows, (rest.start, rest.end, scores)], start, rest.end)

    def _probabilities(self, mean: np.ndarray) -> np.ndarray:
        main = self._predictor.main_task
        return split_scores(self._predictor.tasks, mean)[main.name] if main.is_classification else np.zeros(1)

    def _extend(self, classes: Sequence[int]) -> Iterator[_Decided]:
        """Adds the stretches whose classes were decided to the open segment, or begins others with them."""
        for index in classes:
            start, end, mean = self._undecided.popleft()
            if self._segment is not None and self._segment.index != index:
                yield self._segment.decided("segment_end")
                self._segment = None
            if self._segment is None:
                self._segment = _Segment(index, start)
                self._segment.add(end, mean)
                yield self._segment.decided("segment_start")
            else:
                self._segment.add(end, mean)


def _average(windows: Sequence[tuple[int, int, np.ndarray]], start: int, end: int) -> np.ndarray:
    starts, ends, scores = (np.array(values) for values in zip(*windows, strict=True))
    return average_stretch(starts, ends, scores.astype(np.float64), start, end)


class _Segment:
    """Successive stretches of one class, and the mean of their scores over time."""

    def __init__(self, index: int, start: int):
        self.index = index
        self._start = self._end = start
        self._sum: np.ndarray | float = 0.0

    def add(self, end: int, mean: np.ndarray) -> None:
        self._sum = self._sum + mean * (end - self._end)
        self._end = end

    def decided(self, kind: str) -> _Decided:
        return kind, self._start, self._end, np.asarray(self._sum / (self._end - self._start))
