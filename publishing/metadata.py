"""The Hub's metadata of a model card: license, languages, and every result as a model-index."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from .license import License

# Kind of the main task -> metric in metrics.json, its type on the Hub, its name.
RESULTS = {
    "classification": (
        ("weighted_f1", "f1", "Weighted F1"),
        ("weighted_recall", "recall", "Weighted recall"),
        ("weighted_precision", "precision", "Weighted precision"),
    ),
    "regression": (
        ("ccc", "ccc", "Concordance correlation"),
        ("pearson", "pearsonr", "Pearson correlation"),
        ("mae", "mae", "Mean absolute error"),
    ),
}


def card_data(
    metrics: Mapping[str, Any],
    locales: Iterable[str],
    hub_tag: str,
    repo_id: str,
    license: License,
    base_model: str | None,
) -> ModelCardData:
    """The metadata of a card.

    Args:
        metrics: `metrics.json`.
        locales: locales of the training clips.
        hub_tag: tag of the network.
        repo_id: the repository.
        license: license of the weights.
        base_model: Hub id of the latest model that training started from, or `None`.
    """
    results = list(_results(metrics))
    return ModelCardData(
        model_name=repo_id.rpartition("/")[2],
        base_model=base_model,
        language=languages(locales) or None,
        library_name="transformers",
        pipeline_tag="audio-classification",
        license=license.name if license.is_open else "other",
        license_name=None if license.is_open else license.name,
        license_link=None if license.is_open else f"https://huggingface.co/{repo_id}#training-data-and-licenses",
        metrics=sorted({result.metric_type for result in results}),
        tags=["audio", "speech", "speech-emotion-recognition", "multi-task", hub_tag],
        eval_results=results,
    )


def languages(locales: Iterable[str]) -> list[str]:
    """ISO 639 codes of locales, such as `zh` of `zh-Hans`. A locale without such a code is skipped."""
    codes = {locale.partition("-")[0].lower() for locale in locales}
    return sorted(code for code in codes if re.fullmatch(r"[a-z]{2,3}", code))


def _results(metrics: Mapping[str, Any]) -> Iterator[EvalResult]:
    main = metrics["tasks"][metrics["main_task"]]
    parts = [("mean-over-corpora", "mean over corpora", main["mean_over_corpora"])]
    parts += [(name, name, row) for name, row in main["corpora"].items()]
    parts += [(f"locale-{name}", f"{name}, mean over its corpora", row) for name, row in main["locales"].items()]
    for type_, name, row in parts:
        for metric, metric_type, metric_name in RESULTS[main["kind"]]:
            if row[metric] is None or math.isnan(row[metric]):
                continue
            yield EvalResult(
                task_type="audio-classification",
                task_name=f"speech emotion recognition ({metrics['main_task']})",
                dataset_type=type_,
                dataset_name=name,
                dataset_config=f"protocol {metrics['protocol']['protocol']}",
                dataset_split=metrics["split"],
                metric_type=metric_type,
                metric_name=metric_name,
                metric_value=float(row[metric]),
            )
