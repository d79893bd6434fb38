"""Speech on a channel -> whether it only repeats what another channel has at the same time."""

from __future__ import annotations

from typing import Any

import numpy as np

from modeling import SAMPLING_RATE, AudioReader

_LONGEST_S = 20.0  # seconds of a region that are compared
_DELAY = round(0.05 * SAMPLING_RATE)  # samples by which a line or a room may delay
# Correlation, from 0 to 1: two voices stay below 0.4; a copy is above 0.7 if it is louder than its channel's noise.
_COPY_ABOVE = 0.7


def find_copies(source: Any, sampling_rate: int | None, regions: list[list[tuple[float, float]]]) -> list[list[bool]]:
    """Which regions of speech are crosstalk, or belong to a channel that repeats another one.

    A region is a copy if another channel has the same sound at that time, louder, or equally loud and with a lower
    number.

    Args:
        source, sampling_rate: as of [`~modeling.AudioReader`].
        regions: of each channel, start and end in seconds.

    Returns:
        For each channel, whether each of its regions is a copy.
    """
    return [
        [_is_copy(source, sampling_rate, channel, len(regions), bounds) for bounds in found]
        for channel, found in enumerate(regions)
    ]


def _is_copy(source: Any, sampling_rate: int | None, channel: int, channels: int, bounds: tuple[float, float]) -> bool:
    start_s, end_s = bounds[0], min(bounds[1], bounds[0] + _LONGEST_S)
    waveforms = []
    for number in range(channels):
        with AudioReader(source, sampling_rate, number) as audio:
            waveforms.append(audio.read(start_s, end_s).astype(np.float64))
    powers = [float(waveform @ waveform) for waveform in waveforms]
    louder = [other for other in range(channels) if (powers[other], -other) > (powers[channel], -channel)]
    return any(_max_correlation(waveforms[channel], waveforms[other]) > _COPY_ABOVE for other in louder)


def _max_correlation(sound: np.ndarray, other: np.ndarray) -> float:
    """The largest correlation of two sounds `(samples,)` at any delay up to `_DELAY`, from 0 to 1."""
    size = sound.size + other.size  # padded, so that the correlation is not circular
    products = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(other, size).conj(), size)
    products = np.concatenate([products[: _DELAY + 1], products[-_DELAY:]])
    return float(np.abs(products).max() / max(np.sqrt((sound @ sound) * (other @ other)), 1e-12))
