"""Networks of XLSR-53's shape from random weights: their speed is that of trained ones."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor
from transformers.models.wav2vec2.modeling_wav2vec2 import Wav2Vec2FeatureEncoder

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
    return Wav2Vec2Config(**{**(TOY if quick else XLSR_53), "num_hidden_layers": layers, **overrides})


def network(layers: int, *, quick: bool = False, **overrides: object) -> Wav2Vec2ForMultiTaskSER:
    """The model, the same weights in every process, ready to predict."""
    torch.manual_seed(0)
    config = Wav2Vec2ForMultiTaskSER.config_from_backbone(backbone(layers, quick=quick), TASKS, **overrides)
    return Wav2Vec2ForMultiTaskSER(config).eval()


def with_stock_encoder(model: Wav2Vec2ForMultiTaskSER) -> Wav2Vec2ForMultiTaskSER:
    """The same model on transformers' own network alone, which is what a peer computes with."""
    encoder = Wav2Vec2FeatureEncoder(model.config)
    encoder.load_state_dict(model.wav2vec2.feature_extractor.state_dict())
    model.wav2vec2.feature_extractor = encoder.train(model.training)
    return model


def operations(config: Wav2Vec2Config, samples: int) -> tuple[float, float]:
    """Floating-point operations on one clip: of the convolutional encoder, and of all that follows it.

    Products alone count: a multiplication and an addition are two operations.
    """
    encoder, channels, frames = 0.0, 1, samples
    for size, kernel, stride in zip(config.conv_dim, config.conv_kernel, config.conv_stride, strict=True):
        frames = (frames - kernel) // stride + 1
        encoder += 2 * frames * channels * kernel * size
        channels = size
    hidden = config.hidden_size
    projection = 2 * frames * channels * hidden
    positions = 2 * frames * hidden * hidden // config.num_conv_pos_embedding_groups * config.num_conv_pos_embeddings
    attention = 8 * frames * hidden**2 + 4 * frames**2 * hidden
    feed_forward = 4 * frames * hidden * config.intermediate_size
    return encoder, projection + positions + config.num_hidden_layers * (attention + feed_forward)


def feature_extractor() -> Wav2Vec2FeatureExtractor:
    """The feature extractor of a checkpoint of this project."""
    return Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True)


def write_checkpoint(folder: Path, layers: int, *, quick: bool = False) -> Path:
    """The model and its feature extractor, as training leaves them."""
    network(layers, quick=quick).save_pretrained(folder)
    feature_extractor().save_pretrained(folder)
    return folder
