"""`training.json`, the record of a training: form, reading and checking."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict, get_type_hints

from huggingface_hub.dataclasses import type_validator

TRAINING_RECORD = "training.json"
NOT_STATED = "not stated"
RANDOM_WEIGHTS = "random weights"  # what a training that started from no checkpoint has as its `start`


class _Corpus(TypedDict):
    corpus: str
    title: str | None
    homepage: str | None
    license: str
    commercial: bool | None
    redistributable: bool | None
    clips: int | None
    hours: float | int | None


class _Parameters(TypedDict):
    all: int
    trained: int


class _CorpusSampling(TypedDict):
    temperature: float | int
    clips_per_epoch: dict[str, int]


class _FineTuning(TypedDict):
    head_learning_rate: float | int
    layer_decay: float | int
    lora_rank: int


class _Hardware(TypedDict):
    device: str
    processes: int


class _Record(TypedDict):
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
    augmentation: dict[str, Any] | None
    corpus_sampling: dict[str, Any] | None
    epochs: float | int
    learning_rate: float | int
    fine_tuning: dict[str, Any] | None
    weight_decay: float | int
    batch_size: int
    precision: str
    hardware: dict[str, Any]
    seconds: float | int | None
    versions: dict[str, str]


def read_training_record(path: Path) -> dict[str, Any]:
    """Reads a `training.json`, which may be untrusted; fields that are not in the schema are ignored.

    Raises:
        ValueError: it has another form.
    """
    try:
        return _check_record(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            f"{path} has another form than train.py's: {error}. Without the file, the training data of the checkpoint "
            "count as not stated."
        ) from error


def training_history(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The record of a training, and those of the earlier trainings that led to its start."""
    earlier: Mapping[str, Any] | None = record
    while earlier is not None:
        yield earlier
        earlier = earlier["before"]


def is_pretrained(record: Mapping[str, Any]) -> bool:
    """Whether a training, or the first of those that led to its start, began with trained weights."""
    return [*training_history(record)][-1]["start"] != RANDOM_WEIGHTS


def _check_record(record: Any) -> dict[str, Any]:
    # What earlier versions did not write.
    earlier: dict[str, Any] = {
        "merged_labels": {},
        "augmentation": None,
        "corpus_sampling": None,
        "fine_tuning": None,
    }
    known = _check(_Record, {**earlier, **record})
    known["data"] = [_check(_Corpus, corpus) for corpus in known["data"]]
    for corpus in known["data"]:
        if corpus["homepage"] is not None and not re.fullmatch(r"https?://[^\s()<>]+", corpus["homepage"]):
            raise ValueError(f"{corpus['homepage']!r} is not a valid homepage")
    known |= {"parameters": _check(_Parameters, known["parameters"]), "hardware": _check(_Hardware, known["hardware"])}
    for name, form in (("fine_tuning", _FineTuning), ("corpus_sampling", _CorpusSampling)):
        if known[name] is not None:
            known[name] = _check(form, known[name])
    return known if known["before"] is None else {**known, "before": _check_record(known["before"])}


def _check(form: type, record: dict[str, Any]) -> dict[str, Any]:
    """The fields of a form, after their types were checked."""
    hints = get_type_hints(form)
    for name, kind in hints.items():
        type_validator(name, record[name], kind)
    return {name: record[name] for name in hints}
