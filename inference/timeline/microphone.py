"""The microphone -> blocks of sound, until the consumer stops."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import numpy as np

from modeling import SAMPLING_RATE

_BLOCK = SAMPLING_RATE // 10
_BLOCKS = 600  # a minute, that the model may be behind


def record_blocks() -> Iterator[np.ndarray]:
    """Records from the default microphone.

    Yields:
        Successive blocks of a tenth of a second, mono float32 at 16 kHz, of shape `(samples,)`.

    Raises:
        ValueError: sounddevice or PortAudio is not installed, the microphone cannot be used, or the model is too slow
            to keep up with it.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # the latter without PortAudio
        raise ValueError(f"The microphone needs sounddevice: pip install -e '.[microphone]' ({error}).") from error
    blocks: queue.Queue[np.ndarray] = queue.Queue(_BLOCKS)

    def keep(samples: np.ndarray, frames: int, time: Any, status: Any) -> None:
        if not blocks.full():  # full, it is behind by a minute, which the consumer reports
            blocks.put(samples[:, 0].copy())

    try:
        with sounddevice.InputStream(SAMPLING_RATE, _BLOCK, channels=1, dtype="float32", callback=keep):
            while not blocks.full():
                yield blocks.get()
    except sounddevice.PortAudioError as error:
        raise ValueError(f"The microphone cannot be used: {error}.") from error
    raise ValueError("The model is slower than the microphone. Use a longer --hop_s.")
