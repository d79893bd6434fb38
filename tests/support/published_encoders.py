"""Small checkpoints with the switches and the names of weights of published ones, both kinds of norm included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import (
    AutoConfig,
    AutoModel,
    Data2VecAudioForCTC,
    HubertForCTC,
    HubertModel,
    PreTrainedModel,
    UniSpeechSatForPreTraining,
    Wav2Vec2BertModel,
    Wav2Vec2ForPreTraining,
    WavLMModel,
)

from modeling import ARCHITECTURES
from modeling.modeling_encoder_ser import SpeechEncoderMixin
from tests.conftest import TASKS, TINY

TINY_GROUP_NORM = {**TINY, "feat_extract_norm": "group", "conv_bias": False, "do_stable_layer_norm": False}
_NOT_OF_DATA2VEC = ("feat_extract_norm", "do_stable_layer_norm", "num_conv_pos_embeddings")
TINY_DATA2VEC = {
    **{name: value for name, value in TINY.items() if name not in _NOT_OF_DATA2VEC},
    "num_conv_pos_embeddings": 5,
    "conv_pos_kernel_size": 7,
}
_NOT_OF_BERT = ("conv_dim", "conv_stride", "conv_kernel", "conv_bias", "num_conv_pos_embedding_groups")
TINY_BERT = {
    **{name: value for name, value in TINY.items() if name not in (*_NOT_OF_BERT, *_NOT_OF_DATA2VEC)},
    "conformer_conv_dropout": 0.0,
    "conv_depthwise_kernel_size": 7,
    "left_max_position_embeddings": 16,
    "right_max_position_embeddings": 4,
}


@dataclass(frozen=True)
class Published:
    """A published checkpoint at a small size.

    Args:
        architecture: of `modeling`.
        saved_as: transformers' class that its weights were saved from.
        fields: its configuration, small, with the published switches.
        old_names: whether the weights of weight norm have the names of torch before 2.0.
    """

    architecture: str
    saved_as: type[PreTrainedModel]
    fields: Mapping[str, Any]
    old_names: bool = True

    @property
    def model_class(self) -> type[SpeechEncoderMixin]:
        return ARCHITECTURES[self.architecture]  # type: ignore[return-value]  # an encoder

    def model(self, **fields: Any) -> Any:
        """Ours, with random weights."""
        torch.manual_seed(0)
        tasks = [task.to_dict() for task in TASKS]
        # Like the published ones, they had SpecAugment, which our configuration does not take over.
        own = {name: value for name, value in self.fields.items() if not name.startswith("mask_")}
        return self.model_class(self.model_class.config_class(tasks=tasks, **{**own, **fields})).eval()

    def write(self, folder: Path, without: str = "\0") -> dict[str, torch.Tensor]:
        """Writes the checkpoint; returns its weights, under the names of today."""
        torch.manual_seed(1)
        config = AutoConfig.for_model(self.architecture, **self.fields)
        state = self.saved_as(config).state_dict()
        names = {name: self._published_name(name) for name in state if without not in name}
        save_file(
            {names[name]: state[name].contiguous() for name in names},
            folder / "model.safetensors",
            metadata={"format": "pt"},
        )
        config.architectures = [self.saved_as.__name__]
        config.save_pretrained(folder)
        return state

    def _published_name(self, name: str) -> str:
        if not self.old_names:
            return name
        name = name.replace("parametrizations.weight.original0", "weight_g")
        return name.replace("parametrizations.weight.original1", "weight_v")

    def reference(self, folder: Path) -> PreTrainedModel:
        """Transformers' own encoder of a checkpoint."""
        encoder: PreTrainedModel = AutoModel.from_pretrained(folder)
        return encoder.eval()


_MASKED = {"mask_time_prob": 0.05}
PUBLISHED = {
    "wav2vec2-base": Published("wav2vec2", Wav2Vec2ForPreTraining, {**TINY_GROUP_NORM, **_MASKED}),
    "wav2vec2-large-xlsr-53": Published("wav2vec2", Wav2Vec2ForPreTraining, {**TINY, **_MASKED}),
    "hubert-base-ls960": Published("hubert", HubertModel, {**TINY_GROUP_NORM, **_MASKED}),
    "hubert-large-ls960-ft": Published("hubert", HubertForCTC, {**TINY, **_MASKED}),
    "wavlm-base": Published("wavlm", WavLMModel, {**TINY_GROUP_NORM, **_MASKED}),
    "wavlm-large": Published("wavlm", WavLMModel, {**TINY, "conv_bias": False, **_MASKED}),
    "unispeech-sat-base": Published("unispeech-sat", UniSpeechSatForPreTraining, {**TINY_GROUP_NORM, **_MASKED}),
    "unispeech-sat-large": Published("unispeech-sat", UniSpeechSatForPreTraining, {**TINY, **_MASKED}),
    "data2vec-audio-base-960h": Published("data2vec-audio", Data2VecAudioForCTC, {**TINY_DATA2VEC, **_MASKED}),
    "w2v-bert-2.0": Published("wav2vec2-bert", Wav2Vec2BertModel, {**TINY_BERT, **_MASKED}, old_names=False),
}
