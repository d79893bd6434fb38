"""The model card: `model_card.md`, filled from the files of a checkpoint. No model is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard
from jinja2 import Environment

from common.templates import template_environment
from common.training_record import RANDOM_WEIGHTS, training_history
from modeling.auto_ser import config_from_fields

from .escape import escape
from .license import NOT_STATED, backbone, most_restrictive
from .metadata import card_data

ROOT = Path(__file__).resolve().parent.parent  # the project runs from a clone
TEMPLATE = "model_card.md"
# Kind of a task -> title of a column in the tables of results -> metric.
COLUMNS = {
    "classification": {
        "F1": "weighted_f1",
        "recall": "weighted_recall",
        "precision": "weighted_precision",
        "macro F1": "macro_f1",
        "UAR": "unweighted_recall",
    },
    "regression": {"CCC": "ccc", "Pearson": "pearson", "R²": "r2", "MAE": "mae"},
}


def render_card(
    metrics: Mapping[str, Any],
    training: Mapping[str, Any],
    config: Mapping[str, Any],
    repo_id: str,
    figures: Sequence[str],
) -> str:
    """The card as Markdown, with the Hub's metadata at its head.

    Args:
        metrics: `metrics.json`.
        training: `training.json`.
        config: `config.json`.
        repo_id: the repository, which the example loads.
        figures: the figures of [`shown_figures`] that the repository has.

    Raises:
        jinja2.UndefinedError, KeyError: the files lack something that the card needs.
    """
    head, network = metrics, config_from_fields(config)  # unescaped, for the YAML
    metrics, training, config = escape(metrics), escape(training), escape(config)
    main = metrics["tasks"][metrics["main_task"]]
    history = list(training_history(training))
    data = [entry for record in history for entry in _data(record)]
    license = most_restrictive(data)
    base_model = next((record["base_model"] for record in history if record["start"] == "hub"), None)
    locales = sorted({locale for record in history for locale in record["locales"]})
    template = _environment().get_template(TEMPLATE)
    text = template.render(
        card_data=card_data(head, locales, network.hub_tag, repo_id, license, base_model).to_yaml().strip(),
        repo_id=repo_id,
        metrics=metrics,
        main=main,
        columns=COLUMNS[main["kind"]],
        all_columns=COLUMNS,
        history=history,
        data=_merge(data),
        merged_labels=_merged_labels(history),
        locales=locales,
        calibrated=_is_calibrated(metrics),
        license=license,
        config=config,
        architecture=network.description,
        standardizes_input=network.standardizes_input,
        figures=figures,
        figure_names=shown_figures(metrics["main_task"]),
    )
    paragraphs = [paragraph.strip("\n") for paragraph in text.split("\n\n")]
    return str(ModelCard("\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"))


def shown_figures(main_task: str) -> dict[str, str]:
    """The figures that a card shows: kind -> name in the folder `figures` of a checkpoint."""
    return {"confusion": "confusion.png", "calibration": f"calibration_{main_task}.png"}


@cache
def _environment() -> Environment:
    return template_environment(ROOT, {"number": _number, "score": _score, "interval": _interval, "time": _time})


def _data(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The corpora of a training, and the weights that it started from unless these have a record."""
    if record["start"] == RANDOM_WEIGHTS or record["before"] is not None:
        return record["data"]
    if record["base_model"] is not None:
        return [*record["data"], backbone(record["base_model"])]
    unknown = dict.fromkeys(("title", "homepage", "commercial", "redistributable", "clips", "hours"))
    return [*record["data"], {"corpus": "an earlier checkpoint", **unknown, "license": NOT_STATED}]


def _merge(data: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row per corpus and license, whose `clips` and `hours` are lists over trainings, the latest first."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in data:
        row = rows.setdefault((entry["corpus"], entry["license"]), {**entry, "clips": [], "hours": []})
        for name in ("clips", "hours"):
            if entry[name] is not None and entry[name] not in row[name]:
                row[name].append(entry[name])
    return list(rows.values())


def _merged_labels(history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Corpus -> class -> the authors' labels of its clips, in the latest training that had the corpus."""
    merged: dict[str, Any] = {}
    for record in reversed(history):
        merged |= {entry["corpus"]: {} for entry in record["data"]} | record.get("merged_labels", {})
    return {corpus: classes for corpus, classes in sorted(merged.items()) if classes}


def _is_calibrated(metrics: Mapping[str, Any]) -> bool:
    """Whether a temperature was fitted for any head; otherwise all are 1."""
    heads = [task for task in metrics["tasks"].values() if task["kind"] == "classification" and task["clips"]]
    return any(head["calibration"]["temperature"] != 1 for head in heads)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _score(row: Mapping[str, Any], name: str) -> str:
    """A metric with its 95 % interval, if it has one."""
    return _number(row[name]) + _interval(row, name)


def _interval(row: Mapping[str, Any], name: str) -> str:
    if f"{name}_ci" not in row:
        return ""
    if row[f"{name}_ci"] is None:
        return f" (no interval: {row['ci_reason']})"
    low, high = row[f"{name}_ci"]
    return f" ({low:.3f} to {high:.3f})"


def _time(seconds: float) -> str:
    if seconds < 3600:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds / 3600:.1f} hours"
