"""The project's architectures by their names, and the one that a configuration is of."""

from __future__ import annotations

from transformers import (
    PreTrainedConfig,
    PreTrainedModel,
)

from .modeling_panns_ser import PannsForMultiTaskSER
from .modeling_wav2vec2_layer_sum_ser import Wav2Vec2LayerSumForMultiTaskSER
from .modeling_wav2vec2_ser import Wav2Vec2ForMultiTaskSER

ARCHITECTURES: dict[str, type[PreTrainedModel]] = {
    "wav2vec2": Wav2Vec2ForMultiTaskSER,
    "wav2vec2_layer_sum": Wav2Vec2LayerSumForMultiTaskSER,
    "panns": PannsForMultiTaskSER,
}


def architecture_of(config: PreTrainedConfig | None) -> str | None:
    """The name in `ARCHITECTURES` of the model that a configuration is of, `None` if it is none of this project."""
    return next((name for name, model in ARCHITECTURES.items() if type(config) is model.config_class), None)
