"""What is to be known of a training when its checkpoint is published: data and licences, settings, hardware, time."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, get_type_hints

import numpy as np
import torch
from datasets import Dataset
from huggingface_hub import hf_hub_download
from huggingface_hub.dataclasses import type_validator
from huggingface_hub.errors import EntryNotFoundError
from transformers import Trainer
from transformers.utils import CONFIG_NAME
from transformers.utils.logging import get_logger

from modeling import Task
from preprocessing.catalogue import LICENCE_USES, licences
from preprocessing.dataset import load_report
from preprocessing.labels import merged_labels, raw_labels
from preprocessing.report import write_json
from preprocessing.versions import versions

from .arguments import ModelArguments
from .network import trained_config

if TYPE_CHECKING:
    from .run import Job

logger = get_logger(__name__)

TRAINING_FACTS = "training.json"
NOT_STATED = "not stated"
# CNN14 as published at zenodo.org/record/3987831. Of other local files not even the name is told.
_PUBLISHED_FILES = ("Cnn14_16k_mAP=0.438.pth", "Cnn14_mAP=0.431.pth")
_PACKAGES = ("transformers", "torch", "datasets", "accelerate", "numpy")


def write_training_facts(job: Job, trainer: Trainer, output: Path) -> None:
    """Writes `training.json` beside a checkpoint; it names no folder of the machine."""
    write_json(output / TRAINING_FACTS, training_facts(job, trainer))


def training_facts(job: Job, trainer: Trainer) -> dict[str, Any]:
    """What `training.json` holds.

    - `data`: of each corpus its training `clips` and `hours`, `title`, `homepage`, `licence`, and whether that allows
      `commercial` use and is `redistributable`; a user's own audio has the license that `prepare.py --license` named,
      or "not stated" and `None`s;
    - `merged_labels`: of the training clips, where a head learns emotions, the classes that hold more than the authors'
      word for them ([`~preprocessing.labels.merged_labels`]);
    - `locales` of the training clips, `protocol`, `seed`, `parameters` (`all`, `trained`), `versions`;
    - `start`: what [`start_facts`] says;
    - `epochs` trained, `learning_rate`, `weight_decay`, `batch_size` (clips per update), `precision`;
    - `hardware`: `device`, `processes`; `seconds` of the training, `None` if it was resumed or one point of a sweep.
    """
    args, clips = job.args, job.splits["train"]
    ran = [line["train_runtime"] for line in trainer.state.log_history if "train_runtime" in line]
    on_gpu = args.device.type == "cuda"
    return {
        "data": _data(clips, load_report(job.data.data)["settings"].get("licences", {})),
        "merged_labels": _merged_labels(clips, job.tasks),
        "locales": sorted({*clips["locale"][:]} - {None}),
        "protocol": job.data.protocol,
        "seed": args.seed,
        **job.start,
        "parameters": {
            "all": job.model.num_parameters(),
            "trained": job.model.num_parameters(only_trainable=True),
        },
        "epochs": round(trainer.state.epoch or args.num_train_epochs, 2),
        "learning_rate": args.learning_rate,
        "weight_decay": args.weight_decay,
        "batch_size": args.effective_batch_size,
        "precision": "bfloat16, mixed" if args.bf16 else "float32",
        "hardware": {
            "device": torch.cuda.get_device_name() if on_gpu else f"CPU, threads: {torch.get_num_threads()}",
            "processes": args.world_size,
        },
        "seconds": round(ran[-1], 1) if ran and job.resume_from is None else None,
        "versions": {
            "python": platform.python_version(),
            **versions(*_PACKAGES),
        },
    }


def _data(clips: Dataset, stated: Mapping[str, dict | None]) -> list[dict[str, Any]]:
    """The corpora of the clips; `stated`: the licenses in the report of their preparation."""
    corpora, seconds = np.array(clips["corpus"][:]), np.array(clips["duration_s"][:])
    own = {"title": None, "homepage": None, "licence": NOT_STATED, **dict.fromkeys(LICENCE_USES)}
    return [
        {
            "corpus": name,
            **(licence or stated.get(name) or own),
            "clips": int((corpora == name).sum()),
            "hours": float(seconds[corpora == name].sum() / 3600),
        }
        for name, licence in licences(sorted({*corpora.tolist()})).items()
    ]


def _merged_labels(clips: Dataset, tasks: Sequence[Task]) -> dict[str, Any]:
    if all(task.column != "emotion" for task in tasks):
        return {}
    return merged_labels(raw_labels({name: clips[name][:] for name in ("corpus", "emotion", "raw_label")}))


def start_facts(arguments: ModelArguments) -> dict[str, Any]:
    """What a training starts from; a local path stays at home.

    - `start`: `"random weights"`, `"hub"`, `"published file"` or `"local checkpoint"`;
    - `base_model`: the Hub id or the name of the published file, else `None`;
    - `revision`: the commit on the Hub, else `None`;
    - `before`: the `training.json` of a checkpoint of this project, `None` where there is none.
    """
    start = {"start": "random weights", "base_model": None, "revision": None, "before": None}
    name = arguments.model_name_or_path
    if name is None:
        return start
    if Path(name).name in _PUBLISHED_FILES:
        return {**start, "start": "published file", "base_model": Path(name).name}
    is_ours = trained_config(arguments) is not None
    if Path(name).exists():
        return {**start, "start": "local checkpoint", "before": _facts_of(name) if is_ours else None}
    # A branch moves on; the commit says what was loaded.
    commit = hf_hub_download(name, CONFIG_NAME, revision=arguments.model_revision, dry_run=True).commit_hash
    before = _facts_of(name, commit) if is_ours else None
    return {**start, "start": "hub", "base_model": name, "revision": commit, "before": before}


def _facts_of(checkpoint: str, commit: str | None = None) -> dict[str, Any] | None:
    """`training.json` of a checkpoint of this project: of a folder, or of a commit on the Hub."""
    path = Path(checkpoint, TRAINING_FACTS)
    if commit is not None:
        with suppress(EntryNotFoundError):
            path = Path(hf_hub_download(checkpoint, TRAINING_FACTS, revision=commit))
    if path.is_file():
        return read_facts(path)
    logger.warning("%s has no %s: what it was trained on is not known.", checkpoint, TRAINING_FACTS)
    return None


class _Corpus(TypedDict):
    corpus: str
    title: str | None
    homepage: str | None
    licence: str
    commercial: bool | None
    redistributable: bool | None
    clips: int | None
    hours: float | int | None


class _Parameters(TypedDict):
    all: int
    trained: int


class _Hardware(TypedDict):
    device: str
    processes: int


class _Facts(TypedDict):
    data: list[dict[str, Any]]
    merged_labels: dict[str, dict[str, dict[str, int]]]
    locales: list[str]
    protocol: str
    seed: int
    start: str
    base_model: str | None
    revision: str | None
    before: dict[str, Any] | None
    parameters: dict[str, Any]
    epochs: float | int
    learning_rate: float | int
    weight_decay: float | int
    batch_size: int
    precision: str
    hardware: dict[str, Any]
    seconds: float | int | None
    versions: dict[str, str]


def read_facts(path: Path) -> dict[str, Any]:
    """A `training.json`, whoever wrote it, in the form of [`training_facts`]; what else is in it is left out.

    Raises:
        ValueError: it has another form.
    """
    try:
        return _check_facts(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            f"{path} is not as train.py writes it: {error}. Without the file, the data that the checkpoint was trained "
            "on count as not stated."
        ) from error


def _check_facts(facts: Any) -> dict[str, Any]:
    known = _check(_Facts, {"merged_labels": {}, **facts})  # which earlier trainings did not write
    known["data"] = [_check(_Corpus, corpus) for corpus in known["data"]]
    for corpus in known["data"]:
        if corpus["homepage"] is not None and not re.fullmatch(r"https?://[^\s()<>]+", corpus["homepage"]):
            raise ValueError(f"{corpus['homepage']!r} is no homepage")
    known |= {"parameters": _check(_Parameters, known["parameters"]), "hardware": _check(_Hardware, known["hardware"])}
    return known if known["before"] is None else {**known, "before": _check_facts(known["before"])}


def _check(form: type, facts: dict[str, Any]) -> dict[str, Any]:
    """The fields of a form, once their types are checked."""
    hints = get_type_hints(form)
    for name, kind in hints.items():
        type_validator(name, facts[name], kind)
    return {name: facts[name] for name in hints}
