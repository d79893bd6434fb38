"""The project's architectures by name, and the architecture of a configuration."""

from __future__ import annotations

from transformers import PreTrainedConfig

from .modeling_base_ser import MultiTaskSERMixin
from .modeling_panns_ser import PannsForMultiTaskSER
from .modeling_wav2vec2_layer_sum_ser import Wav2Vec2LayerSumForMultiTaskSER
from .modeling_wav2vec2_ser import Wav2Vec2ForMultiTaskSER

ARCHITECTURES: dict[str, type[MultiTaskSERMixin]] = {
    "wav2vec2": Wav2Vec2ForMultiTaskSER,
    "wav2vec2_layer_sum": Wav2Vec2LayerSumForMultiTaskSER,
    "panns": PannsForMultiTaskSER,
}


def architecture_of(config: PreTrainedConfig | None) -> str | None:
    """The name in `ARCHITECTURES` of a configuration's model, `None` if it is not one of this project."""
    return next((name for name, model in ARCHITECTURES.items() if type(config) is model.config_class), None)
