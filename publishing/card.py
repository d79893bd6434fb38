"""The model card: `model_card.md`, filled from the files of a checkpoint. No model is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from .escape import plain
from .license import NOT_STATED, backbone, most_restrictive
from .metadata import card_data

ROOT = Path(__file__).resolve().parent.parent  # the project runs from a clone
TEMPLATE = "model_card.md"
# By model_type.
_ARCHITECTURES = {
    "wav2vec2_multitask_ser": "a wav2vec 2.0 encoder, the mean of its frames over time, and one linear head per task "
    "(Sharma 2022)",
    "wav2vec2_layer_sum_multitask_ser": "a frozen wav2vec 2.0 encoder whose layers are summed with learned weights, "
    "two dense layers, the mean over time (Pepino et al. 2021), and one linear head per task",
    "panns_multitask_ser": "CNN14 on a log-mel spectrogram (Kong et al. 2020), and one linear head per task",
}
# By kind of a task: what the tables of results show, under which name.
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
    """The card as Markdown, with the metadata that the Hub reads at its head.

    Args:
        metrics: `metrics.json`.
        training: `training.json`.
        config: `config.json`.
        repo_id: of the repository, which the example loads.
        figures: those of [`shown_figures`] that the repository has.

    Raises:
        jinja2.UndefinedError, KeyError: the files lack something that the card says.
    """
    head, architecture = metrics, _ARCHITECTURES[config["model_type"]]  # the head is YAML, which is written as such
    metrics, training, config = plain(metrics), plain(training), plain(config)
    main = metrics["tasks"][metrics["main_task"]]
    history = list(_history(training))
    data = [entry for facts in history for entry in _data(facts)]
    license = most_restrictive(data)
    base_model = next((facts["base_model"] for facts in history if facts["start"] == "hub"), None)
    locales = sorted({locale for facts in history for locale in facts["locales"]})
    text = _template().render(
        card_data=card_data(head, locales, config, repo_id, license, base_model).to_yaml().strip(),
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
        architecture=architecture,
        figures=figures,
        figure_names=shown_figures(metrics["main_task"]),
    )
    paragraphs = [paragraph.strip("\n") for paragraph in text.split("\n\n")]
    return str(ModelCard("\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"))


def shown_figures(main_task: str) -> dict[str, str]:
    """The figures that a card shows, by what they show: names in the folder `figures` of a checkpoint."""
    return {"confusion": "confusion.png", "calibration": f"calibration_{main_task}.png"}


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(ROOT),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {"number": _number, "score": _score, "interval": _interval, "time": _time}
    return environment.get_template(TEMPLATE)


def _history(training: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The facts of a training, and of those before it that led to the checkpoint it started from."""
    facts: Mapping[str, Any] | None = training
    while facts is not None:
        yield facts
        facts = facts["before"]


def _data(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The corpora of a training, and the weights that it started from, unless their own facts are known."""
    if facts["start"] == "random weights" or facts["before"] is not None:
        return facts["data"]
    if facts["base_model"] is not None:
        return [*facts["data"], backbone(facts["base_model"])]
    unknown = dict.fromkeys(("title", "homepage", "commercial", "redistributable", "clips", "hours"))
    return [*facts["data"], {"corpus": "an earlier checkpoint", **unknown, "license": NOT_STATED}]


def _merge(data: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each corpus and license, whose `clips` and `hours` list those of its trainings, the latest first."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in data:
        row = rows.setdefault((entry["corpus"], entry["license"]), {**entry, "clips": [], "hours": []})
        for name in ("clips", "hours"):
            if entry[name] is not None and entry[name] not in row[name]:
                row[name].append(entry[name])
    return list(rows.values())


def _merged_labels(history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Corpus -> class -> the authors' words for its clips in the latest training that had the corpus."""
    merged: dict[str, Any] = {}
    for facts in reversed(history):
        merged |= {entry["corpus"]: {} for entry in facts["data"]} | facts.get("merged_labels", {})
    return {corpus: classes for corpus, classes in sorted(merged.items()) if classes}


def _is_calibrated(metrics: Mapping[str, Any]) -> bool:
    """Whether a temperature was fitted for any head: one that was not is 1."""
    heads = [task for task in metrics["tasks"].values() if task["kind"] == "classification" and task["clips"]]
    return any(head["calibration"]["temperature"] != 1 for head in heads)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _score(row: Mapping[str, Any], name: str) -> str:
    """A metric with its 95 % interval, where it has one."""
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
