"""Networks of XLSR-53's shape with random weights, which are as fast as trained ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor

from modeling import Task, Wav2Vec2ForMultiTaskSER
from preprocessing.labels import EMOTIONS, GENDERS, LOCALES

# facebook/wav2vec2-large-xlsr-53, where it differs from the defaults of Wav2Vec2Config.
XLSR_53 = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "do_stable_layer_norm": True,
    "feat_extract_norm": "layer",
    "conv_bias": True,
    "feat_proj_dropout": 0.1,
    "activation_dropout": 0.0,
    "layerdrop": 0.0,
    "mask_time_prob": 0.0,
}
TOY = {
    **XLSR_53,
    "hidden_size": 32,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
TASKS = (
    Task("emotion", "classification", "emotion", labels=EMOTIONS),
    Task("gender", "classification", "gender", labels=GENDERS),
    Task("language", "classification", "locale", labels=LOCALES),
    Task("f0_mean", "regression", "f0_mean", unit="Hz", mean=180.0, std=60.0),
)


def backbone(layers: int, *, quick: bool = False, **overrides: object) -> Wav2Vec2Config:
    """XLSR-53 with so many layers; `quick`: a toy of the same make."""
    fields: dict[str, Any] = {**(TOY if quick else XLSR_53), "num_hidden_layers": layers, **overrides}
    return Wav2Vec2Config(**fields)


def network(layers: int, *, quick: bool = False, **overrides: Any) -> Wav2Vec2ForMultiTaskSER:
    """The model, the same weights in every process, ready to predict."""
    torch.manual_seed(0)
    config = Wav2Vec2ForMultiTaskSER.config_from_backbone(backbone(layers, quick=quick), TASKS, **overrides)
    return Wav2Vec2ForMultiTaskSER(config).eval()


def restore_convolutions(model: nn.Module) -> None:
    """Makes a model of this project compute its convolutions as transformers does, for peers that are to be stock."""
    for module in model.modules():
        vars(module).pop("_conv_forward", None)


def operations_by_module(run: Callable[[], object]) -> dict[str, int]:
    """Floating-point operations of a function by module, and of all as `"Global"`; a product and a sum are two."""
    with FlopCounterMode(display=False) as counter:
        run()
    return {module: sum(counts.values()) for module, counts in counter.get_flop_counts().items()}


def feature_extractor() -> Wav2Vec2FeatureExtractor:
    """The feature extractor of a checkpoint of this project."""
    return Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True)


def write_checkpoint(folder: Path, layers: int, *, quick: bool = False) -> Path:
    """The model and its feature extractor, as training leaves them."""
    network(layers, quick=quick).save_pretrained(folder)
    feature_extractor().save_pretrained(folder)
    return folder
