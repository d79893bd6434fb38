"""A recording, block by block -> the regions of it that are speech, as silero-vad finds them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import nn

from modeling import SAMPLING_RATE

# What the network judges at once, and what it hears of the frame before.
_FRAME, _CONTEXT = 512, 64
# silero-vad's own defaults.
_SPEECH_ABOVE, _SILENCE_BELOW = 0.5, 0.35
_MIN_SPEECH = round(0.25 * SAMPLING_RATE)
_MIN_SILENCE = round(0.1 * SAMPLING_RATE)
_PAD = round(0.03 * SAMPLING_RATE)
_LOADING = threading.Lock()  # while silero-vad is imported, the process has one thread


@dataclass(frozen=True)
class Speech:
    """A region of speech, or as much of it as has been heard since the last one of these.

    Args:
        start: its first sample in the recording.
        waveform: mono float32 at 16 kHz, of shape `(samples,)`; none where the region turns out to have ended.
        ends: whether the region ends here. If not, the next one goes on with the next sample.
    """

    start: int
    waveform: np.ndarray
    ends: bool


def find_speech(blocks: Iterable[np.ndarray]) -> Iterator[Speech]:
    """Finds speech while a recording is being read.

    The regions are those of `silero_vad.get_speech_timestamps` on the whole recording, whatever the blocks. A region
    comes in parts where it does not end within a block: no more than a block is held in memory.

    Args:
        blocks: of the recording, mono float32 at 16 kHz, each of shape `(samples,)`.

    Yields:
        Speech in the order of time.
    """
    judge, regions = _Judge(), _Regions()
    held, first = np.zeros(0, np.float32), 0  # the samples that may still be needed, and which one they begin with
    spoken = None  # the first sample of the open region that has not been yielded

    def cut(start: int, end: int, ends: bool) -> Speech:
        start = max(0, start - _PAD) if spoken is None else spoken
        return Speech(start, held[start - first : end - first], ends)

    for block in blocks:
        held = np.concatenate([held, block])
        for probability in judge(held[regions.heard - first :]):
            if region := regions.hear(probability):
                yield cut(region[0], region[1] + _PAD, ends=True)
                spoken = None
        if regions.is_sure and regions.sure_until != spoken:
            yield cut(regions.start, regions.sure_until, ends=False)
            spoken = regions.sure_until
        needed = spoken if spoken is not None else max(0, regions.earliest_start - _PAD)
        held, first = held[needed - first :], needed

    total = first + held.size
    rest = held[regions.heard - first :]
    for probability in judge(np.pad(rest, (0, -rest.size % _FRAME))):
        if region := regions.hear(probability):
            yield cut(region[0], min(region[1] + _PAD, total), ends=True)
            spoken = None
    if region := regions.end(total):
        yield cut(*region, ends=True)


class _Regions:
    """The rule by which silero-vad makes regions of frames, one frame at a time.

    Attributes:
        heard (`int`): samples so far.
        start (`int`, *optional*): where the open region starts.
    """

    def __init__(self) -> None:
        self.heard = 0
        self.start: int | None = None
        self._silence: int | None = None  # where speech paused, perhaps to end

    @property
    def sure_until(self) -> int:
        """The sample up to which the open region is speech, whatever follows."""
        return self.heard if self._silence is None else self._silence

    @property
    def is_sure(self) -> bool:
        """Whether there is an open region that is long enough to be one."""
        return self.start is not None and self.sure_until - self.start > _MIN_SPEECH

    @property
    def earliest_start(self) -> int:
        """The first sample that a region to come can start with."""
        return self.heard if self.start is None else self.start

    def hear(self, probability: float) -> tuple[int, int] | None:
        """Takes the next frame's probability of speech; returns the region that it shows to be over."""
        at = self.heard
        self.heard += _FRAME
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
        """Ends the open region; returns it, if there is one and it is not too short."""
        start, self.start, self._silence = self.start, None, None
        return (start, end) if start is not None and end - start > _MIN_SPEECH else None


class _Judge:
    """The probability of speech of each frame of a recording, and what the network remembers of those before."""

    def __init__(self) -> None:
        with _LOADING:
            self._net, self._recurrent = _load_network()
        self._context = torch.zeros(1, _CONTEXT)
        self._state: tuple[torch.Tensor, torch.Tensor] | None = None

    @torch.inference_mode()
    def __call__(self, samples: np.ndarray) -> list[float]:
        """
        Args:
            samples: that follow those before; what is left of them after the last whole frame is not heard.

        Returns:
            A probability per frame.
        """
        frames = torch.from_numpy(samples[: samples.size // _FRAME * _FRAME]).view(-1, _FRAME)
        if len(frames) == 0:
            return []
        contexts = torch.cat([self._context, frames[:, -_CONTEXT:]])
        self._context = contexts[-1:].clone()
        features = self._net.encoder(self._net.run_extractors(torch.cat([contexts[:-1], frames], dim=1)))
        hidden, self._state = self._recurrent(features.permute(2, 0, 1)[0], self._state)
        return self._net.decoder.decoder(hidden[..., None]).flatten().tolist()


@cache
def _load_network() -> tuple[torch.jit.ScriptModule, nn.LSTM]:
    """silero-vad's network at 16 kHz, and its recurrent part.

    Called by its front door it takes a frame at a time, which is ten times slower than all frames of a block together,
    and keeps its state in itself, so that it could not follow two recordings.
    """
    threads = torch.get_num_threads()
    from silero_vad import load_silero_vad

    torch.set_num_threads(threads)  # silero-vad, once imported, leaves one to the whole process
    net = load_silero_vad()._model
    weights = net.decoder.rnn.state_dict()
    recurrent = nn.LSTM(128, 128)
    recurrent.load_state_dict({f"{name}_l0": weight for name, weight in weights.items()})
    return net, recurrent.eval()
