"""The channels of a recording -> mono: their average, or for film sound FFmpeg's downmix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# FFmpeg's downmix to mono (libswresample/rematrix.c): speech is in the center, and effects are around it.
_CENTER, _LOW_FREQUENCIES, _SURROUND = {"FC"}, {"LFE", "LFE2"}, {"BL", "BR", "BC", "SL", "SR"}
_FILM = {  # the usual layout of this number of channels, for files without one
    5: "FL FR FC BL BR",
    6: "FL FR FC LFE BL BR",
    7: "FL FR FC LFE BC SL SR",
    8: "FL FR FC LFE BL BR SL SR",
}
UNNAMED = "NONE"  # FFmpeg's name of a channel with an unknown position
_EVERY = 16  # n-th sample is used to measure cancellation, for which a precision of 1 dB suffices
# Power of the mix over the sum of its channels' powers: about 1 if these are uncorrelated, their number if equal.
_CANCELED = 0.1
_SILENT = 1e-10  # mean square of a channel that counts as silent: -100 dB


class Mix:
    """Samples of all channels -> those of one.

    The weights are positive and sum to 1, so that nothing clips.

    Args:
        names: FFmpeg's names of the channels (`FL`, `FC`, `LFE`, …); they matter for three channels and more.
        channel: the channel to read, from 0; by default all are mixed.

    Attributes:
        weights (`np.ndarray`): of the channels, `(channels,)`.

    Raises:
        ValueError: the channel does not exist, or there are no channels.
    """

    def __init__(self, names: Sequence[str], channel: int | None = None):
        if not names:
            raise ValueError("it has no channels")
        if channel is not None and not 0 <= channel < len(names):
            raise ValueError(f"channel {channel} does not exist: it has {len(names)} channels, numbered from 0")
        self.weights = np.zeros(len(names), np.float32)
        self.weights[slice(None) if channel is None else channel] = mono_weights(names) if channel is None else 1
        self._single = int(self.weights.argmax()) if self.weights.max() == 1 else None
        self._power = np.zeros(2)  # of the mix, and of its channels one by one
        self._measured = 0

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Mono `(samples,)` of `(samples, channels)`, both float32."""
        if self._single is not None:
            return np.ascontiguousarray(samples[:, self._single])
        mono = samples @ self.weights
        some = samples[::_EVERY]
        with np.errstate(over="ignore"):  # the reader checks all samples, and rejects numbers that are not sound
            self._power += np.square(mono[::_EVERY]).sum(), np.square(some * self.weights).sum()
        self._measured += len(some)
        return mono

    @property
    def cancels(self) -> bool:
        """Whether the channels mixed so far cancel each other, as those of opposite sign do."""
        mixed, apart = self._power
        return bool(apart > _SILENT * self._measured and mixed < _CANCELED * apart)


def guess_names(names: Sequence[str]) -> Sequence[str]:
    """The names of a file's channels; where they are unknown, those that films have for this number of channels."""
    return _FILM[len(names)].split() if UNNAMED in names and len(names) in _FILM else names


def mono_weights(names: Sequence[str]) -> np.ndarray:
    """The weights of channels in their mix, `(channels,)`: equal if the position of one of them is unknown."""
    weights = np.ones(len(names))
    if len(names) > 2 and UNNAMED not in names:
        weights = np.array([_weight(name) for name in names])
    weights /= weights.sum()
    return weights


def _weight(name: str) -> float:
    if name in _LOW_FREQUENCIES:
        return 0.0
    return 1.0 if name in _CENTER else 0.5 if name in _SURROUND else 0.5**0.5
