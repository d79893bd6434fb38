"""Data2VecAudioForMultiTaskSER: the encoder of data2vec-audio (Baevski et al. 2022) with one linear head per task."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import Data2VecAudioConfig, Data2VecAudioModel, Data2VecAudioPreTrainedModel

from .masked_positional_convolution_ser import MaskedPositionalConvEmbedding
from .modeling_waveform_encoder_ser import WaveformEncoderConfigMixin, WaveformEncoderMixin

_FINE_TUNED = ("", "-10m", "-100h", "-960h")


@strict
class Data2VecAudioMultiTaskSERConfig(WaveformEncoderConfigMixin, Data2VecAudioConfig):
    r"""
    Configuration of [`~modeling.Data2VecAudioForMultiTaskSER`]: the fields of [`~transformers.Data2VecAudioConfig`] and
    of [`~modeling.configuration_ser.SpeechEncoderConfigMixin`].
    """

    model_type = "data2vec_audio_multitask_ser"
    auto_model = "modeling_data2vec_audio_ser.Data2VecAudioForMultiTaskSER"
    hub_tag = "data2vec-audio"
    encoder_name = paper_name = "data2vec"
    weight_licenses = MappingProxyType(
        dict.fromkeys(
            (f"facebook/data2vec-audio-{size}{data}" for size in ("base", "large") for data in _FINE_TUNED),
            "Apache-2.0",
        )
    )


class _MaskedData2VecAudioModel(Data2VecAudioModel):
    """The encoder, with positional convolutions that find zeros behind every clip."""

    def __init__(self, config: Any):
        super().__init__(config)
        self.encoder.pos_conv_embed = MaskedPositionalConvEmbedding(config)


class Data2VecAudioForMultiTaskSER(WaveformEncoderMixin, Data2VecAudioPreTrainedModel):
    """
    Data2vec-audio (base, large) with one linear head per task, for speech emotion recognition.

    Args:
        config ([`Data2VecAudioMultiTaskSERConfig`]): architecture and tasks.
    """

    config: Data2VecAudioMultiTaskSERConfig
    config_class = Data2VecAudioMultiTaskSERConfig
    backbone_config_class = Data2VecAudioConfig
    encoder_class = _MaskedData2VecAudioModel
    encoder_path = "data2vec_audio"
    final_modules = ()  # the norm comes before the layers
