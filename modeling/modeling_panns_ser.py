"""PannsForMultiTaskSER: CNN14 of the pre-trained audio neural networks (Kong et al. 2020), one linear head per task."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.utils.generic import can_return_tuple

from .audio_resampling_ser import SAMPLING_RATE
from .configuration_ser import PannsMultiTaskSERConfig
from .feature_extraction_logmel_ser import FourierFilters, LogmelFilterBank, Spectrogram, resample
from .modeling_base_ser import MultiTaskSERMixin, read_config_file
from .modeling_heads_ser import MultiTaskHeads, MultiTaskSEROutput
from .tasks_ser import Task

_FRONT_END = "spectrogram_extractor.stft.conv_real.weight"
# Front ends of the published Cnn14_16k and Cnn14, by the shape of that weight.
PUBLISHED: dict[tuple[int, ...], dict[str, Any]] = {
    (257, 1, 512): {"sampling_rate": 16_000, "window_size": 512, "hop_size": 160, "fmin": 50, "fmax": 8_000},
    (513, 1, 1024): {"sampling_rate": 32_000, "window_size": 1024, "hop_size": 320, "fmin": 50, "fmax": 14_000},
}


class ConvBlock(nn.Module):
    """Two 3 x 3 convolutions, each with batch norm and ReLU, and average pooling."""

    def __init__(self, inputs: int, outputs: int, pool: int = 2):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.pool = pool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, inputs, frames, bands)` -> `(batch, outputs, frames // pool, bands // pool)`."""
        x = F.relu(self.bn1(self.conv1(x)))
        return F.avg_pool2d(F.relu(self.bn2(self.conv2(x))), self.pool)


class PannsForMultiTaskSER(MultiTaskSERMixin, PreTrainedModel):
    """
    CNN14 (Kong et al. 2020, github.com/qiuqiangkong/audioset_tagging_cnn) with one linear head per task on its
    embedding, for speech emotion recognition.

    Layers, names and front end are those of the published `Cnn14_16k` and `Cnn14`, without the layer for AudioSet's
    classes, and without SpecAugment and mixup, which belong to the training on AudioSet. The front end is not trained
    and computes in float32 whatever the rest computes in.

    The model itself cuts a clip to `config.max_duration_s`, sets its padding to zero, and pads it with zeros to
    `config.max_duration_s` (paper, section 5), so that an output does not depend on the batch. The level stays as
    recorded, as in the training of CNN14. For a network at 32 kHz the sound is upsampled from 16 kHz, and its mel bands
    above 8 kHz stay empty.

    Batch norm takes its statistics from single batches: unlike with the other architectures, in training it matters
    which clips are in a batch, and how those of an update are divided into accumulated batches and processes.
    `train.py` gives it random batches that are not divided.

    Args:
        config ([`PannsMultiTaskSERConfig`]): architecture and tasks.
    """

    config: PannsMultiTaskSERConfig
    config_class = PannsMultiTaskSERConfig
    main_input_name = "input_values"
    frozen_modules = ("spectrogram_extractor", "logmel_extractor")
    _keep_in_fp32_modules_strict = frozen_modules  # type: ignore[assignment]  # transformers takes any collection

    def __init__(self, config: PannsMultiTaskSERConfig):
        if not config.tasks:
            raise ValueError("The config has no tasks. Call `from_backbone` to start from a checkpoint of AudioSet.")
        super().__init__(config)
        self.spectrogram_extractor = Spectrogram(config)
        self.logmel_extractor = LogmelFilterBank(config)
        self.bn0 = nn.BatchNorm2d(config.mel_bins)
        widths = config.channels
        self.conv_block1 = ConvBlock(1, widths[0])
        self.conv_block2 = ConvBlock(widths[0], widths[1])
        self.conv_block3 = ConvBlock(widths[1], widths[2])
        self.conv_block4 = ConvBlock(widths[2], widths[3])
        self.conv_block5 = ConvBlock(widths[3], widths[4])
        self.conv_block6 = ConvBlock(widths[4], widths[5], pool=1)
        self.fc1 = nn.Linear(config.hidden_size, config.hidden_size)
        self.heads = MultiTaskHeads(config.hidden_size, config.get_tasks())
        self.max_samples = round(config.max_duration_s * SAMPLING_RATE)
        self._freeze()
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        # Of custom code, transformers asks only for modules that hold parameters of their own.
        if isinstance(module, FourierFilters):
            init.copy_(module.weight, module.filters())
        elif isinstance(module, LogmelFilterBank):
            init.copy_(module.melW, module.filters())
        elif isinstance(module, nn.Conv2d | nn.Linear):
            init.xavier_uniform_(module.weight)
            if module.bias is not None:
                init.zeros_(module.bias)
        else:
            super()._init_weights(module)

    @classmethod
    def from_config_file(
        cls, path: str | os.PathLike[str], tasks: Sequence[Task], *, max_duration_s: float = 6.0
    ) -> PannsForMultiTaskSER:
        """A model with random weights.

        Args:
            path: JSON file of a [`PannsMultiTaskSERConfig`].
            tasks: what the heads predict.
            max_duration_s: see [`PannsMultiTaskSERConfig`].

        Raises:
            ValueError: the file configures another network, or has a field that CNN14 does not have.
        """
        fields = read_config_file(path, PannsMultiTaskSERConfig.model_type)
        known = {*PannsMultiTaskSERConfig.__annotations__}
        if not fields.keys() <= known:
            unknown = ", ".join(sorted(fields.keys() - known))
            raise ValueError(f"{path} has fields unknown to CNN14: {unknown}. It has: {', '.join(sorted(known))}.")
        fields |= {"tasks": [task.to_dict() for task in tasks], "max_duration_s": max_duration_s}
        return cls(PannsMultiTaskSERConfig(**fields))

    @classmethod
    def from_backbone(
        cls,
        path: str | os.PathLike[str],
        tasks: Sequence[Task],
        *,
        max_duration_s: float = 6.0,
        channels: Sequence[int] = (64, 128, 256, 512, 1024, 2048),
        dtype: torch.dtype | str = torch.float32,
    ) -> PannsForMultiTaskSER:
        """Puts new heads on a CNN14 that was trained on AudioSet.

        Args:
            path: `Cnn14_16k_mAP=0.438.pth` or `Cnn14_mAP=0.431.pth` of zenodo.org/record/3987831, or a file like them.
            tasks: what the heads predict.
            max_duration_s: see [`PannsMultiTaskSERConfig`].
            channels: widths of the blocks, for a file with others than the published.
            dtype: of the weights, new heads included; the front end stays in float32.

        Raises:
            ValueError: the file is missing, is not such a checkpoint, or holds more than numbers.
        """
        state = _read_audioset_checkpoint(path)
        shape = tuple(state[_FRONT_END].shape)
        if shape not in PUBLISHED:
            raise ValueError(
                f"{path}: the front end must have the shape of Cnn14_16k (16 kHz) or Cnn14 (32 kHz), got {shape}."
            )
        config = PannsMultiTaskSERConfig(
            tasks=[task.to_dict() for task in tasks],
            max_duration_s=max_duration_s,
            channels=list(channels),
            **PUBLISHED[shape],
        )
        state = {key: value for key, value in state.items() if not key.startswith("fc_audioset.")}
        model: PannsForMultiTaskSER = cls._load_backbone(
            path, config, lambda key: not key.startswith("heads."), state_dict=state, dtype=dtype
        )
        return model

    def freeze(self, part: str) -> None:
        """Freezes nothing more: the paper fine-tunes all of CNN14, and its front end is never trained.

        Args:
            part: `"none"`, or `"feature_encoder"`, which here is the front end.

        Raises:
            ValueError: it is another part.
        """
        if part not in ("none", "feature_encoder"):
            raise ValueError(f"--freeze {part} is not possible for CNN14, which is trained as a whole.")

    @can_return_tuple
    def forward(
        self,
        input_values: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        labels: Mapping[str, torch.Tensor] | None = None,
        num_items_in_batch: Mapping[str, torch.Tensor | int] | None = None,
    ) -> MultiTaskSEROutput:
        """
        Args:
            input_values (`torch.Tensor` of shape `(batch_size, samples)`):
                Waveforms at 16 kHz, at their own level.
            attention_mask, labels, num_items_in_batch: as in [`~modeling.Wav2Vec2ForMultiTaskSER`].
        """
        log_mel = self._prepare_input(input_values, attention_mask)
        return self._build_output(self._embed(log_mel), labels, num_items_in_batch)

    def _prepare_input(self, input_values: torch.Tensor, attention_mask: torch.Tensor | None) -> torch.Tensor:
        """The log-mel spectrogram of the clip, cut or padded to its fixed length: `(batch, frames, mel_bins)`."""
        waveform, mask = self._cut(input_values, attention_mask)
        waveform = F.pad(waveform.masked_fill(mask == 0, 0.0), (0, self.max_samples - waveform.shape[1]))
        with torch.no_grad(), torch.autocast(waveform.device.type, enabled=False):
            waveform = resample(waveform, SAMPLING_RATE, self.config.sampling_rate)
            log_mel: torch.Tensor = self.logmel_extractor(self.spectrogram_extractor(waveform))
        return log_mel

    def _embed(self, log_mel: torch.Tensor) -> torch.Tensor:
        """The published network after its front end: `(batch, frames, mel_bins)` -> `(batch, hidden_size)`."""
        x = log_mel.to(self.fc1.weight.dtype).unsqueeze(1)
        x = self.bn0(x.transpose(1, 3)).transpose(1, 3)  # over mel bands
        for number in range(1, 7):
            block = self.get_submodule(f"conv_block{number}")
            x = F.dropout(block(x), self.config.conv_dropout, self.training)
        x = x.mean(dim=3)
        x = F.dropout(x.amax(dim=2) + x.mean(dim=2), self.config.fc_dropout, self.training)
        return F.dropout(F.relu(self.fc1(x)), self.config.fc_dropout, self.training)


def _read_audioset_checkpoint(path: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """The weights of a checkpoint as Kong et al. publish it, under `model` next to the state of their sampler."""
    if not Path(path).is_file():
        raise ValueError(
            f"{path}: file not found. The published checkpoints of CNN14 are Cnn14_16k_mAP=0.438.pth and "
            "Cnn14_mAP=0.431.pth at https://zenodo.org/record/3987831."
        )
    try:
        with torch.serialization.safe_globals(_numpy_types()):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a file of any kind makes the reader raise has no common class
        raise ValueError(
            f"{path} is not a checkpoint of CNN14: torch cannot read it, or it holds objects other than tensors and "
            "numbers; no code in it was run."
        ) from error
    state = checkpoint.get("model") if isinstance(checkpoint, dict) else None
    if not isinstance(state, dict) or not isinstance(state.get(_FRONT_END), torch.Tensor):
        raise ValueError(f"{path} is not a checkpoint of CNN14 as published: {_FRONT_END} is missing under 'model'.")
    return state


def _numpy_types() -> list[Any]:
    """The types that the published files hold besides tensors: arrays and scalars of numbers, of numpy 1 and 2."""
    reconstruct: Any = np.zeros(1).__reduce__()[0]
    scalar: Any = np.float64(0).__reduce__()[0]
    functions = [
        (function, f"{module}.multiarray.{function.__name__}")
        for module in ("numpy.core", "numpy._core")
        for function in (reconstruct, scalar)
    ]
    kinds = [type(np.dtype(name)) for name in ("bool", "int32", "int64", "float32", "float64")]
    return [*functions, np.ndarray, np.dtype, *kinds]
