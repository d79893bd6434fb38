"""A small model of every architecture, with random weights and the tasks of the tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import (
    Data2VecAudioConfig,
    Data2VecAudioForCTC,
    HubertConfig,
    HubertForCTC,
    PreTrainedConfig,
    PreTrainedModel,
    UniSpeechSatConfig,
    UniSpeechSatForPreTraining,
    Wav2Vec2BertConfig,
    Wav2Vec2BertForCTC,
    Wav2Vec2Config,
    Wav2Vec2ForPreTraining,
    WavLMConfig,
    WavLMForCTC,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

from modeling import (
    Data2VecAudioForMultiTaskSER,
    HubertForMultiTaskSER,
    PannsMultiTaskSERConfig,
    UniSpeechSatForMultiTaskSER,
    Wav2Vec2BertForMultiTaskSER,
    Wav2Vec2ForMultiTaskSER,
    WavLMForMultiTaskSER,
    WhisperForMultiTaskSER,
)
from modeling.modeling_encoder_ser import SpeechEncoderMixin
from tests.conftest import TASKS, TINY
from tests.support.published_encoders import TINY_BERT, TINY_DATA2VEC, TINY_GROUP_NORM

TINY_WHISPER = {
    "d_model": 16,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 20,
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 20,
    "vocab_size": 30,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
    "begin_suppress_tokens": None,
    "init_std": 0.3,
}


@dataclass(frozen=True)
class Family:
    """A family of encoders: its model here, and how transformers writes and computes its checkpoints."""

    model: type[SpeechEncoderMixin]
    backbone: type[PreTrainedModel]  # with the heads or the decoder of its training
    config: PreTrainedConfig
    old_names: dict[str, str] = field(default_factory=dict)  # of weights in published files
    half: bool = False  # whether they are published in float16


_WEIGHT_NORM = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
FAMILIES = {
    "wav2vec2": Family(Wav2Vec2ForMultiTaskSER, Wav2Vec2ForPreTraining, Wav2Vec2Config(**TINY), _WEIGHT_NORM),
    "hubert": Family(HubertForMultiTaskSER, HubertForCTC, HubertConfig(**TINY_GROUP_NORM), _WEIGHT_NORM),
    "wavlm": Family(WavLMForMultiTaskSER, WavLMForCTC, WavLMConfig(**TINY), _WEIGHT_NORM),
    "unispeech-sat": Family(
        UniSpeechSatForMultiTaskSER, UniSpeechSatForPreTraining, UniSpeechSatConfig(**TINY), _WEIGHT_NORM
    ),
    "data2vec-audio": Family(
        Data2VecAudioForMultiTaskSER, Data2VecAudioForCTC, Data2VecAudioConfig(**TINY_DATA2VEC, vocab_size=8)
    ),
    "wav2vec2-bert": Family(
        Wav2Vec2BertForMultiTaskSER, Wav2Vec2BertForCTC, Wav2Vec2BertConfig(**TINY_BERT, vocab_size=8)
    ),
    "whisper": Family(
        WhisperForMultiTaskSER, WhisperForConditionalGeneration, WhisperConfig(**TINY_WHISPER), half=True
    ),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "cut": {"num_layers": 1},
    "weighted": {"layer_weights": True, "dense_layers": [12, 8]},
    "attentive": {"pooling": "attentive_statistics"},
    "all": {
        "num_layers": 1,
        "layer_weights": True,
        "dense_layers": [12],
        "dense_dropout": 0.0,
        "pooling": "attentive_statistics",
    },
}


def build(family: Family, **fields):
    """The family's model in evaluation mode; the same weights every time."""
    torch.manual_seed(0)
    return family.model(family.model.config_from_backbone(family.config, TASKS, **fields)).eval()


PANNS_CHANNELS = (4, 4, 6, 6, 8, 8)
PANNS_SECONDS = 2.0  # of a clip, at most


def panns_config(**fields) -> PannsMultiTaskSERConfig:
    """A CNN14 of few channels that processes clips of up to two seconds."""
    tasks = [task.to_dict() for task in TASKS]
    return PannsMultiTaskSERConfig(
        **{"tasks": tasks, "max_duration_s": PANNS_SECONDS, "channels": PANNS_CHANNELS, **fields}
    )
