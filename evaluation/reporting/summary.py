"""Evaluated checkpoints -> one report for people: report.md, report.json and figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.files import write_json, write_text
from common.outputs import record_outputs

from ..metrics.bootstrap import mean_of_corpora
from ..metrics.compute import ALL
from ..metrics.means import mean_over_corpora
from .comparison import SCORES, Column, compare_columns, sum_confusions
from .figures import plot_figures
from .markdown import format_markdown
from .metrics_json import Evaluation
from .seeds import mean_over_seeds, seeds_of

OWNER = "evaluate.py"  # of the files that an evaluation writes, also where train.py runs it
REPORT_FILES = ("report.md", "report.json", "figures")  # what is written of all checkpoints together


def write_summary(evaluations: Sequence[Evaluation], output: Path, reference: str | None = None) -> str:
    """Writes `report.md`, `report.json` and `figures/` for one or many checkpoints.

    Checkpoints that differ only in the corpus left out (`loco`), or the seed of their training, are one model in the
    tables; those that differ in the corpus trained on (`cross`) are a matrix.

    Args:
        evaluations: on the same split.
        output: folder to write to.
        reference: the checkpoint that the others are compared with; by default the first.

    Returns:
        The Markdown.
    """
    summary = summarize(evaluations, reference)
    record_outputs(output, REPORT_FILES, OWNER)
    summary["figures"] = plot_figures(summary, output / "figures")
    text = format_markdown(summary)
    write_json(output / "report.json", summary)
    write_text(output / "report.md", text)
    return text


def summarize(evaluations: Sequence[Evaluation], reference: str | None = None) -> dict[str, Any]:
    """The content of a report, as data; arguments as above."""
    reports = [evaluation.report for evaluation in evaluations]
    main_task = reports[0]["main_task"]
    names = _distinct_names(reports)
    models: dict[tuple[str, str], list[Evaluation]] = defaultdict(list)
    for name, evaluation in zip(names, evaluations, strict=True):
        models[name, evaluation.report["protocol"]["family"]].append(evaluation)
    tables, cross = None, []
    is_classification = evaluations[0].main["kind"] == "classification"
    if is_classification:
        labeled = {key: [member for member in members if member.main["clips"]] for key, members in models.items()}
        columns = [_column(*key, members) for key, members in labeled.items() if members and key[1] != "cross"]
        named = dict(zip((report["checkpoint"] for report in reports), names, strict=True))
        tables = compare_columns(columns, named.get(reference)) if columns else None
        cross = [_matrix(name, members) for (name, family), members in labeled.items() if members and family == "cross"]
    return {
        "split": reports[0]["split"],
        "main_task": main_task,
        "is_classification": is_classification,
        "models": [_model(i, *both) for i, both in enumerate(zip(names, reports, strict=True), start=1)],
        "protocols": {report["protocol"]["protocol"]: report["protocol"] for report in reports},
        "tables": tables,
        "cross": cross,
        "notes": _notes(names, reports),
    }


def _distinct_names(reports: Sequence[Mapping]) -> list[str]:
    """The rows' names, with the checkpoint where two of a name were evaluated under one protocol.

    Seeds of one training share a name, which includes their number.
    """
    keys = [(report["row"], report["protocol"]["family"], report["protocol"]["corpus"]) for report in reports]
    alike = {key: [report for other, report in zip(keys, reports, strict=True) if other == key] for key in keys}
    return [_name(report, alike[key]) for key, report in zip(keys, reports, strict=True)]


def _name(report: Mapping, alike: Sequence[Mapping]) -> str:
    seeds = seeds_of(report, alike)
    name = report["row"] if len(seeds) == len(alike) else f"{report['row']} ({seeds[0]['checkpoint']})"
    return f"{name}, {len(seeds)} seeds" if len(seeds) > 1 else name


def _model(number: int, name: str, report: Mapping) -> dict[str, Any]:
    return {
        "number": number,
        "name": name,
        "checkpoint": report["checkpoint"],
        "seed": report["seed"],
        "protocol": report["protocol"]["protocol"],
        "clips": report["clips"],
        "num_clips_seen_in_training": report["num_clips_seen_in_training"],
        "tasks": report["tasks"],
        "baseline": report.get("baseline"),
        "conditions": report.get("conditions"),
    }


def _column(name: str, family: str, members: Sequence[Evaluation]) -> Column:
    """A model's column; of several checkpoints, where they differ in the corpus tested on, or in the seed."""
    first, *others = members
    named = {"row": first.report["row"], "name": name, "protocol": family}
    if not others:
        main = first.main
        parts = {"mean": main["mean_over_corpora"], "corpora": main["corpora"], "locales": main["locales"]}
        resampled = first.resampled_means[ALL]
        return Column(**named, **parts, confusion=main["confusion"], resampled=resampled, clips=first.clips)
    if first.report["protocol"]["corpus"] is None:
        return Column(**named, **mean_over_seeds(members), clips=first.clips)
    return Column(**named, **_join_corpora(members))


def _join_corpora(members: Sequence[Evaluation]) -> dict[str, Any]:
    """What a column shows of several checkpoints that were each tested on the corpus that it was not trained on."""
    corpora = {corpus: scores for member in members for corpus, scores in member.main["corpora"].items()}
    # Each was tested on one corpus: its mean over corpora, and that over a locale's, are that corpus.
    resampled = {corpus: member.resampled_means[ALL] for member in members for corpus in member.main["corpora"]}
    locales = {}
    for locale in sorted({name for member in members for name in member.main["locales"]}):
        having = [member for member in members if locale in member.main["locales"]]
        locales[locale] = mean_over_corpora(
            {corpus: member.main["locales"][locale] for member in having for corpus in member.main["corpora"]},
            {corpus: member.resampled_means[locale] for member in having for corpus in member.main["corpora"]},
        )
    return {
        "mean": mean_over_corpora(corpora, resampled),
        "corpora": corpora,
        "locales": locales,
        "confusion": sum_confusions([member.main["confusion"] for member in members]),
        "resampled": {score: mean_of_corpora([means[score] for means in resampled.values()]) for score in SCORES},
        "clips": frozenset[str]().union(*(member.clips for member in members)),
    }


def _matrix(name: str, members: Sequence[Evaluation]) -> dict[str, Any]:
    """Weighted F1 by the corpus trained on and the corpus tested on."""
    by_corpus = {member.report["protocol"]["corpus"]: member.main["corpora"] for member in members}
    tested_on = list(dict.fromkeys(corpus for scores in by_corpus.values() for corpus in scores))
    order = [*tested_on, *by_corpus]
    trained_on = sorted(by_corpus, key=order.index)
    scores = [[by_corpus[corpus].get(other, {}).get("weighted_f1") for other in tested_on] for corpus in trained_on]
    return {"name": name, "trained_on": trained_on, "tested_on": tested_on, "weighted_f1": scores}


def _notes(names: Sequence[str], reports: Sequence[Mapping]) -> list[str]:
    """What is missing from the figures of each model, and what limits them."""
    notes: dict[str, list[str]] = defaultdict(list)
    for name, report in zip(names, reports, strict=True):
        for note in _missing(report):
            notes[note].append(f"{name} ({report['protocol']['protocol']})")
    return [note if len(who) == len(reports) else f"{', '.join(who)}: {note}" for note, who in notes.items()]


def _missing(report: Mapping) -> Iterator[str]:
    for what, absent in report["without_clips"].items():
        if absent:
            yield f"{what} of the data without a clip in this split: {', '.join(absent)}"
    yield from _about_intervals(report["tasks"][report["main_task"]])
    for corpus, classes in report["merged_labels"].items():
        for label, authors_labels in classes.items():
            listed = ", ".join(f"{count:,} {name}" for name, count in authors_labels.items())
            yield f"the clips labeled {label} of {corpus} have the authors' labels {listed}"
    if report["heads_without_labels"]:
        yield f"the data have no column for {', '.join(report['heads_without_labels'])}"
    for head, task in report["tasks"].items():
        yield from _about_head(head, task)


def _about_head(head: str, task: Mapping) -> Iterator[str]:
    if not task["clips"]:
        yield f"no clip of this split has a label for {head}"
    elif task["kind"] == "classification":
        if task["calibration"]["at_bound"]:
            fitted = f"{task['calibration']['temperature']:.3g}"
            yield f"the temperature of {head} ({fitted}) is at the limit of the fit: its scores are not calibrated"
        if task["labels_without_clips"]:
            yield f"no clip of this split has the {head} {', '.join(task['labels_without_clips'])}"
        for label, count in task["unknown_labels"].items():
            yield f"{count} clips have the {head} {label}, which the model was not trained on; each counts as an error"


def _about_intervals(main: Mapping) -> Iterator[str]:
    """What the intervals of the main task do not cover."""
    corpora = main.get("corpora", {})
    unknown = [name for name, row in corpora.items() if row["speakers"] is None]
    if unknown:
        yield (
            f"the speakers of {', '.join(unknown)} are unknown: each clip counts as a speaker of its own, so that the "
            "intervals are too narrow where few people speak"
        )
    alone = [name for name, row in corpora.items() if "ci_reason" in row]
    if alone and "ci_reason" not in main["mean_over_corpora"]:
        yield (
            f"the interval of the mean over corpora does not cover the variation between speakers of "
            f"{', '.join(alone)}, which have too few clips or speakers for an interval"
        )
