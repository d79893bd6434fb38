"""Evaluated checkpoints -> one report for people: report.md, report.json and figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.files import write_json, write_text
from common.outputs import record_outputs

from ..metrics.bootstrap import mean_of_corpora
from ..metrics.compute import ALL
from ..metrics.means import mean_over_corpora
from .column import SCORES, Column
from .comparison import compare_columns, sum_confusions
from .figures import plot_figures
from .markdown import format_markdown
from .metrics_json import Evaluation
from .notes import collect_notes
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
        reference: the checkpoint or row that the others are compared with; by default the first.

    Returns:
        The Markdown.
    """
    return write_report(summarize(evaluations, reference), output)


def write_report(summary: dict[str, Any], output: Path) -> str:
    """Writes the report on a [`summarize`]d evaluation, and returns the Markdown; adds `figures`, their names."""
    record_outputs(output, REPORT_FILES, OWNER)
    summary["figures"] = plot_figures(summary, output / "figures")
    write_json(output / "report.json", summary)
    text = format_markdown(summary)
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
        both = list(zip(reports, names, strict=True))
        named = {report[key]: name for key in ("checkpoint", "model") for report, name in both}
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
        "notes": collect_notes(names, reports),
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
    place = seeds[0]["checkpoint"] if len(seeds) == 1 else seeds[0]["model"]
    name = report["row"] if len(seeds) == len(alike) else f"{report['row']} ({place})"
    return f"{name}, {len(seeds)} seeds" if len(seeds) > 1 else name


def _model(number: int, name: str, report: Mapping) -> dict[str, Any]:
    return {
        "number": number,
        "name": name,
        "checkpoint": report["checkpoint"],
        "model": report["model"],
        "seed": report["seed"],
        "protocol": report["protocol"]["protocol"],
        "family": report["protocol"]["family"],
        "clips": report["clips"],
        "num_clips_seen_in_training": report["num_clips_seen_in_training"],
        "tasks": report["tasks"],
        "baseline": report.get("baseline"),
        "conditions": report.get("conditions"),
    }


def row_metrics(summary: Mapping[str, Any], model: str) -> dict[str, Any]:
    """What a report has of one row of several seeds or folds, for a `metrics.json` of its own.

    Args:
        summary: the content of `report.json`.
        model: folder of the row.

    Returns:
        `model`, `row`, `split`, `protocol`, `main_task`, `checkpoints`; unless it is a regression `mean_over_corpora`,
        `corpora`, `locales` (metrics over all seeds, with their deviation `NAME_sd`), `seeds` and `folds`.
    """
    members = [each for each in summary["models"] if each["model"] == model]
    name, family = members[0]["name"], members[0]["family"]
    found = {
        "model": model,
        "row": name,
        "split": summary["split"],
        "protocol": summary["protocols"][members[0]["protocol"]],
        "main_task": summary["main_task"],
        "checkpoints": [each["checkpoint"] for each in members],
    }
    tables = summary["tables"]
    if not tables:
        return found
    key = (name, family)
    line = next((line for line in tables["table2"] if (line["name"], line["protocol"]) == key), None)
    if line is None:
        return found
    place = [tuple(column) for column in tables["table3"]["columns"]].index(key)
    parts = {
        part: {each["name"]: each["ours"][place] for each in tables[table]["lines"] if each["ours"][place]}
        for part, table in (("corpora", "table3"), ("locales", "table4"))
    }
    return {**found, "mean_over_corpora": line["ours"], **parts, "seeds": line["seeds"], "folds": line["folds"]}


def _column(name: str, family: str, members: Sequence[Evaluation]) -> Column:
    """A model's column; of several checkpoints, where they differ in the corpus tested on, or in the seed."""
    by_seed: dict[int | None, list[Evaluation]] = defaultdict(list)
    for member in members:
        by_seed[member.report["seed"] if _has_seeds(members) else None].append(member)
    parts = {seed: _parts(alike) for seed, alike in by_seed.items()}
    clips = frozenset[str]().union(*(member.clips for member in members))
    resampled_corpora = [part.pop("resampled_corpora") for part in parts.values()]
    named = {"row": members[0].report["row"], "name": name, "protocol": family, "clips": clips}
    folds = [
        {"seed": each.report["seed"], **each.report["over_folds"]} for each in members if "over_folds" in each.report
    ]
    if len(parts) == 1:
        once = members[0].report["seed"] is not None
        return Column(**named, **next(iter(parts.values())), folds=folds, trained_once=once)
    seeds = [
        {
            "seed": seed,
            "checkpoint": ", ".join(member.report["checkpoint"] for member in by_seed[seed]),
            "weighted_f1": part["mean"]["weighted_f1"],
        }
        for seed, part in parts.items()
    ]
    return Column(**named, **mean_over_seeds(list(parts.values()), resampled_corpora), seeds=seeds, folds=folds)


def _has_seeds(members: Sequence[Evaluation]) -> bool:
    """Whether several members are tested on the same corpus, which only seeds of one model are."""
    corpora = [member.report["protocol"]["corpus"] for member in members]
    return len({*corpora}) < len(corpora)


def _parts(members: Sequence[Evaluation]) -> dict[str, Any]:
    """What a column shows of one checkpoint, or of several that were each tested on another corpus."""
    first, *others = members
    if others:
        return _join_corpora(members)
    main = first.main
    return {
        "mean": main["mean_over_corpora"],
        "corpora": main["corpora"],
        "locales": main["locales"],
        "confusion": main["confusion"],
        "resampled": first.resampled_means[ALL],
        "resampled_corpora": first.resampled_corpora,
    }


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
        "resampled_corpora": resampled,
    }


def _matrix(name: str, members: Sequence[Evaluation]) -> dict[str, Any]:
    """Weighted F1 by the corpus trained on and the corpus tested on."""
    by_corpus = {member.report["protocol"]["corpus"]: member.main["corpora"] for member in members}
    tested_on = list(dict.fromkeys(corpus for scores in by_corpus.values() for corpus in scores))
    order = [*tested_on, *by_corpus]
    trained_on = sorted(by_corpus, key=order.index)
    scores = [[by_corpus[corpus].get(other, {}).get("weighted_f1") for other in tested_on] for corpus in trained_on]
    return {"name": name, "trained_on": trained_on, "tested_on": tested_on, "weighted_f1": scores}
