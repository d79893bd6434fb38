"""The networks. All that a checkpoint needs lies here and travels with it; only `checkpoint_ser` stays at home."""

from transformers import AutoConfig, AutoModel, AutoModelForAudioClassification

from .audio_ser import SAMPLING_RATE, AudioError, AudioReader, load_audio
from .checkpoint_ser import load_checkpoint, load_config
from .configuration_ser import Wav2Vec2MultiTaskSERConfig
from .heads_ser import MultiTaskSEROutput
from .modeling_wav2vec2_ser import Wav2Vec2ForMultiTaskSER
from .pipeline_ser import SpeechEmotionPipeline
from .tasks_ser import Task

AutoConfig.register(Wav2Vec2MultiTaskSERConfig.model_type, Wav2Vec2MultiTaskSERConfig)
AutoModel.register(Wav2Vec2MultiTaskSERConfig, Wav2Vec2ForMultiTaskSER)
AutoModelForAudioClassification.register(Wav2Vec2MultiTaskSERConfig, Wav2Vec2ForMultiTaskSER)
Wav2Vec2MultiTaskSERConfig.register_for_auto_class()
Wav2Vec2ForMultiTaskSER.register_for_auto_class("AutoModelForAudioClassification")

__all__ = [
    "SAMPLING_RATE",
    "AudioError",
    "AudioReader",
    "MultiTaskSEROutput",
    "SpeechEmotionPipeline",
    "Task",
    "Wav2Vec2ForMultiTaskSER",
    "Wav2Vec2MultiTaskSERConfig",
    "load_audio",
    "load_checkpoint",
    "load_config",
]
