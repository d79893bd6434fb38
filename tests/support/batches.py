"""Clips of several lengths as a batch, their labels, and what a model predicts for them."""

import torch

from modeling import SAMPLING_RATE
from tests.conftest import TASKS, voice

LENGTHS = (300, 5_000, 16_001, 40_000, 96_000)  # samples


def clips() -> list[torch.Tensor]:
    """Voices at the sampling rate of the models, from less than a frame to six seconds."""
    return [torch.from_numpy(voice(n / SAMPLING_RATE, 100 + 40 * i, i)) for i, n in enumerate(LENGTHS)]


def padded(waveforms) -> tuple[torch.Tensor, torch.Tensor]:
    """Waveforms with zeros behind them and their attention mask, each `(clips, samples)`."""
    values = torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True)
    mask = torch.stack([torch.arange(values.shape[1]) < len(waveform) for waveform in waveforms]).long()
    return values, mask


def labels(count: int) -> dict[str, torch.Tensor]:
    """Labels of so many clips for each of the tests' tasks."""
    return {
        "emotion": torch.arange(count) % 3,
        "gender": torch.arange(count) % 2,
        "f0_mean": torch.linspace(100, 300, count),
    }


@torch.no_grad()
def predictions(model, values, mask=None) -> torch.Tensor:
    """What all heads predict, decoded and side by side: `(clips, outputs)`."""
    output = model.eval()(values, mask)
    return torch.cat([task.decode(output.task_logits[task.name]).reshape(len(values), -1) for task in TASKS], dim=1)
