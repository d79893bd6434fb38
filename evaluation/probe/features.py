"""Clips -> what a frozen encoder computes of them: hidden states of layers, averaged over time."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from tqdm import tqdm
from transformers import AutoConfig

from modeling import ARCHITECTURES, Task
from modeling.auto_ser import architecture_of_type
from modeling.modeling_encoder_ser import SpeechEncoderMixin
from preprocessing.stored_audio import stored_waveform

_UNUSED = Task("unused", "regression", "unused")  # a model has heads


def load_encoder(name: str, layers: Sequence[int], max_duration_s: float) -> Any:
    """A pre-trained encoder with no more layers than are needed.

    Raises:
        ValueError: it is not one of a supported family, or has fewer layers.
    """
    config = AutoConfig.from_pretrained(name, trust_remote_code=False)
    architecture = architecture_of_type(config.model_type)
    kind: Any = ARCHITECTURES.get(architecture or "")
    if kind is None or not issubclass(kind, SpeechEncoderMixin):
        raise ValueError(
            f"{name} has model_type {config.model_type!r}, which is not one of {', '.join(ARCHITECTURES)}."
        )
    if not layers or min(layers) < 0 or max(layers) > config.num_hidden_layers:
        raise ValueError(
            f"--layers {' '.join(map(str, layers))}: expected numbers from 0, the input of the first layer, to "
            f"{config.num_hidden_layers}."
        )
    needed = max(1, *layers)
    model = kind.from_backbone(name, [_UNUSED], num_layers=needed, max_duration_s=max_duration_s, dtype=torch.float32)
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


@torch.inference_mode()
def encoder_features(model: Any, clips: Dataset, layers: Sequence[int]) -> np.ndarray:
    """Mean over time of the output of each layer, side by side: `(clips, layers * width)` in float32.

    One clip at a time, so that there is no padding to leave out.
    """
    found = np.empty((len(clips), len(layers) * model.config.hidden_size), np.float32)
    rows = clips.select_columns(["audio", "scale"])
    for i, row in enumerate(tqdm(rows, desc="Encoding", unit="clip", disable=not sys.stderr.isatty())):
        waveform = torch.from_numpy(stored_waveform(row, model.config.max_duration_s))[None].to(model.device)
        states = model(waveform, output_hidden_states=True).hidden_states
        found[i] = torch.cat([states[layer][0].mean(dim=0) for layer in layers]).float().cpu().numpy()
    return found
