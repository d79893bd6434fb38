"""The networks, and all else that a checkpoint needs: this folder is saved with every checkpoint."""

from transformers import AutoConfig, AutoModel, AutoModelForAudioClassification

from .audio_resampling_ser import SAMPLING_RATE
from .audio_ser import AudioError, AudioReader, load_audio
from .auto_ser import ARCHITECTURES
from .batching_ser import batched, length_grouped_batches
from .configuration_ser import PannsMultiTaskSERConfig
from .modeling_heads_ser import MultiTaskSEROutput
from .modeling_panns_ser import PannsForMultiTaskSER
from .modeling_wav2vec2_ser import Wav2Vec2ForMultiTaskSER, Wav2Vec2MultiTaskSERConfig
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
    "MultiTaskSEROutput",
    "OutputOptions",
    "PannsForMultiTaskSER",
    "PannsMultiTaskSERConfig",
    "SpeechEmotionPipeline",
    "Task",
    "Wav2Vec2ForMultiTaskSER",
    "Wav2Vec2MultiTaskSERConfig",
    "WhisperForMultiTaskSER",
    "WhisperMultiTaskSERConfig",
    "batched",
    "format_outputs",
    "length_grouped_batches",
    "load_audio",
]
