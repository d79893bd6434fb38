"""The project's architectures by name, registered with transformers' Auto classes, and that of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import AutoConfig, AutoModel, AutoModelForAudioClassification, PreTrainedConfig

from .configuration_ser import MultiTaskSERConfigMixin
from .modeling_base_ser import MultiTaskSERMixin
from .modeling_data2vec_audio_ser import Data2VecAudioForMultiTaskSER
from .modeling_encoder_ser import SpeechEncoderMixin
from .modeling_hubert_ser import HubertForMultiTaskSER
from .modeling_panns_ser import PannsForMultiTaskSER
from .modeling_unispeech_sat_ser import UniSpeechSatForMultiTaskSER
from .modeling_wav2vec2_bert_ser import Wav2Vec2BertForMultiTaskSER
from .modeling_wav2vec2_ser import Wav2Vec2ForMultiTaskSER
from .modeling_wavlm_ser import WavLMForMultiTaskSER
from .modeling_whisper_ser import WhisperForMultiTaskSER

_ENCODERS: tuple[type[SpeechEncoderMixin], ...] = (
    Wav2Vec2ForMultiTaskSER,
    HubertForMultiTaskSER,
    WavLMForMultiTaskSER,
    UniSpeechSatForMultiTaskSER,
    Data2VecAudioForMultiTaskSER,
    Wav2Vec2BertForMultiTaskSER,
    WhisperForMultiTaskSER,
)
# Encoders go by transformers' `model_type` of their pre-trained checkpoints.
ARCHITECTURES: dict[str, type[MultiTaskSERMixin]] = {
    **{model.backbone_config_class.model_type: model for model in _ENCODERS},
    "panns": PannsForMultiTaskSER,
}
for _model in ARCHITECTURES.values():
    AutoConfig.register(_model.config_class.model_type, _model.config_class)
    AutoModel.register(_model.config_class, _model)
    AutoModelForAudioClassification.register(_model.config_class, _model)
    _model.config_class.register_for_auto_class()
    _model.register_for_auto_class("AutoModelForAudioClassification")


def architecture_of(config: PreTrainedConfig | None) -> str | None:
    """The name in `ARCHITECTURES` of a configuration's model, `None` if it is not one of this project."""
    return next((name for name, model in ARCHITECTURES.items() if type(config) is model.config_class), None)


def architecture_of_type(model_type: object) -> str | None:
    """The name in `ARCHITECTURES` of the model for a `model_type`, of a backbone or of this project; or `None`."""
    if model_type in ARCHITECTURES and model_type != "panns":
        return str(model_type)
    return next((name for name, model in ARCHITECTURES.items() if model_type == model.config_class.model_type), None)


def config_from_fields(fields: Mapping[str, Any]) -> MultiTaskSERConfigMixin:
    """The configuration in a `config.json` of this project.

    Raises:
        KeyError: it is not one of this project.
    """
    models = {model.config_class.model_type: model for model in ARCHITECTURES.values()}
    config: MultiTaskSERConfigMixin = models[fields["model_type"]].config_class.from_dict(dict(fields))
    return config
