"""WavLMForMultiTaskSER: the encoder of WavLM (Chen et al. 2022) with one linear head per task."""

from __future__ import annotations

from huggingface_hub.dataclasses import strict
from transformers import WavLMConfig, WavLMModel, WavLMPreTrainedModel

from .modeling_waveform_encoder_ser import WaveformEncoderConfigMixin, WaveformEncoderMixin


@strict
class WavLMMultiTaskSERConfig(WaveformEncoderConfigMixin, WavLMConfig):
    r"""
    Configuration of [`~modeling.WavLMForMultiTaskSER`]: the fields of [`~transformers.WavLMConfig`] and of
    [`~modeling.configuration_ser.SpeechEncoderConfigMixin`].

    The license of its weights is unknown: their cards link to CC BY-SA 3.0, their code is under MIT, and the question
    is open in https://github.com/microsoft/unilm/issues/1757.
    """

    model_type = "wavlm_multitask_ser"
    auto_model = "modeling_wavlm_ser.WavLMForMultiTaskSER"
    hub_tag = "wavlm"
    encoder_name = paper_name = "WavLM"


class WavLMForMultiTaskSER(WaveformEncoderMixin, WavLMPreTrainedModel):
    """
    WavLM (base, base-plus, large) with one linear head per task, for speech emotion recognition.

    Args:
        config ([`WavLMMultiTaskSERConfig`]): architecture and tasks.
    """

    config: WavLMMultiTaskSERConfig
    config_class = WavLMMultiTaskSERConfig
    backbone_config_class = WavLMConfig
    encoder_class = WavLMModel
    encoder_path = "wavlm"
    # Its attention reads the weights of its projections, not their outputs, to which LoRA adds.
    lora_targets: tuple[str, ...] = ("intermediate_dense", "output_dense")
