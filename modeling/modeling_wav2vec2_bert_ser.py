"""Wav2Vec2BertForMultiTaskSER: the encoder of w2v-BERT 2.0 (Barrault et al. 2023) with one linear head per task."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import torch
from huggingface_hub.dataclasses import strict
from transformers import Wav2Vec2BertConfig, Wav2Vec2BertModel, Wav2Vec2BertPreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from .feature_extraction_filter_bank_ser import MIN_SAMPLES, FilterBank, count_steps
from .modeling_waveform_encoder_ser import SpecAugmentConfigMixin, SpecAugmentMixin


@strict
class Wav2Vec2BertMultiTaskSERConfig(SpecAugmentConfigMixin, Wav2Vec2BertConfig):
    r"""
    Configuration of [`~modeling.Wav2Vec2BertForMultiTaskSER`]: the fields of [`~transformers.Wav2Vec2BertConfig`] and
    of [`~modeling.configuration_ser.SpeechEncoderConfigMixin`].
    """

    model_type = "wav2vec2_bert_multitask_ser"
    auto_model = "modeling_wav2vec2_bert_ser.Wav2Vec2BertForMultiTaskSER"
    hub_tag = "w2v-bert"
    encoder_name = paper_name = "w2v-BERT"
    weight_licenses = MappingProxyType({"facebook/w2v-bert-2.0": "MIT"})


class Wav2Vec2BertForMultiTaskSER(SpecAugmentMixin, Wav2Vec2BertPreTrainedModel):
    """
    W2v-BERT 2.0 with one linear head per task, for speech emotion recognition.

    Its filter banks are computed in the model, and normalized over the clip's own frames.

    Args:
        config ([`Wav2Vec2BertMultiTaskSERConfig`]): architecture and tasks.
    """

    config: Wav2Vec2BertMultiTaskSERConfig
    config_class = Wav2Vec2BertMultiTaskSERConfig
    main_input_name = "input_values"
    backbone_config_class = Wav2Vec2BertConfig
    encoder_class = Wav2Vec2BertModel
    encoder_path = "wav2vec2_bert"
    lora_targets: tuple[str, ...] = (
        *("linear_q", "linear_k", "linear_v", "linear_out"),
        *("ffn1.intermediate_dense", "ffn1.output_dense", "ffn2.intermediate_dense", "ffn2.output_dense"),
    )
    min_samples = MIN_SAMPLES
    # torch.export cannot decompose what scaled_dot_product_attention returns, as transformers' encoder reshapes it.
    _supports_sdpa = False

    def _add_encoder(self, config: Any) -> None:
        super()._add_encoder(config)
        self.filter_bank = FilterBank()

    def _count_frames(self, samples: int) -> int:
        return count_steps(samples)

    def _encode(
        self, waveform: torch.Tensor, mask: torch.Tensor, **kwargs: Any
    ) -> tuple[BaseModelOutput, torch.Tensor]:
        features, step_mask = self.filter_bank(waveform, mask)
        outputs: BaseModelOutput = self.speech_encoder(
            features.to(self.dtype),
            attention_mask=step_mask.long(),
            mask_time_indices=self._mask_for_short_clips(waveform),
            **kwargs,
        )
        return outputs, step_mask
