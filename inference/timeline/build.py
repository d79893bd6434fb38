"""A recording of any length -> segments of speech, each with the outputs of all heads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from modeling import SAMPLING_RATE, AudioReader, OutputOptions, Task, batched, format_outputs
from modeling.outputs_ser import restrict

from ..engine.predictor import Predictor
from .crosstalk import find_copies
from .smoothing import RegionSmoother, SegmentBound
from .voice_activity import find_speech
from .windows import Window, cut_windows

# A multiple of the 20 s in which the sound of films is decoded.
_BLOCK_S = 60.0
_WINDOWS_AT_ONCE = 32


@dataclass(frozen=True)
class TimelineOptions:
    """How a recording is cut.

    Args:
        window_s: seconds of speech that the model processes at once. A shorter region of speech is processed whole.
        hop_s: seconds from one window to the next, and between the times at which a segment can begin inside a region.
        switch_cost_s: how certain a change of emotion within a region must be: the new one's lead in probability,
            summed over its seconds, exceeds this, or twice this if the old one returns. No segment next to another one
            of its region is shorter.
        channels: `"mix"` averages them; `"each"` treats every channel as a speaker with segments of its own. Crosstalk
            of another channel, or a copy of it, does not count as speech.

    Raises:
        ValueError: a value is invalid.
    """

    window_s: float = 3.0
    hop_s: float = 1.0
    switch_cost_s: float = 0.5
    channels: Literal["mix", "each"] = "mix"

    def __post_init__(self) -> None:
        if not 1 / SAMPLING_RATE <= self.hop_s <= self.window_s:
            raise ValueError(
                f"Expected 0 < hop_s <= window_s, got a hop of {self.hop_s} s and a window of {self.window_s} s."
            )
        if not self.switch_cost_s >= 0:
            raise ValueError(f"switch_cost_s must be 0 s or more, got {self.switch_cost_s} s.")
        if self.channels not in ("mix", "each"):
            raise ValueError(f"channels must be 'mix' or 'each', got {self.channels!r}.")

    @property
    def in_samples(self) -> tuple[int, int]:
        """Window and hop at 16 kHz."""
        return round(self.window_s * SAMPLING_RATE), round(self.hop_s * SAMPLING_RATE)

    def check(self, predictor: Predictor) -> None:
        """Raises a `ValueError` if a window is longer than the model's own."""
        if self.window_s > predictor.max_duration_s:
            raise ValueError(
                f"window_s is at most the model's window, {predictor.max_duration_s:g} s; got {self.window_s:g} s."
            )


@dataclass(frozen=True)
class Segment:
    """A stretch of speech of one emotion.

    Args:
        start_s, end_s: where it is, in seconds.
        channel: of the speaker, from 0; `None` for the average of all.
        outputs: task name to probabilities `(num_outputs,)`, or a value `()` in the task's unit: the mean over time of
            those of the windows.
    """

    start_s: float
    end_s: float
    channel: int | None
    outputs: dict[str, np.ndarray]


@dataclass(frozen=True)
class Timeline:
    """The speech of a recording.

    Args:
        duration_s: seconds that were decoded; the header may promise otherwise.
        speech_s: seconds of speech, over all channels where each is a speaker.
        segments: in the order of time; together they are the regions of speech. Where the main task is a regression,
            they are the regions one by one.
    """

    duration_s: float
    speech_s: float
    segments: tuple[Segment, ...]


def build_timeline(
    predictor: Predictor,
    source: Any,
    options: TimelineOptions = TimelineOptions(),
    progress: Callable[[float], None] | None = None,
    sampling_rate: int | None = None,
    labels: Sequence[str] = (),
) -> Timeline:
    """Analyzes a recording of any length. Memory does not grow with its length.

    Args:
        predictor: processes the windows.
        source: anything that [`AudioReader`] takes. A file object must be seekable where each channel is a speaker.
        options: how the recording is cut.
        progress: called with the share of the work that is done, from 0 to 1.
        sampling_rate: of an array, in Hz.
        labels: the classes of the main task to choose among; by default all. The choice comes before anything is
            averaged or cut, so that neighboring segments differ in them.

    Raises:
        FileNotFoundError: there is no such file.
        AudioError: it is not audio, or contains NaN or infinity.
        ValueError: a window is longer than the model's own.
    """
    options.check(predictor)
    found: list[dict[tuple[float, float], list[Segment]]] = []  # of each channel: region to its segments
    durations: list[float] = []
    channels = 1
    while len(durations) < channels:
        channel = None if options.channels == "mix" else len(durations)
        with AudioReader(source, sampling_rate, channel) as audio:
            channels = 1 if channel is None else audio.channels
            blocks = _Blocks(audio, progress or (lambda share: None), channel or 0, channels)
            windows = cut_windows(find_speech(blocks), *options.in_samples)
            regions = _predict_regions(predictor, windows, options, labels)
            cut = [[_segment(predictor.tasks, channel, bound) for bound in region] for region in regions]
        found.append({(segments[0].start_s, segments[-1].end_s): segments for segments in cut})
        durations.append(blocks.read_s)
    segments = [segment for parts in _drop_copies(source, sampling_rate, found) for segment in parts]
    segments.sort(key=lambda segment: (segment.start_s, segment.channel or 0))
    speech_s = sum((segment.end_s - segment.start_s for segment in segments), 0.0)
    return Timeline(max(durations), speech_s, tuple(segments))


def timeline_rows(
    timeline: Timeline, tasks: Sequence[Task], main_task: Task, options: OutputOptions
) -> list[dict[str, Any]]:
    """The segments with their outputs formatted.

    Returns:
        Per segment `{"start_s", "end_s", …}` with the keys of [`format_outputs`], and `"channel"` if each channel is a
        speaker.
    """
    return [
        {
            "start_s": segment.start_s,
            "end_s": segment.end_s,
            **({} if segment.channel is None else {"channel": segment.channel}),
            **format_outputs(tasks, main_task, segment.outputs, options),
        }
        for segment in timeline.segments
    ]


def _drop_copies(
    source: Any, sampling_rate: int | None, found: list[dict[tuple[float, float], list[Segment]]]
) -> Iterator[list[Segment]]:
    """The segments of each region, without the regions that repeat another channel."""
    if len(found) == 1:
        yield from found[0].values()
        return
    for regions, copies in zip(found, find_copies(source, sampling_rate, [list(of) for of in found]), strict=True):
        yield from (segments for segments, is_copy in zip(regions.values(), copies, strict=True) if not is_copy)


class _Blocks:
    """The blocks of one channel, with a report of the share of all work that is done after each."""

    def __init__(self, audio: AudioReader, report: Callable[[float], None], channel: int, channels: int):
        self._audio = audio
        self._report = report
        self._channel = channel
        self._channels = channels
        self.read_s = 0.0

    def __iter__(self) -> Iterator[np.ndarray]:
        samples = 0
        for block in self._audio.blocks(_BLOCK_S):
            yield block
            samples += block.size
            self.read_s = samples / SAMPLING_RATE
            share = self.read_s / max(self.read_s, self._audio.promised_s)
            self._report((self._channel + share) / self._channels)


def _predict_regions(
    predictor: Predictor, windows: Iterable[Window], options: TimelineOptions, labels: Sequence[str]
) -> Iterator[list[SegmentBound]]:
    """The segments of each region."""
    smoother, segments = make_smoother(predictor, options), []
    for group in batched(windows, _WINDOWS_AT_ONCE):
        for window, row in zip(group, predict_windows(predictor, group, labels), strict=True):
            segments += [bound for bound in smoother.add(window, row) if bound.event == "segment_end"]
            if window.ends:
                yield segments
                smoother, segments = make_smoother(predictor, options), []


def make_smoother(predictor: Predictor, options: TimelineOptions) -> RegionSmoother:
    """What cuts one region into segments by the main task of a model."""
    main, tasks = predictor.main_task, predictor.tasks
    first = sum(task.num_outputs for task in tasks[: [task.name for task in tasks].index(main.name)])
    classes = slice(first, first + main.num_outputs) if main.is_classification else None
    return RegionSmoother(options.in_samples[1], options.switch_cost_s * SAMPLING_RATE, classes)


def _segment(tasks: Sequence[Task], channel: int | None, bound: SegmentBound) -> Segment:
    return Segment(bound.start / SAMPLING_RATE, bound.end / SAMPLING_RATE, channel, split_scores(tasks, bound.scores))


def predict_windows(predictor: Predictor, windows: Sequence[Window], labels: Sequence[str]) -> np.ndarray:
    """The outputs of every head for windows, one after the other, `(windows, outputs)`.

    Args:
        predictor: the model.
        windows: at least one.
        labels: the classes of the main task to choose among; by default all.
    """
    main_task = predictor.main_task
    decoded = predictor([window.waveform for window in windows])
    decoded[main_task.name] = restrict(decoded[main_task.name], main_task.labels, labels)
    return np.concatenate([decoded[task.name].reshape(len(windows), -1) for task in predictor.tasks], axis=1)


def split_scores(tasks: Sequence[Task], scores: np.ndarray) -> dict[str, np.ndarray]:
    """Every head's part of scores `(…, outputs)`: probabilities `(…, num_outputs)` or values `(…)`."""
    decoded, first = {}, 0
    for task in tasks:
        part = scores[..., first : first + task.num_outputs]
        decoded[task.name] = part if task.is_classification else part[..., 0]
        first += task.num_outputs
    return decoded
