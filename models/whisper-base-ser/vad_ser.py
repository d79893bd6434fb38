"""Which parts of a recording are speech, detected with silero-vad. The only voice activity detection of the project.

    from .vad_ser import measure_speech
    measure_speech(waveform)  # seconds of speech in it; 0.0 in silence, noise and music

silero-vad's network is loaded at the first recording, so that a checkpoint loads without it: in PyTorch where the
process has imported it, and otherwise on ONNX Runtime, from the file that the package brings.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

logger = logging.getLogger(__name__)

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
_FRAMES_AT_ONCE = 1024
_MISSING = "detecting speech needs `silero_vad`: pip install silero-vad"
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
        _warn_once(str(error))
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
            self._network = _load_torch() if "torch" in sys.modules or not _has("onnxruntime") else _load_onnx()
        self._context = np.zeros((1, _CONTEXT), np.float32)
        self._state = (np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32))

    def __call__(self, samples: np.ndarray) -> list[float]:
        """
        Args:
            samples: float32 `(samples,)` that follow those of the last call; those after the last whole frame are
                ignored.

        Returns:
            A probability per frame of `FRAME` samples.
        """
        frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME)
        probabilities: list[float] = []
        for first in range(0, len(frames), _FRAMES_AT_ONCE):
            probabilities += self._process(frames[first : first + _FRAMES_AT_ONCE])
        return probabilities

    def _process(self, frames: np.ndarray) -> list[float]:
        contexts = np.concatenate([self._context, frames[:, -_CONTEXT:]])
        self._context = contexts[-1:].copy()
        inputs = np.concatenate([contexts[:-1], frames], axis=1)
        probabilities, self._state = self._network(inputs, self._state)
        values: list[float] = probabilities.tolist()
        return values


_State = tuple[np.ndarray, np.ndarray]  # hidden and cell state of the recurrent layer, each (1, 1, 128)
# Frames with their context (frames, samples) and a state -> probabilities (frames,) and the next state.
_Network = Callable[[np.ndarray, _State], tuple[np.ndarray, _State]]


@cache
def _load_onnx() -> _Network:
    """The network as the package's ONNX file, which takes many frames at once.

    The package is found, and not imported: it imports PyTorch.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it would report its use to its makers
    # Not import statements: the Hub's loader would require the packages for every use of a checkpoint.
    onnxruntime = importlib.import_module("onnxruntime")
    found = importlib.util.find_spec("silero_vad")
    if found is None or found.origin is None:
        raise ImportError(_MISSING)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    file = Path(found.origin).parent / "data" / "silero_vad_16k_sequence.onnx"
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def network(frames: np.ndarray, state: _State) -> tuple[np.ndarray, _State]:
        inputs = {"input": frames, "h": state[0], "c": state[1]}
        probabilities, hidden, cell = session.run(["speech_probs", "hn", "cn"], inputs)
        return probabilities, (hidden, cell)

    return network


@cache
def _load_torch() -> _Network:
    """The network in PyTorch, with its recurrent layer as one that takes many frames at once.

    Its public interface takes a frame at a time, which is ten times slower than all frames of a block together, and
    keeps the state in the network, so that it could not process two recordings at a time.
    """
    import torch

    threads = torch.get_num_threads()
    try:
        silero_vad = importlib.import_module("silero_vad")
    except ImportError as error:
        raise ImportError(_MISSING) from error
    finally:
        # Importing silero-vad sets it to one for the whole process: https://github.com/snakers4/silero-vad/issues/483
        torch.set_num_threads(threads)
    net = silero_vad.load_silero_vad()._model
    weights = net.decoder.rnn.state_dict()
    recurrent = torch.nn.LSTM(128, 128).eval()
    recurrent.load_state_dict({f"{name}_l0": weight for name, weight in weights.items()})

    @torch.inference_mode()
    def network(frames: np.ndarray, state: _State) -> tuple[np.ndarray, _State]:
        features = net.encoder(net.run_extractors(torch.from_numpy(frames)))
        states = tuple(torch.from_numpy(part[0]) for part in state)
        hidden, (last, cell) = recurrent(features.permute(2, 0, 1)[0], states)
        probabilities = net.decoder.decoder(hidden[..., None]).flatten()
        return probabilities.numpy(), (last.numpy()[None], cell.numpy()[None])

    return network


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@cache
def _warn_once(reason: str) -> None:
    logger.warning("Speech was not detected in clips, so `speech_s` is None: %s", reason)
