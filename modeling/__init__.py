"""The networks, and all else that a checkpoint needs: this folder is saved with every checkpoint."""

from transformers import AutoConfig, AutoModel, AutoModelForAudioClassification

from .audio_resampling_ser import SAMPLING_RATE
from .audio_ser import AudioError, AudioReader, load_audio
from .auto_ser import ARCHITECTURES
from .batching_ser import batched, length_grouped_batches
from .configuration_ser import PannsMultiTaskSERConfig
from .modeling_data2vec_audio_ser import Data2VecAudioForMultiTaskSER, Data2VecAudioMultiTaskSERConfig
from .modeling_heads_ser import MultiTaskSEROutput
from .modeling_hubert_ser import HubertForMultiTaskSER, HubertMultiTaskSERConfig
from .modeling_panns_ser import PannsForMultiTaskSER
from .modeling_unispeech_sat_ser import UniSpeechSatForMultiTaskSER, UniSpeechSatMultiTaskSERConfig
from .modeling_wav2vec2_bert_ser import Wav2Vec2BertForMultiTaskSER, Wav2Vec2BertMultiTaskSERConfig
from .modeling_wav2vec2_ser import Wav2Vec2ForMultiTaskSER, Wav2Vec2MultiTaskSERConfig
from .modeling_wavlm_ser import WavLMForMultiTaskSER, WavLMMultiTaskSERConfig
from .modeling_whisper_ser import WhisperForMultiTaskSER, WhisperMultiTaskSERConfig
from .outputs_ser import OutputOptions, format_outputs
from .pipeline_ser import SpeechEmotionPipeline
from .tasks_ser import Task

for _model in ARCHITECTURES.values():
    AutoConfig.register(_model.config_class.model_type, _model.config_class)
    AutoModel.register(_model.config_class, _model)
    AutoModelForAudioClassification.register(_model.config_class, _model)
    _model.config_class.register_for_auto_class()
    _model.register_for_auto_class("AutoModelForAudioClassification")

__all__ = [
    "ARCHITECTURES",
    "SAMPLING_RATE",
    "AudioError",
    "AudioReader",
    "Data2VecAudioForMultiTaskSER",
    "Data2VecAudioMultiTaskSERConfig",
    "HubertForMultiTaskSER",
    "HubertMultiTaskSERConfig",
    "MultiTaskSEROutput",
    "OutputOptions",
    "PannsForMultiTaskSER",
    "PannsMultiTaskSERConfig",
    "SpeechEmotionPipeline",
    "Task",
    "UniSpeechSatForMultiTaskSER",
    "UniSpeechSatMultiTaskSERConfig",
    "Wav2Vec2BertForMultiTaskSER",
    "Wav2Vec2BertMultiTaskSERConfig",
    "Wav2Vec2ForMultiTaskSER",
    "Wav2Vec2MultiTaskSERConfig",
    "WavLMForMultiTaskSER",
    "WavLMMultiTaskSERConfig",
    "WhisperForMultiTaskSER",
    "WhisperMultiTaskSERConfig",
    "batched",
    "format_outputs",
    "length_grouped_batches",
    "load_audio",
]
