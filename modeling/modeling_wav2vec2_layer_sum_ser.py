"""Wav2Vec2LayerSumForMultiTaskSER: a frozen backbone whose layers are summed with learned weights (Pepino 2021)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import reduce
from typing import Any, cast

import torch
from torch import nn
from transformers import initialization as init
from transformers.modeling_outputs import Wav2Vec2BaseModelOutput
from transformers.utils import logging

from .configuration_ser import Wav2Vec2LayerSumMultiTaskSERConfig
from .modeling_wav2vec2_ser import Wav2Vec2ForMultiTaskSER
from .tasks_ser import Task

logger = logging.get_logger(__name__)


class LayerSum(nn.Module):
    """Weighted mean of layers, with the absolute values of learned weights, which start at 1."""

    def __init__(self, layers: int):
        super().__init__()
        self.weights = nn.Parameter(torch.ones(layers))

    def forward(self, states: Sequence[torch.Tensor]) -> torch.Tensor:
        """`layers` tensors `(batch, frames, features)` -> one of the same shape."""
        weights = self.weights.abs() / self.weights.abs().sum()
        output: torch.Tensor = reduce(
            torch.add, (weight * state for weight, state in zip(weights, states, strict=True))
        )
        return output


class Wav2Vec2LayerSumForMultiTaskSER(Wav2Vec2ForMultiTaskSER):
    """
    The model of Pepino, Riera and Ferrer (2021, arXiv 2104.03502) on the same inputs, heads and loss as the others.

    The backbone is frozen as a whole and never in training mode. A weighted average of the transformer's input and of
    each of its layers' outputs, with one learned weight per layer, goes through two pointwise dense layers with ReLU
    and dropout, a mean over the frames that hold audio, and the heads.

    It deviates from their publication and their code (github.com/habla-liaa/ser-with-w2v2) as follows:

    - they normalize the features to mean 0 and deviation 1 per speaker, or over the corpus. A model that predicts
      single clips has neither, and the average is used as it is;
    - they normalize each dense layer's output over the batch; here the output does not depend on the batch;
    - their backbones are wav2vec2-base, with and without fine-tuning for speech recognition, whose group norm is
      not supported here, so that the average is over 25 layers of XLSR-53 and not over 13;
    - the first of the layers is the transformer's input with the positional embedding added, theirs is without it; the
      last is taken after the transformer's final layer norm, which wav2vec2-base does not have there;
    - they cut to 5 s (RAVDESS) and 8 s (IEMOCAP), here all clips to `max_duration_s`;
    - one model is trained on all corpora, with several heads, by the recipe of `train.py`.

    Args:
        config ([`Wav2Vec2LayerSumMultiTaskSERConfig`]): architecture and tasks.
    """

    config: Wav2Vec2LayerSumMultiTaskSERConfig
    config_class = Wav2Vec2LayerSumMultiTaskSERConfig
    training_options = ("padding",)
    frozen_modules = ("wav2vec2",)

    def __init__(self, config: Wav2Vec2LayerSumMultiTaskSERConfig):
        super().__init__(config)
        self.layer_sum = LayerSum(config.num_hidden_layers + 1)
        self.dense = nn.Sequential(
            nn.Linear(config.hidden_size, config.dense_size),
            nn.ReLU(),
            nn.Dropout(config.dense_dropout),
            nn.Linear(config.dense_size, config.dense_size),
            nn.ReLU(),
            nn.Dropout(config.dense_dropout),
        )
        self._freeze()
        self.wav2vec2.eval()
        self.post_init()

    @classmethod
    def from_config_file(
        cls, path: str | os.PathLike[str], tasks: Sequence[Task], **options: Any
    ) -> Wav2Vec2LayerSumForMultiTaskSER:
        """As [`Wav2Vec2ForMultiTaskSER`]; a warning is logged, because the random backbone is never trained."""
        logger.warning(
            "%s: the backbone has random weights and stays frozen in this architecture. Use --model_name_or_path to "
            "start from a pre-trained backbone.",
            path,
        )
        return cast(Wav2Vec2LayerSumForMultiTaskSER, super().from_config_file(path, tasks, **options))

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, LayerSum):
            init.ones_(module.weights)

    def train(self, mode: bool = True) -> Wav2Vec2LayerSumForMultiTaskSER:
        """Training mode for all but the frozen backbone, in which dropout would only add noise to the features."""
        super().train(mode)
        self.wav2vec2.eval()
        return self

    @torch.no_grad()
    def _encode(
        self, input_values: torch.Tensor, attention_mask: torch.Tensor | None, **kwargs: Any
    ) -> Wav2Vec2BaseModelOutput:
        return super()._encode(input_values, attention_mask, **{**kwargs, "output_hidden_states": True})

    def _frames(self, outputs: Wav2Vec2BaseModelOutput) -> torch.Tensor:
        # Whether the last of `hidden_states` is before or after the final layer norm depends on transformers' version.
        hidden_states = cast(tuple[torch.Tensor, ...], outputs.hidden_states)
        frames: torch.Tensor = self.dense(self.layer_sum([*hidden_states[:-1], super()._frames(outputs)]))
        return frames
