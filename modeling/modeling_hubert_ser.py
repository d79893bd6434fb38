"""HubertForMultiTaskSER: the encoder of HuBERT (Hsu et al. 2021) with one linear head per task."""

from __future__ import annotations

from types import MappingProxyType

from huggingface_hub.dataclasses import strict
from transformers import HubertConfig, HubertModel, HubertPreTrainedModel

from .modeling_waveform_encoder_ser import WaveformEncoderConfigMixin, WaveformEncoderMixin


@strict
class HubertMultiTaskSERConfig(WaveformEncoderConfigMixin, HubertConfig):
    r"""
    Configuration of [`~modeling.HubertForMultiTaskSER`]: the fields of [`~transformers.HubertConfig`] and of
    [`~modeling.configuration_ser.SpeechEncoderConfigMixin`].
    """

    model_type = "hubert_multitask_ser"
    auto_model = "modeling_hubert_ser.HubertForMultiTaskSER"
    hub_tag = "hubert"
    encoder_name = paper_name = "HuBERT"
    add_adapter = False  # which this family does not have
    weight_licenses = MappingProxyType(
        dict.fromkeys(
            (
                "facebook/hubert-base-ls960",
                *(f"facebook/hubert-{size}-{data}" for size in ("large", "xlarge") for data in ("ll60k", "ls960-ft")),
            ),
            "Apache-2.0",
        )
    )

    def _check_architecture(self) -> None:
        super()._check_architecture()
        if self.conv_pos_batch_norm:
            raise ValueError(
                "conv_pos_batch_norm=True is not supported: batch norm before the positional convolution mixes the "
                "clips of a training batch and makes padding differ from zero. In a random model at unit scale the "
                "frames of a clip change by 0.7 in a batch with a longer one."
            )


class HubertForMultiTaskSER(WaveformEncoderMixin, HubertPreTrainedModel):
    """
    HuBERT (base, large, xlarge) with one linear head per task, for speech emotion recognition.

    Args:
        config ([`HubertMultiTaskSERConfig`]): architecture and tasks.
    """

    config: HubertMultiTaskSERConfig
    config_class = HubertMultiTaskSERConfig
    backbone_config_class = HubertConfig
    encoder_class = HubertModel
    encoder_path = "hubert"
