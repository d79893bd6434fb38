"""Wav2Vec2ForMultiTaskSER: a wav2vec 2.0 backbone, mean pooling over time, one linear head per task (Sharma 2022)."""

from __future__ import annotations

from types import MappingProxyType

from huggingface_hub.dataclasses import strict
from transformers import Wav2Vec2Config, Wav2Vec2Model, Wav2Vec2PreTrainedModel

from .modeling_waveform_encoder_ser import WaveformEncoderConfigMixin, WaveformEncoderMixin


@strict
class Wav2Vec2MultiTaskSERConfig(WaveformEncoderConfigMixin, Wav2Vec2Config):
    r"""
    Configuration of [`~modeling.Wav2Vec2ForMultiTaskSER`]: the fields of [`~transformers.Wav2Vec2Config`] and of
    [`~modeling.configuration_ser.SpeechEncoderConfigMixin`].
    """

    model_type = "wav2vec2_multitask_ser"
    auto_model = "modeling_wav2vec2_ser.Wav2Vec2ForMultiTaskSER"
    hub_tag = "wav2vec2"
    encoder_name = "wav2vec 2.0"
    weight_licenses = MappingProxyType(
        {
            **dict.fromkeys(("facebook/wav2vec2-large-xlsr-53", "facebook/wav2vec2-large-lv60"), "Apache-2.0"),
            **{f"facebook/wav2vec2-xls-r-{size}": "Apache-2.0" for size in ("300m", "1b", "2b")},
            **{f"facebook/mms-{size}": "CC BY-NC 4.0" for size in ("300m", "1b")},
        }
    )

    @property
    def paper_name(self) -> str:  # type: ignore[override]  # a class attribute elsewhere
        """The paper's name, "w2v". "[4]" is its reference to Pepino et al. 2021, whose network sums the layers."""
        return "w2v [4]" if self.layer_weights and self.dense_layers else "w2v"


class Wav2Vec2ForMultiTaskSER(WaveformEncoderMixin, Wav2Vec2PreTrainedModel):
    """
    Wav2vec 2.0 (XLSR-53, XLS-R, MMS, lv60) with one linear head per task, for speech emotion recognition.

    Args:
        config ([`Wav2Vec2MultiTaskSERConfig`]): architecture and tasks.
    """

    config: Wav2Vec2MultiTaskSERConfig
    config_class = Wav2Vec2MultiTaskSERConfig
    backbone_config_class = Wav2Vec2Config
    encoder_class = Wav2Vec2Model
    encoder_path = "wav2vec2"
