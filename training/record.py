"""`training.json`, the record of a training for publishing: data and licenses, settings, hardware, time."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from datasets import Dataset
from transformers import Trainer
from transformers.utils.logging import get_logger

from common.files import write_json
from common.training_record import NOT_STATED, TRAINING_RECORD
from common.versions import versions
from modeling import Task
from preprocessing.corpora.catalog import licenses
from preprocessing.corpora.own_arguments import LICENSE_USES
from preprocessing.labels import merged_labels, raw_labels
from preprocessing.prepared.table import load_report

if TYPE_CHECKING:
    from .job import TrainingJob

logger = get_logger(__name__)

_PACKAGES = ("transformers", "torch", "datasets", "accelerate", "numpy")


def write_training_record(job: TrainingJob, trainer: Trainer, output: Path) -> None:
    """Writes `training.json` into the folder of a checkpoint, without paths of the machine."""
    write_json(output / TRAINING_RECORD, training_record(job, trainer))


def training_record(job: TrainingJob, trainer: Trainer) -> dict[str, Any]:
    """The content of `training.json`.

    - `data`: for each corpus its training `clips` and `hours`, `title`, `homepage`, `license`, and whether that allows
      `commercial` use and is `redistributable`; a user's own audio has the license of `prepare.py --license`, or "not
      stated" and `None`s;
    - `merged_labels`: if there is an emotion head, the classes that merge several labels of the authors
      ([`~preprocessing.labels.merged_labels`]);
    - `locales` of the training clips, `protocol`, `seed`, `parameters` (`all`, `trained`), `versions`;
    - `start`: as returned by [`~training.start.describe_start`];
    - `augmentation`: `transforms` and their `probability`, `None` without;
    - `corpus_sampling`: `temperature`, and `clips_per_epoch` of each corpus; `None` where an epoch is every clip once;
    - `epochs` trained, `learning_rate`, `fine_tuning` (`head_learning_rate`, `layer_decay`, `lora_rank`),
      `weight_decay`, `batch_size` (clips per update), `precision`;
    - `hardware`: `device`, `processes`; `seconds` of the training, `None` if it was resumed or one point of a sweep.
    """
    args, clips = job.args, job.splits["train"]
    runtimes = [line["train_runtime"] for line in trainer.state.log_history if "train_runtime" in line]
    return {
        "data": _data(clips, load_report(job.data.data)["settings"].get("licenses", {})),
        "merged_labels": _merged_labels(clips, job.tasks),
        "locales": sorted({*clips["locale"][:]} - {None}),
        "protocol": job.data.protocol,
        "seed": args.seed,
        **job.start,
        "parameters": {"all": job.model.num_parameters(), "trained": job.trained_parameters},
        "augmentation": _augmentation(job),
        "corpus_sampling": _corpus_sampling(job),
        "epochs": round(trainer.state.epoch or args.num_train_epochs, 2),
        "learning_rate": args.learning_rate,
        "fine_tuning": {
            "head_learning_rate": args.head_learning_rate or args.learning_rate,
            "layer_decay": args.layer_decay,
            "lora_rank": args.lora_rank,
        },
        "weight_decay": args.weight_decay,
        "batch_size": args.effective_batch_size,
        "precision": "bfloat16, mixed" if args.bf16 else "float32",
        "hardware": {"device": _device(args.device), "processes": args.world_size},
        "seconds": round(runtimes[-1], 1) if runtimes and job.resume_from is None else None,
        "versions": {"python": platform.python_version(), **versions(*_PACKAGES)},
    }


def _augmentation(job: TrainingJob) -> dict[str, Any] | None:
    if not job.data.augment:
        return None
    return {"transforms": job.data.augment, "probability": job.data.augment_probability}


def _corpus_sampling(job: TrainingJob) -> dict[str, Any] | None:
    if job.sampling is None:
        return None
    return {"temperature": job.args.corpus_temperature, "clips_per_epoch": job.sampling.per_epoch}


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, threads: {torch.get_num_threads()}"


def _data(clips: Dataset, stated: Mapping[str, dict | None]) -> list[dict[str, Any]]:
    """The corpora of the clips; `stated`: the licenses in the report of the prepared folder."""
    corpora, seconds = np.array(clips["corpus"][:]), np.array(clips["duration_s"][:])
    own = {"title": None, "homepage": None, "license": NOT_STATED, **dict.fromkeys(LICENSE_USES)}
    return [
        {
            "corpus": name,
            **(license or stated.get(name) or own),
            "clips": int((corpora == name).sum()),
            "hours": float(seconds[corpora == name].sum() / 3600),
        }
        for name, license in licenses(sorted({*corpora.tolist()})).items()
    ]


def _merged_labels(clips: Dataset, tasks: Sequence[Task]) -> dict[str, Any]:
    if all(task.column != "emotion" for task in tasks):
        return {}
    return merged_labels(raw_labels({name: clips[name][:] for name in ("corpus", "emotion", "raw_label")}))
