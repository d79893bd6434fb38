"""The channels of a recording -> one: their average, or of film sound the downmix that FFmpeg makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# FFmpeg's downmix to mono (libswresample/rematrix.c): speech is in the center, and effects are around it.
_CENTER, _LOW_FREQUENCIES, _SURROUND = {"FC"}, {"LFE", "LFE2"}, {"BL", "BR", "BC", "SL", "SR"}
_FILM = {  # what so many channels of a file are where it does not say
    5: "FL FR FC BL BR",
    6: "FL FR FC LFE BL BR",
    7: "FL FR FC LFE BC SL SR",
    8: "FL FR FC LFE BL BR SL SR",
}
UNNAMED = "NONE"  # FFmpeg's name of a channel of which it does not know where it stands
_EVERY = 16  # n-th sample measures whether channels cancel, which is a matter of 10 dB
_CANCELED = 0.1  # power of the mix in that of its channels; of unlike ones it is 1, and of like ones their number
_SILENT = 1e-10  # mean square of a channel in which there is nothing to lose: -100 dB


class Mix:
    """Samples of all channels -> those of one.

    The weights are positive and add up to 1, so that nothing clips.

    Args:
        names: FFmpeg's of the channels (`FL`, `FC`, `LFE`, …); of two channels or fewer they do not matter.
        channel: the one to read alone, from 0; by default all are mixed.

    Attributes:
        weights (`np.ndarray`): of the channels, `(channels,)`.

    Raises:
        ValueError: there is no such channel, or none at all.
    """

    def __init__(self, names: Sequence[str], channel: int | None = None):
        if not names:
            raise ValueError("it has no channels")
        if channel is not None and not 0 <= channel < len(names):
            raise ValueError(f"it has {len(names)} channels, of which none is number {channel}")
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
        with np.errstate(over="ignore"):  # numbers that are no sound are refused where all of them are looked at
            self._power += np.square(mono[::_EVERY]).sum(), np.square(some * self.weights).sum()
        self._measured += len(some)
        return mono

    @property
    def cancels(self) -> bool:
        """Whether the channels that were mixed so far take each other away, as those of opposite sign do."""
        mixed, apart = self._power
        return apart > _SILENT * self._measured and mixed < _CANCELED * apart


def guess_names(names: Sequence[str]) -> Sequence[str]:
    """The names of a file's channels; where it has none for them, those that so many channels have in films."""
    return _FILM[len(names)].split() if UNNAMED in names and len(names) in _FILM else names


def mono_weights(names: Sequence[str]) -> np.ndarray:
    """The weights of channels in their mix, `(channels,)`: all the same where one of them has no name."""
    weights = np.ones(len(names))
    if len(names) > 2 and UNNAMED not in names:
        weights = np.array([_weight(name) for name in names])
    return weights / weights.sum()


def _weight(name: str) -> float:
    if name in _LOW_FREQUENCIES:
        return 0.0
    return 1.0 if name in _CENTER else 0.5 if name in _SURROUND else 0.5**0.5
