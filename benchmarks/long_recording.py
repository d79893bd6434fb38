"""A 3-minute recording, in batches of windows and window by window: `python -m benchmarks.long_recording`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
from transformers import pipeline

from benchmarks.clips import voice
from benchmarks.measure import Line, Run, command_line, race, ratio, seconds, torch_profile
from benchmarks.models import feature_extractor, write_checkpoint
from common.checkpoint import load_checkpoint
from inference.engine.predictor import load_predictor
from modeling import SAMPLING_RATE

LAYERS, MINUTES, WINDOW_S, HOP_S = 4, 3, 3.0, 1.0


def windows(quick: bool) -> list[np.ndarray]:
    """The recording's windows, each `(samples,)`."""
    recording = voice(10 if quick else 60 * MINUTES, seed=0)
    size, hop = round(WINDOW_S * SAMPLING_RATE), round(HOP_S * SAMPLING_RATE)
    return [recording[start : start + size] for start in range(0, recording.size - size + 1, hop)]


def in_halves(clips: list[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """The first half and the second in turns, one for each round."""
    return cycle([clips[: len(clips) // 2], clips[len(clips) // 2 :]])


def ours(checkpoint: Path, quick: bool, first: int | None = None) -> Run:
    """Batches of a half of the windows, or of the `first`; returns emotion probabilities, `(windows, labels)`."""
    predict = load_predictor(str(checkpoint))
    halves = in_halves(windows(quick)[:first])
    predict(windows(quick)[:8])
    return lambda: predict(next(halves))["emotion"]


def stock(checkpoint: Path, quick: bool) -> Run:
    """The stock pipeline, called with each window."""
    model = load_checkpoint(checkpoint)[0]
    labels = model.config.main_task.labels
    classify = pipeline("audio-classification", model=model, feature_extractor=feature_extractor(), top_k=None)
    halves = in_halves(windows(quick))
    classify(windows(quick)[0])

    def run() -> np.ndarray:
        outputs = [{entry["label"]: entry["score"] for entry in classify(clip)} for clip in next(halves)]
        return np.array([[scores[label] for label in labels] for scores in outputs])

    return run


def measure(quick: bool) -> list[Line]:
    """Ours beside the stock pipeline."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = write_checkpoint(Path(folder, "checkpoint"), LAYERS, quick=quick)
        ways = {"ours": partial(ours, checkpoint, quick), "stock": partial(stock, checkpoint, quick)}
        laps = race(ways, budget_s=100, min_rounds=2, max_rounds=5)
        profile = torch_profile(ours(checkpoint, quick, first=16))
    difference = np.abs(laps["ours"].result - laps["stock"].result).max()
    assert difference < 1e-5, f"ours differs from the stock pipeline by {difference}"
    return [
        Line(
            "a 3-minute recording, 4 layers",
            "the same windows one by one through the stock pipeline",
            **ratio(laps, "ours", "stock"),
            target=1.5,
            note=f"{len(windows(quick))} windows of {WINDOW_S:g} s, a half of them in a round; {seconds(laps)}. "
            f"Greatest difference {difference:.1g}. Time: {profile}.",
        )
    ]


if __name__ == "__main__":
    command_line(measure, __doc__)
