"""The networks, and all else that a checkpoint needs: this folder is saved with every checkpoint.

Decoding, speech detection and the formatting of outputs need neither PyTorch nor transformers. The networks need both,
and are imported, and registered with transformers' Auto classes, when one of them is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .audio_resampling_ser import SAMPLING_RATE
from .audio_ser import AudioError, AudioReader, load_audio
from .batching_ser import batched, length_grouped_batches
from .outputs_ser import OutputOptions, format_outputs
from .tasks_ser import Task

if TYPE_CHECKING:
    from .auto_ser import ARCHITECTURES
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
    from .pipeline_ser import SpeechEmotionPipeline

# Name -> the module that defines it, of what needs PyTorch.
_LAZY = {
    "ARCHITECTURES": "auto_ser",
    "Data2VecAudioForMultiTaskSER": "modeling_data2vec_audio_ser",
    "Data2VecAudioMultiTaskSERConfig": "modeling_data2vec_audio_ser",
    "HubertForMultiTaskSER": "modeling_hubert_ser",
    "HubertMultiTaskSERConfig": "modeling_hubert_ser",
    "MultiTaskSEROutput": "modeling_heads_ser",
    "PannsForMultiTaskSER": "modeling_panns_ser",
    "PannsMultiTaskSERConfig": "configuration_ser",
    "SpeechEmotionPipeline": "pipeline_ser",
    "UniSpeechSatForMultiTaskSER": "modeling_unispeech_sat_ser",
    "UniSpeechSatMultiTaskSERConfig": "modeling_unispeech_sat_ser",
    "Wav2Vec2BertForMultiTaskSER": "modeling_wav2vec2_bert_ser",
    "Wav2Vec2BertMultiTaskSERConfig": "modeling_wav2vec2_bert_ser",
    "Wav2Vec2ForMultiTaskSER": "modeling_wav2vec2_ser",
    "Wav2Vec2MultiTaskSERConfig": "modeling_wav2vec2_ser",
    "WavLMForMultiTaskSER": "modeling_wavlm_ser",
    "WavLMMultiTaskSERConfig": "modeling_wavlm_ser",
    "WhisperForMultiTaskSER": "modeling_whisper_ser",
    "WhisperMultiTaskSERConfig": "modeling_whisper_ser",
}


def __getattr__(name: str) -> Any:
    """Imports what needs PyTorch (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    importlib.import_module(".auto_ser", __name__)  # which registers the networks
    return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)


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
