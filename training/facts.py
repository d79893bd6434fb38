"""What is to be known of a training when its checkpoint is published: data and licences, settings, hardware, time."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from datasets import Dataset
from transformers import Trainer

from preprocessing.catalogue import LICENCE_USES, licences
from preprocessing.report import write_json

if TYPE_CHECKING:
    from .run import Job

TRAINING_FACTS = "training.json"
NOT_STATED = "not stated"
_PACKAGES = ("transformers", "torch", "datasets", "accelerate", "numpy")


def write_training_facts(job: Job, trainer: Trainer, output: Path) -> None:
    """Writes `training.json` beside a checkpoint; it names no folder of the machine."""
    write_json(output / TRAINING_FACTS, training_facts(job, trainer))


def training_facts(job: Job, trainer: Trainer) -> dict[str, Any]:
    """What `training.json` holds.

    - `data`: of each corpus its training `clips` and `hours`, `title`, `homepage`, `licence`, and whether that allows
      `commercial` use and is `redistributable`; a user's own audio has the licence "not stated" and `None`s;
    - `locales` of the training clips, `protocol`, `seed`, `parameters` (`all`, `trained`), `versions`;
    - `start`: `"random weights"`, `"hub"` (then `base_model` and `revision` say which) or `"local checkpoint"`, whose
      own facts are in `before` if it is one of this project;
    - `epochs` trained, `learning_rate`, `weight_decay`, `batch_size` (clips per update), `precision`;
    - `hardware`: `device`, `processes`; `seconds` of the training, `None` if it was resumed or one point of a sweep.
    """
    args, clips = job.args, job.splits["train"]
    ran = [line["train_runtime"] for line in trainer.state.log_history if "train_runtime" in line]
    on_gpu = args.device.type == "cuda"
    return {
        "data": _data(clips),
        "locales": sorted({*clips["locale"][:]} - {None}),
        "protocol": job.data.protocol,
        "seed": args.seed,
        **_start(job.settings),
        "parameters": {
            "all": job.model.num_parameters(),
            "trained": job.model.num_parameters(only_trainable=True),
        },
        "epochs": round(trainer.state.epoch or args.num_train_epochs, 2),
        "learning_rate": args.learning_rate,
        "weight_decay": args.weight_decay,
        "batch_size": args.per_device_train_batch_size * args.gradient_accumulation_steps * args.world_size,
        "precision": "bfloat16, mixed" if args.bf16 else "float32",
        "hardware": {
            "device": torch.cuda.get_device_name() if on_gpu else f"CPU, threads: {torch.get_num_threads()}",
            "processes": args.world_size,
        },
        "seconds": round(ran[-1], 1) if ran and job.resume_from is None else None,
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
    }


def _data(clips: Dataset) -> list[dict[str, Any]]:
    corpora, seconds = np.array(clips["corpus"][:]), np.array(clips["duration_s"][:])
    own = {"title": None, "homepage": None, "licence": NOT_STATED, **dict.fromkeys(LICENCE_USES)}
    return [
        {
            "corpus": name,
            **(licence or own),
            "clips": int((corpora == name).sum()),
            "hours": float(seconds[corpora == name].sum() / 3600),
        }
        for name, licence in licences(sorted({*corpora.tolist()})).items()
    ]


def _start(settings: dict[str, Any]) -> dict[str, Any]:
    """What the training started from; a local path stays at home."""
    start = {"start": "random weights", "base_model": None, "revision": None, "before": None}
    name = settings.get("model_name_or_path")
    if name is None:
        return start
    if not Path(name).exists():
        return {**start, "start": "hub", "base_model": name, "revision": settings["model_revision"]}
    facts = Path(name, TRAINING_FACTS)
    before = json.loads(facts.read_text(encoding="utf-8")) if facts.is_file() else None
    return {**start, "start": "local checkpoint", "before": before}
