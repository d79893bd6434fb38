"""Loads checkpoints in every way, with no more than transformers, torch, numpy and what they bring.

    python untrusted_checkpoint.py CLIP.npy FOLDER_OR_HUB_ID …

The last line that it prints holds the outputs, one for each, as JSON.
"""

# ruff: noqa: E402, what is absent has to be so before the imports
import json
import re
import sys
from pathlib import Path

ABSENT = """soundfile soxr av librosa scipy sklearn datasets pandas evaluate accelerate matplotlib numba joblib optuna
silero_vad peft onnx onnxruntime onnxscript torchaudio"""
PROJECT = "common modeling preprocessing evaluation training inference publishing tests"
for name in f"{ABSENT} {PROJECT}".split():
    sys.modules[name] = None

import numpy as np
import torch
from huggingface_hub import hf_hub_download
from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoModelForAudioClassification, pipeline

TRUSTED = {"trust_remote_code": True}


def refusals(repo: str) -> list[str]:
    """The errors where the code is not trusted."""
    messages = []
    for load in (
        lambda: pipeline(model=repo),
        lambda: pipeline("audio-classification", model=repo),
        lambda: AutoConfig.from_pretrained(repo),
        lambda: AutoModel.from_pretrained(repo),
        lambda: AutoModelForAudioClassification.from_pretrained(repo),
    ):
        try:
            messages.append(f"not refused: {load()}")
        except Exception as error:
            messages.append(str(error))
    return messages


def load_and_predict(repo: str, clip: str) -> dict:
    sound = np.load(clip)
    outputs = {"refused": refusals(repo), "config": AutoConfig.from_pretrained(repo, **TRUSTED).model_type}
    inputs = AutoFeatureExtractor.from_pretrained(repo)(sound, sampling_rate=16000, return_tensors="pt")
    for auto in (AutoModel, AutoModelForAudioClassification):
        model = auto.from_pretrained(repo, **TRUSTED)
        with torch.no_grad():
            outputs[auto.__name__] = {name: x[0].tolist() for name, x in model(**inputs).task_logits.items()}
    recognize = pipeline(model=repo, **TRUSTED)
    outputs["heads"] = recognize(sound)
    outputs["stock"] = pipeline("audio-classification", model=repo, **TRUSTED)(sound, top_k=None)
    for name, source in (("path", clip), ("rate", {"array": sound, "sampling_rate": 44100})):
        try:
            recognize(source)
        except ImportError as error:
            outputs[name] = str(error)
    return outputs


def run_example(repo: str) -> None:
    """Runs the card's example of use."""
    card = Path(repo, "README.md") if Path(repo).is_dir() else Path(hf_hub_download(repo, "README.md"))
    example = re.search(r"```python\n(.*?)```", card.read_text(encoding="utf-8"), re.DOTALL)[1]
    example, named = re.subn(r'^repo = ".+"$', f'repo = "{repo}"', example, flags=re.MULTILINE)
    assert named == 1
    exec(compile(example, "card", "exec"), {})


if __name__ == "__main__":
    clip, *repos = sys.argv[1:]
    found = []
    for repo in repos:
        found.append(load_and_predict(repo, clip))
        run_example(repo)
    assert not [name for name in f"{ABSENT} {PROJECT}".split() if sys.modules.get(name) is not None]
    print(json.dumps(found))
