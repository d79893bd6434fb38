"""Frames at a recording's own rate -> samples at 16 kHz; any slice equals the same slice of the whole."""

from __future__ import annotations

import importlib
import math
from typing import Any, Protocol

import numpy as np

SAMPLING_RATE = 16_000

# soxr's filters at its default quality reach less far than this; beyond it a slice equals the whole to 3e-7.
_RESAMPLER_MARGIN_S = 0.1
# Two packages decode and resample; where one is missing, the other mostly is too.
_INSTALL = {"soundfile": "soundfile soxr", "soxr": "soundfile soxr", "av": "av", "fsspec": "fsspec"}


class Frames(Protocol):
    """Mono frames of a recording at its own rate, by index.

    Attributes:
        rate: frames per second.
        channels: how many were mixed to one, or could have been.
        total: frames that the header promises, 0 where it has no number.
        cancels: whether the channels mixed so far cancel each other.
    """

    rate: int
    channels: int
    total: int

    @property
    def cancels(self) -> bool: ...

    def read(self, first: int, stop: int) -> np.ndarray:
        """Frames `first` to `stop`, `(frames,)`, fewer where the recording ends before."""

    def count(self, most: int) -> int | None:
        """The number of frames, `None` if counting would decode more than `most` samples of all channels."""


def resample(frames: Frames, first: int, stop: int) -> np.ndarray:
    """Samples `first` to `stop` at 16 kHz, `(samples,)`.

    Reading starts at a multiple of the ratio of the two rates, so that the resampler's phase, and with it every
    sample, is the same as when it reads from the beginning.
    """
    rate = frames.rate
    if rate == SAMPLING_RATE:
        return frames.read(first, stop)
    step_out = SAMPLING_RATE // math.gcd(SAMPLING_RATE, rate)
    step_in = rate // math.gcd(SAMPLING_RATE, rate)
    margin = round(_RESAMPLER_MARGIN_S * SAMPLING_RATE)
    block = max(0, (first - margin) // step_out)
    native = frames.read(block * step_in, math.ceil((stop + margin) / step_out) * step_in)
    resampled: np.ndarray = require("soxr", "resampling").resample(native, rate, SAMPLING_RATE)
    offset = block * step_out
    return resampled[first - offset : stop - offset]


def count_at_16_khz(count: int, rate: int) -> int:
    """The number of samples that soxr resamples `count` samples to."""
    return (2 * count * SAMPLING_RATE + rate) // (2 * rate)


def require(package: str, purpose: str) -> Any:
    """Imports a package; raises an `ImportError` with its purpose and how to install it."""
    # Not an import statement: the Hub's loader would require the package even where arrays are passed.
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ImportError(f"{purpose} needs `{package}`: pip install {_INSTALL[package]}") from error
