"""The samples of an array, behind the interface by which files are read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from .audio_channels_ser import UNNAMED, Mix

if TYPE_CHECKING:
    import torch

_MAX_CHANNELS = 64


class ArrayFrames:
    """Mono frames of an array at its own rate.

    The positions of an array's channels are unknown, so their mix is their average.

    Raises:
        ValueError: the array is not a waveform, its rate is missing, or the channel does not exist.
    """

    def __init__(self, array: np.ndarray | torch.Tensor, rate: int | None, channel: int | None):
        if rate is None or rate <= 0:
            raise ValueError(f"`sampling_rate` of an array must be given in Hz, got {rate}")
        self.rate = int(rate)
        channels = _channels_first(_to_float(_to_numpy(array)))
        self.channels = len(channels)
        mix = Mix([UNNAMED] * self.channels, channel)
        self._mono = mix(channels.T)
        self.cancels = mix.cancels
        self.total = self._mono.size

    def read(self, first: int, stop: int) -> np.ndarray:
        return self._mono[first:stop].copy()

    def count(self, most: int) -> int:
        """The number of samples."""
        return self.total


def is_array(source: Any) -> bool:
    """Whether a source is a numpy array or a torch tensor."""
    return isinstance(source, np.ndarray) or _is_tensor(source)


def _is_tensor(source: Any) -> bool:
    torch = sys.modules.get("torch")  # whoever has a tensor has imported it; decoding alone does not need it
    return torch is not None and isinstance(source, torch.Tensor)


def _to_numpy(array: Any) -> np.ndarray:
    values: np.ndarray = array.detach().cpu().numpy() if _is_tensor(array) else array
    return values


def _to_float(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:  # 8-bit PCM is unsigned, silence at 128
        return (array.astype(np.float32) - 128) / 128
    if np.issubdtype(array.dtype, np.signedinteger):
        return (array / -float(np.iinfo(array.dtype).min)).astype(np.float32)
    if np.issubdtype(array.dtype, np.floating):
        return array.astype(np.float32)
    raise ValueError(f"An array of samples must be float, signed integer or uint8, got {array.dtype}")


def _channels_first(array: np.ndarray) -> np.ndarray:
    """The array as `(channels, samples)`; channels are the shorter axis."""
    if array.ndim == 1:
        return array[None]
    if array.ndim != 2 or min(array.shape) > _MAX_CHANNELS or array.shape[0] == array.shape[1]:
        raise ValueError(
            "An array of samples must have the shape (samples,), (channels, samples) or (samples, channels), with up "
            f"to {_MAX_CHANNELS} channels and fewer channels than samples; got {array.shape}"
        )
    return array if array.shape[0] < array.shape[1] else array.T
