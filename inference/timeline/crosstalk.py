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
    def read(number: int) -> tuple[np.ndarray, tuple[float, int]]:
        """The region's sound on a channel, and how the channel ranks among those with the same sound."""
        with AudioReader(source, sampling_rate, number) as audio:
            waveform = audio.read(bounds[0], min(bounds[1], bounds[0] + _LONGEST_S)).astype(np.float64)
        return waveform, (float(waveform @ waveform), -number)

    own, own_rank = read(channel)
    # One by one, up to the first that has the same sound: a recording may have a thousand channels.
    others = (read(other) for other in range(channels) if other != channel)
    return any(rank > own_rank and _max_correlation(own, waveform) > _COPY_ABOVE for waveform, rank in others)


def _max_correlation(sound: np.ndarray, other: np.ndarray) -> float:
    """The largest correlation of two sounds `(samples,)` at any delay up to `_DELAY`, from 0 to 1."""
    size = sound.size + other.size  # padded, so that the correlation is not circular
    products = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(other, size).conj(), size)
    products = np.concatenate([products[: _DELAY + 1], products[-_DELAY:]])
    return float(np.abs(products).max() / max(np.sqrt((sound @ sound) * (other @ other)), 1e-12))
