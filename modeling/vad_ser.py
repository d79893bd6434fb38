"""Which parts of a recording are speech, detected with silero-vad. The only voice activity detection of the project.

    from .vad_ser import measure_speech
    measure_speech(waveform)  # seconds of speech in it; 0.0 in silence, noise and music

silero-vad is imported at the first recording, so that a checkpoint loads without it.
"""

from __future__ import annotations

import importlib
import threading
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers.utils import logging

_RATE = 16_000
# Samples of a frame, and those of the frame before that the network takes as context.
FRAME, _CONTEXT = 512, 64
# silero-vad's own defaults.
_SPEECH_ABOVE, _SILENCE_BELOW = 0.5, 0.35
_MIN_SPEECH = round(0.25 * _RATE)
_MIN_SILENCE = round(0.1 * _RATE)
PAD = round(0.03 * _RATE)
# Retries for a recording in which no speech is found: (factor by which its pitch is lowered, root mean square). The
# first finds soft voices, the second shrieks, which are higher than the voices that the network was trained on. Of
# 3,010 clips of RAVDESS, EMODB, EMOVO and nEMO 17 need them, and none is left without speech.
_RETRIES = ((1.0, 0.2), (2.2, 0.3))
_LOADING = threading.Lock()  # importing silero-vad changes the number of threads of the process for a moment


def measure_speech(waveform: np.ndarray) -> float | None:
    """Seconds of speech in a clip.

    Args:
        waveform: mono float32 at 16 kHz, of shape `(samples,)`.

    Returns:
        The total length of the regions of [`find_regions`], and so 0.0 for whatever lasts 0.1 s or less. `None` if
        silero-vad is not installed, which logs a warning once.
    """
    try:
        regions = find_regions(waveform)
    except ImportError as error:
        logging.get_logger(__name__).warning_once(f"Speech was not detected in clips, so `speech_s` is None: {error}")
        return None
    return sum(end - start for start, end in regions) / _RATE


def find_regions(waveform: np.ndarray) -> list[tuple[int, int]]:
    """The regions of speech of a recording that is held in memory, as first and last sample (exclusive).

    They are those of `silero_vad.get_speech_timestamps`. Where it finds none, they are those that it finds after the
    level is raised, or the pitch lowered.

    Raises:
        ImportError: silero-vad is not installed.
    """
    return _regions_of(waveform) or find_faint_regions(waveform)


def find_faint_regions(waveform: np.ndarray) -> list[tuple[int, int]]:
    """[`find_regions`] of a recording in which silero-vad finds no speech without a change of level or pitch."""
    for lowered, level in _RETRIES if waveform.any() else ():
        regions = _regions_of(_change(waveform, lowered, level))
        if regions:
            bounds = [(round(start / lowered), round(end / lowered)) for start, end in regions]
            return [(start, min(end, waveform.size)) for start, end in bounds]
    return []


def _change(waveform: np.ndarray, lowered: float, level: float) -> np.ndarray:
    """The waveform played slower by `lowered`, and so lower, at the root mean square `level`."""
    level /= np.sqrt(np.mean(np.square(waveform, dtype=np.float64)))
    if lowered == 1.0:
        return waveform * np.float32(level)
    positions = np.arange(int(waveform.size * lowered)) / lowered
    changed: np.ndarray = np.interp(positions, np.arange(waveform.size), waveform) * level
    return changed.astype(np.float32)


def _regions_of(waveform: np.ndarray) -> list[tuple[int, int]]:
    regions, found = SpeechRegions(), []
    for probability in SpeechProbabilities()(np.pad(waveform, (0, -waveform.size % FRAME))):
        found.append(regions.add(probability))
    found.append(regions.end(waveform.size))
    bounds = [(region[0] - PAD, region[1] + PAD) for region in found if region]
    return [(max(0, start), min(end, waveform.size)) for start, end in bounds]


class SpeechRegions:
    """The rule by which silero-vad groups frames into regions, one frame at a time.

    Attributes:
        processed (`int`): number of samples so far.
        start (`int`, *optional*): first sample of the open region.
    """

    def __init__(self) -> None:
        self.processed = 0
        self.start: int | None = None
        self._silence: int | None = None  # first sample of a pause that may end the region

    @property
    def sure_until(self) -> int:
        """The sample up to which the open region is speech, whatever follows."""
        return self.processed if self._silence is None else self._silence

    @property
    def is_sure(self) -> bool:
        """Whether there is an open region that is long enough to be returned."""
        return self.start is not None and self.sure_until - self.start > _MIN_SPEECH

    @property
    def earliest_start(self) -> int:
        """The first sample at which the next region can start."""
        return self.processed if self.start is None else self.start

    def add(self, probability: float) -> tuple[int, int] | None:
        """Takes the next frame's probability of speech; returns the region that it ends, if any."""
        at = self.processed
        self.processed += FRAME
        if probability >= _SPEECH_ABOVE:
            self._silence = None
            if self.start is None:
                self.start = at
        elif probability < _SILENCE_BELOW and self.start is not None:
            if self._silence is None:
                self._silence = at
            if at - self._silence >= _MIN_SILENCE:
                return self.end(self._silence)
        return None

    def end(self, end: int) -> tuple[int, int] | None:
        """Ends the open region at a sample; returns it, if there is one and it is long enough."""
        start, self.start, self._silence = self.start, None, None
        return (start, end) if start is not None and end - start > _MIN_SPEECH else None


class SpeechProbabilities:
    """The probability of speech of each frame of a recording, with the network's state from frame to frame.

    Raises:
        ImportError: silero-vad is not installed.
    """

    def __init__(self) -> None:
        with _LOADING:
            self._net, self._recurrent = _load_network()
        self._context = torch.zeros(1, _CONTEXT)
        self._state: tuple[torch.Tensor, torch.Tensor] | None = None

    @torch.inference_mode()
    def __call__(self, samples: np.ndarray) -> list[float]:
        """
        Args:
            samples: float32 `(samples,)` that follow those of the last call; those after the last whole frame are
                ignored.

        Returns:
            A probability per frame of `FRAME` samples.
        """
        frames = torch.from_numpy(samples[: samples.size // FRAME * FRAME]).view(-1, FRAME)
        if len(frames) == 0:
            return []
        contexts = torch.cat([self._context, frames[:, -_CONTEXT:]])
        self._context = contexts[-1:].clone()
        features = self._net.encoder(self._net.run_extractors(torch.cat([contexts[:-1], frames], dim=1)))
        hidden, self._state = self._recurrent(features.permute(2, 0, 1)[0], self._state)
        probabilities: list[float] = self._net.decoder.decoder(hidden[..., None]).flatten().tolist()
        return probabilities


@cache
def _load_network() -> tuple[Any, nn.LSTM]:
    """silero-vad's network at 16 kHz, and its recurrent part.

    Its public interface takes a frame at a time, which is ten times slower than all frames of a block together, and
    keeps the state in the network, so that it could not process two recordings at a time.
    """
    threads = torch.get_num_threads()
    # Not an import statement: the Hub's loader would require the package for every use of a checkpoint.
    try:
        silero_vad = importlib.import_module("silero_vad")
    except ImportError as error:
        raise ImportError("detecting speech needs `silero_vad`: pip install silero-vad") from error
    finally:
        # Importing silero-vad sets it to one for the whole process: https://github.com/snakers4/silero-vad/issues/483
        torch.set_num_threads(threads)
    net = silero_vad.load_silero_vad()._model
    weights = net.decoder.rnn.state_dict()
    recurrent = nn.LSTM(128, 128)
    recurrent.load_state_dict({f"{name}_l0": weight for name, weight in weights.items()})
    return net, recurrent.eval()
