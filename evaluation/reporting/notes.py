"""What is missing from the figures of a report, and what limits them, as sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence


def collect_notes(names: Sequence[str], reports: Sequence[Mapping]) -> list[str]:
    """The sentences on each model; one that holds for all of them names none.

    Args:
        names: of the rows.
        reports: their `metrics.json`.
    """
    notes: dict[str, list[str]] = defaultdict(list)
    for name, report in zip(names, reports, strict=True):
        for note in _missing(report):
            notes[note].append(f"{name} ({report['protocol']['protocol']})")
    rows = {note: ", ".join(dict.fromkeys(who)) for note, who in notes.items()}  # seeds of one row share its name
    return [note if len(who) == len(reports) else f"{rows[note]}: {note}" for note, who in notes.items()]


def _missing(report: Mapping) -> Iterator[str]:
    if report["pretrained"] is False:
        yield "the network started from random weights, whereas the paper's are pre-trained"
    for what, absent in report["without_clips"].items():
        if absent:
            folds = "; the protocols folds:K test every clip of them" if _is_by_speaker(report) else ""
            yield f"{what} of the data without a clip in this split: {', '.join(absent)}{folds}"
    if foreign := report.get("num_foreign_ids"):
        yield f"{foreign:,} ids of {report['checkpoint']} belong to no clip of the data"
    yield from _about_intervals(report["tasks"][report["main_task"]])
    for corpus, classes in report["merged_labels"].items():
        for label, authors_labels in classes.items():
            listed = ", ".join(f"{count:,} {name}" for name, count in authors_labels.items())
            yield f"the clips labeled {label} of {corpus} have the authors' labels {listed}"
    if report["heads_without_labels"]:
        yield f"the data have no column for {', '.join(report['heads_without_labels'])}"
    for head, task in report["tasks"].items():
        yield from _about_head(head, task)


def _is_by_speaker(report: Mapping) -> bool:
    """Whether corpora of few speakers have no test clips, as speakers cannot be divided into three splits."""
    return report["protocol"]["protocol"] == "speaker"


def _about_head(head: str, task: Mapping) -> Iterator[str]:
    if not task["clips"]:
        yield f"no clip of this split has a label for {head}"
    elif task["kind"] == "classification":
        if "distribution" in task:
            yield from _about_votes(head, task["distribution"])
        if "calibration" in task and task["calibration"]["at_bound"]:
            fitted = f"{task['calibration']['temperature']:.3g}"
            yield f"the temperature of {head} ({fitted}) is at the limit of the fit: its scores are not calibrated"
        if task["labels_without_clips"]:
            yield f"no clip of this split has the {head} {', '.join(task['labels_without_clips'])}"
        for label, count in task["unknown_labels"].items():
            yield f"{count} clips have the {head} {label}, which the model was not trained on; each counts as an error"


def _about_votes(head: str, distribution: Mapping) -> Iterator[str]:
    """Which clips only one kind of metrics of soft labels counts."""
    if count := distribution["clips_without_votes"]:
        yield f"{count:,} clips have a label for {head}, but no votes: the distance from the votes omits them"
    if count := distribution["clips_without_majority"]:
        yield f"{count:,} clips have no majority of votes for {head}: only the distance from the votes counts them"


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
