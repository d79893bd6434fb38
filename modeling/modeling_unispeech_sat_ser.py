"""UniSpeechSatForMultiTaskSER: the encoder of UniSpeech-SAT (Chen et al. 2022) with one linear head per task."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import UniSpeechSatConfig, UniSpeechSatModel, UniSpeechSatPreTrainedModel

from .modeling_waveform_encoder_ser import WaveformEncoderConfigMixin, WaveformEncoderMixin


@strict
class UniSpeechSatMultiTaskSERConfig(WaveformEncoderConfigMixin, UniSpeechSatConfig):
    r"""
    Configuration of [`~modeling.UniSpeechSatForMultiTaskSER`]: the fields of [`~transformers.UniSpeechSatConfig`] and
    of [`~modeling.configuration_ser.SpeechEncoderConfigMixin`].
    """

    model_type = "unispeech_sat_multitask_ser"
    auto_model = "modeling_unispeech_sat_ser.UniSpeechSatForMultiTaskSER"
    hub_tag = "unispeech-sat"
    encoder_name = paper_name = "UniSpeech-SAT"
    add_adapter = False  # which this family does not have
    weight_licenses = MappingProxyType(
        dict.fromkeys((f"microsoft/unispeech-sat-{size}" for size in ("base", "base-plus", "large")), "CC BY-SA 3.0")
    )


class _UniSpeechSatModel(UniSpeechSatModel):
    """The encoder, with SpecAugment's vector only where SpecAugment is on, as in the other families."""

    def __init__(self, config: Any):
        super().__init__(config)
        if not config.mask_time_prob:
            del self.masked_spec_embed


class UniSpeechSatForMultiTaskSER(WaveformEncoderMixin, UniSpeechSatPreTrainedModel):
    """
    UniSpeech-SAT (base, base-plus, large) with one linear head per task, for speech emotion recognition.

    Args:
        config ([`UniSpeechSatMultiTaskSERConfig`]): architecture and tasks.
    """

    config: UniSpeechSatMultiTaskSERConfig
    config_class = UniSpeechSatMultiTaskSERConfig
    backbone_config_class = UniSpeechSatConfig
    encoder_class = _UniSpeechSatModel
    encoder_path = "unispeech_sat"
