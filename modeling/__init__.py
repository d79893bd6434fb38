"""The networks. All that a checkpoint needs lies here and travels with it; only `checkpoint_ser` stays at home."""

from transformers import AutoConfig, AutoModel, AutoModelForAudioClassification

from .answers_ser import AnswerOptions, word_answer
from .audio_ser import SAMPLING_RATE, AudioError, AudioReader, load_audio
from .batches_ser import batches_by_length, pools
from .checkpoint_ser import ARCHITECTURES, load_checkpoint, load_config
from .configuration_ser import (
    PannsMultiTaskSERConfig,
    Wav2Vec2LayerSumMultiTaskSERConfig,
    Wav2Vec2MultiTaskSERConfig,
)
from .heads_ser import MultiTaskSEROutput
from .modeling_panns_ser import PannsForMultiTaskSER
from .modeling_wav2vec2_layer_sum_ser import Wav2Vec2LayerSumForMultiTaskSER
from .modeling_wav2vec2_ser import Wav2Vec2ForMultiTaskSER
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
    "AnswerOptions",
    "AudioError",
    "AudioReader",
    "MultiTaskSEROutput",
    "PannsForMultiTaskSER",
    "PannsMultiTaskSERConfig",
    "SpeechEmotionPipeline",
    "Task",
    "Wav2Vec2ForMultiTaskSER",
    "Wav2Vec2LayerSumForMultiTaskSER",
    "Wav2Vec2LayerSumMultiTaskSERConfig",
    "Wav2Vec2MultiTaskSERConfig",
    "batches_by_length",
    "load_audio",
    "load_checkpoint",
    "load_config",
    "pools",
    "word_answer",
]
