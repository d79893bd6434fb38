"""A checkpoint -> the description of its model on a page: name, languages, quality, synthetic training data."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers.models.whisper.tokenization_whisper import LANGUAGES
from transformers.utils import cached_file

from common.checkpoint_files import weights_sha256
from preprocessing.demo.corpus import CORPORA

# By kind of the main task: metric in metrics.json, and its name.
_QUALITY = {"classification": ("weighted_f1", "weighted F1"), "regression": ("ccc", "concordance correlation")}


@dataclass(frozen=True)
class ModelDescription:
    """The description of a model.

    Args:
        name: Hub id, or name of the folder.
        languages: of the training clips, in English, sorted; empty if unknown.
        quality: the metric of its main head on test clips; empty if unknown.
        is_synthetic: whether all of its training clips are synthetic speech.
    """

    name: str = ""
    languages: tuple[str, ...] = ()
    quality: str = ""
    is_synthetic: bool = False


def load_model_description(checkpoint: str) -> ModelDescription:
    """Reads `training.json` and `metrics.json` of a checkpoint; what is missing or damaged there is left empty.

    Args:
        checkpoint: folder or Hub id.
    """
    folder = Path(checkpoint)
    name = folder.resolve().name if folder.is_dir() else checkpoint
    try:
        history = list(_history(_read(checkpoint, "training.json")))
        corpora = {entry["corpus"] for record in history for entry in record["data"]}
        languages = {_language(locale) for record in history for locale in record["locales"]}
    except (KeyError, TypeError, AttributeError):
        corpora, languages = set(), set()
    is_synthetic = bool(corpora) and corpora <= {*CORPORA}
    return ModelDescription(name, tuple(sorted(languages)), _quality(checkpoint), is_synthetic)


def _read(checkpoint: str, name: str) -> Any:
    """The content of a JSON file of a checkpoint, `None` if it is missing or damaged."""
    quiet = {"_raise_exceptions_for_missing_entries": False, "_raise_exceptions_for_connection_errors": False}
    path = cached_file(checkpoint, name, **quiet)
    try:
        return json.loads(Path(path).read_text(encoding="utf-8")) if path else None
    except (OSError, ValueError, RecursionError):
        return None


def _history(record: Any) -> Iterator[Mapping[str, Any]]:
    """The record of a training, and of those before it that led to the checkpoint it started from."""
    while record is not None:
        yield record
        record = record["before"]


def _language(locale: str) -> str:
    code = locale.partition("-")[0].lower()
    return LANGUAGES.get(code, locale).title()


def _quality(checkpoint: str) -> str:
    """The metric of the main head; empty if it was measured on other weights."""
    metrics = _read(checkpoint, "metrics.json")
    try:
        measured = metrics.get("weights_sha256")
        if measured not in (None, weights_sha256(checkpoint)):
            return ""
        name, main = metrics["main_task"], metrics["tasks"][metrics["main_task"]]
        metric, title = _QUALITY[main["kind"]]
        mean = main["mean_over_corpora"]
        if mean[metric] is None or not math.isfinite(mean[metric]):
            return ""
        interval = mean.get(f"{metric}_ci")
        spread = f" (95% interval {interval[0]:.2f} to {interval[1]:.2f})" if interval else ""
        return f"{title} of {name} {mean[metric]:.2f}{spread} on {main['clips']:,} {metrics['split']} clips"
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return ""
