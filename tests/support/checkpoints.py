"""Small checkpoints with the tasks that a test chooses, and their evaluation."""

import torch

from evaluation.checkpoint import evaluate_checkpoint
from evaluation.plan import plan_evaluation
from modeling import Wav2Vec2ForMultiTaskSER
from tests.conftest import tiny_config


def save_checkpoint(folder, feature_extractor, tasks):
    """Saves a tiny model with random weights, and returns the folder."""
    torch.manual_seed(0)
    Wav2Vec2ForMultiTaskSER(tiny_config(tasks)).save_pretrained(folder)
    feature_extractor.save_pretrained(folder)
    return folder


def evaluate(checkpoint, data, protocol, output, *, batch_size=8, **plan):
    """Evaluates a checkpoint on prepared data as `evaluate.py` does, and writes to `output`."""
    planned = plan_evaluation(checkpoint, data, protocol, **plan)
    return evaluate_checkpoint(planned, output, per_device_eval_batch_size=batch_size)
