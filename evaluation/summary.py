"""Evaluated checkpoints -> one report for people: report.md, report.json and figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from preprocessing.report import write_json

from .bootstrap import mean_draws
from .comparison import SCORES, Column, compare_columns
from .figures import draw_figures
from .markdown import format_markdown
from .metrics import mean_over_corpora
from .paper import SINGLE_TASK
from .report import Evaluation


def write_summary(evaluations: Sequence[Evaluation], output: Path) -> str:
    """Writes `report.md`, `report.json` and `figures/` for one or many checkpoints.

    Checkpoints that differ in nothing but the corpus left out (`loco`) are one model to the tables; those that differ
    in the corpus trained on (`cross`) are a matrix.

    Args:
        evaluations: on the same split.
        output: folder to write to.

    Returns:
        The Markdown.

    Raises:
        ValueError: the main tasks differ.
    """
    summary = summarise(evaluations)
    summary["figures"] = draw_figures(summary, output / "figures")
    text = format_markdown(summary)
    write_json(output / "report.json", summary)
    (output / "report.md").write_text(text, encoding="utf-8")
    return text


def summarise(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """All that a report says, as data."""
    reports = [evaluation.report for evaluation in evaluations]
    main_task, *others = dict.fromkeys(report["main_task"] for report in reports)
    if others:
        raise ValueError(f"Checkpoints with the main tasks {main_task}, {', '.join(others)}: evaluate them apart.")
    names = _distinct_names(reports)
    models: dict[tuple[str, str], list[Evaluation]] = defaultdict(list)
    for name, evaluation in zip(names, evaluations, strict=True):
        models[name, evaluation.report["protocol"]["family"]].append(evaluation)
    is_classification = evaluations[0].main["kind"] == "classification"
    tables, cross = None, []
    if is_classification:
        columns = [_column(*key, members) for key, members in models.items() if key[1] != "cross"]
        tables = compare_columns([column for column in columns if column]) if any(columns) else None
        cross = [_matrix(name, members) for (name, family), members in models.items() if family == "cross"]
    return {
        "split": reports[0]["split"],
        "main_task": main_task,
        "is_classification": is_classification,
        "single_task": SINGLE_TASK,
        "models": [_model(i, *both) for i, both in enumerate(zip(names, reports, strict=True), start=1)],
        "protocols": {report["protocol"]["protocol"]: report["protocol"] for report in reports},
        "tables": tables,
        "cross": cross,
        "notes": _notes(names, reports),
    }


def _distinct_names(reports: Sequence[Mapping]) -> list[str]:
    """The rows' names, with the checkpoint where a name occurs twice under a protocol."""
    keys = [(report["row"], report["protocol"]["protocol"]) for report in reports]
    twice = {key for key, count in Counter(keys).items() if count > 1}
    return [
        f"{report['row']} ({report['checkpoint']})" if key in twice else report["row"]
        for key, report in zip(keys, reports, strict=True)
    ]


def _model(number: int, name: str, report: Mapping) -> dict[str, Any]:
    return {
        "number": number,
        "name": name,
        "checkpoint": report["checkpoint"],
        "protocol": report["protocol"]["protocol"],
        "clips": report["clips"],
        "heard": report["clips_heard_in_training"],
        "tasks": report["tasks"],
    }


def _column(name: str, family: str, members: Sequence[Evaluation]) -> Column | None:
    """A model's column, of several checkpoints where each was tested on another corpus; none without labelled clips."""
    members = [member for member in members if member.main["clips"]]
    if not members:
        return None
    if len(members) == 1:
        (only,) = members
        protocol, main = only.report["protocol"]["protocol"], only.main
        parts = {"mean": main["mean_over_corpora"], "corpora": main["corpora"], "locales": main["locales"]}
        return Column(
            name=name, protocol=protocol, **parts, confusion=main["confusion"], draws=only.draws, clips=only.clips
        )
    corpora = {corpus: scores for member in members for corpus, scores in member.main["corpora"].items()}
    # Each was tested on one corpus, and its mean over corpora is that corpus.
    drawn = {corpus: member.draws for member in members for corpus in member.main["corpora"]}
    of_locale: dict[str, dict[str, Mapping]] = defaultdict(dict)
    for member in members:
        for locale, scores in member.main["locales"].items():
            of_locale[locale] |= dict.fromkeys(scores["corpora"], scores)
    return Column(
        name=name,
        protocol=family,
        mean=mean_over_corpora(corpora, drawn),
        corpora=corpora,
        locales={locale: mean_over_corpora(scores, {}) for locale, scores in sorted(of_locale.items())},
        confusion=_sum_confusions([member.main["confusion"] for member in members]),
        draws={score: mean_draws([draws[score] for draws in drawn.values()]) for score in SCORES},
        clips=frozenset().union(*(member.clips for member in members)),
    )


def _sum_confusions(confusions: Sequence[Mapping]) -> dict[str, Any]:
    labels = list(dict.fromkeys(label for confusion in confusions for label in confusion["labels"]))
    total = np.zeros((len(labels), len(labels)), dtype=int)
    for confusion in confusions:
        places = [labels.index(label) for label in confusion["labels"]]
        total[np.ix_(places, places)] += np.array(confusion["counts"])
    return {"labels": labels, "counts": total.tolist()}


def _matrix(name: str, members: Sequence[Evaluation]) -> dict[str, Any]:
    """Weighted F1 by the corpus trained on and the corpus tested on."""
    by_corpus = {member.report["protocol"]["corpus"]: member.main["corpora"] for member in members}
    tested_on = list(dict.fromkeys(corpus for scores in by_corpus.values() for corpus in scores))
    order = [*tested_on, *by_corpus]
    trained_on = sorted(by_corpus, key=order.index)
    scores = [[by_corpus[corpus].get(other, {}).get("weighted_f1") for other in tested_on] for corpus in trained_on]
    return {"name": name, "trained_on": trained_on, "tested_on": tested_on, "weighted_f1": scores}


def _notes(names: Sequence[str], reports: Sequence[Mapping]) -> list[str]:
    """What a reader would otherwise take for a zero, or not miss."""
    notes: dict[str, list[str]] = defaultdict(list)
    for name, report in zip(names, reports, strict=True):
        for note in _missing(report):
            notes[note].append(f"{name} ({report['protocol']['protocol']})")
    return [note if len(who) == len(reports) else f"{', '.join(who)}: {note}" for note, who in notes.items()]


def _missing(report: Mapping) -> Iterator[str]:
    for what, absent in report["without_clips"].items():
        if absent:
            yield f"{what} of the data without a clip in this split: {', '.join(absent)}"
    if report["heads_without_labels"]:
        yield f"the data have no column for {', '.join(report['heads_without_labels'])}"
    for head, task in report["tasks"].items():
        if not task["clips"]:
            yield f"no clip of this split has a label for {head}"
        elif task["kind"] == "classification":
            if task["labels_without_clips"]:
                yield f"no clip of this split has the {head} {', '.join(task['labels_without_clips'])}"
            for label, count in task["unknown_labels"].items():
                yield (f"{count} clips have the {head} {label}, which the model was not trained on: each an error")
