"""Audits a prepared folder for what silently spoils an evaluation: leaks between splits, wrong labels and recordings.

The folder is only read:

    python -m preprocessing.audit prepared --protocol speaker
    python -m preprocessing.audit prepared --protocol loco:ravdess
    python -m preprocessing.audit prepared --protocol paper --output audit.json --fail_on identical_audio same_sound
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

import joblib
import numpy as np
import pandas as pd
from datasets import Dataset, DatasetDict, concatenate_datasets

from common.text_tables import format_table

from ..prepared.load import count_in_no_split, load_prepared
from ..prepared.split_files import load_protocol
from .checks import (
    DEFAULT_THRESHOLDS,
    MAX_EXAMPLES,
    Check,
    Thresholds,
    check_clipped,
    check_gender_pitch,
    check_identical,
    check_imbalance,
    check_repeated,
    check_same_sound,
    check_shared,
    check_silent,
)
from .signal_quality import measure_signal_quality

SPEAKER_DISJOINT = frozenset({"speaker"})  # protocols that promise speaker-disjoint splits
# Kind of finding -> the unit that is counted, and what is wrong with it.
KINDS = {
    "shared_speakers": ("speakers", "in more than one split"),
    "shared_sentences": ("sentences", "in more than one split"),
    "identical_audio": ("clips", "stored, byte for byte, in another split too"),
    "repeated_audio": ("clips", "stored, byte for byte, under another name in the same split"),
    "same_sound": ("clips", "in another split too, at another rate, level or offset or from another codec"),
    "imbalance": ("classes", "far below an even share of their corpus"),
    "clipped": ("clips", "too loud for their recording: the peaks are cut off"),
    "silent": ("clips", "without speech: hardly any level"),
    "gender_pitch": ("voices", "whose calm clips have a pitch that contradicts their gender label"),
}
_COLUMNS = ["id", "corpus", "speaker", "sentence", "gender", "emotion", "f0_mean"]
_MEASURED = ["digest", "level_dbfs", "plateaus", "loud_runs"]


def audit(
    folder: str | os.PathLike[str],
    protocol: str,
    *,
    num_proc: int | None = None,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> dict[str, Any]:
    """Finds leaks between the splits of a prepared folder, and clips that contradict their labels.

    Every clip is decoded once, and a few numbers are kept of each.

    Args:
        folder: a prepared folder; nothing is written to it.
        protocol: name of a file in its `splits`, for a family with the corpus: `loco:ravdess`; or a computed one,
            such as `folds:5/1`. In a fold, and where a corpus is left out for the test, only leaks of the test count:
            train and validation count as one split.
        num_proc: worker processes, all cores by default.
        thresholds: where a finding begins.

    Returns:
        What JSON can hold: `folder`, `protocol`, `clips` (split -> number), `in_no_split` (number of clips, which
        are not checked), `one_split` (splits that count as one), `thresholds`, `num_checked` (kind of `KINDS` ->
        number of clips that have what the check needs) and `findings`: kind -> `severity`, `count`, `of`, `corpora`
        (name -> `count` and `of`) and at most `MAX_EXAMPLES` `examples` (`why` and `clips`). `severity` is `error`
        where audio is in two splits, or a speaker whom the protocol promises to keep apart, else `warning`. A kind
        without a finding is absent.

    Raises:
        ValueError: the folder is not a prepared folder, or lacks the protocol.
    """
    splits = load_prepared(folder, protocol)
    content = load_protocol(folder, protocol)
    # In folds, validation may share speakers with the training where few remain; only the test is kept apart.
    is_fold = content.get("fold") is not None
    one_split = ["train", "validation"] if is_fold or content.get("corpus_rule") == "left out" else []
    table = concatenate_datasets(list(splits.values()))
    measured = measure_signal_quality(table, num_proc or joblib.cpu_count())
    clips = _clip_table(splits, table, measured, one_split)
    fingerprints = measured.with_format("numpy")["fingerprint"][:]
    checks = _run_checks(clips, fingerprints, table, thresholds)
    errors = {
        "identical_audio",
        "same_sound",
        *(["shared_speakers"] if is_fold or protocol in SPEAKER_DISJOINT else []),
    }
    return {
        "folder": str(folder),
        "protocol": protocol,
        "clips": {name: len(split) for name, split in splits.items()},
        "in_no_split": count_in_no_split(folder, splits),
        "one_split": one_split,
        "thresholds": asdict(thresholds),
        "num_checked": {kind: check.num_checked for kind, check in checks.items()},
        "findings": {
            kind: {"severity": "error" if kind in errors else "warning", **_summarize(check)}
            for kind, check in checks.items()
            if check.units["flagged"].any()
        },
    }


def _clip_table(splits: DatasetDict, table: Dataset, measured: Dataset, one_split: Sequence[str]) -> pd.DataFrame:
    """The columns that the checks use; those of `one_split` are named as one split."""
    # Column by column: a table of many parts at once becomes pandas columns of as many pieces, slow and large.
    columns = {name: table[name][:] for name in _COLUMNS} | {name: measured[name][:] for name in _MEASURED}
    clips = pd.DataFrame(columns).astype({"f0_mean": float})
    names = [" or ".join(one_split) if name in one_split else name for name in splits]
    split_of_clip = np.repeat(names, [len(split) for split in splits.values()])
    return clips.assign(split=pd.Categorical(split_of_clip, list(dict.fromkeys(names))))


def _run_checks(
    clips: pd.DataFrame, fingerprints: np.ndarray, table: Dataset, thresholds: Thresholds
) -> dict[str, Check]:
    return {
        "shared_speakers": check_shared(clips, "speaker"),
        "shared_sentences": check_shared(clips, "sentence"),
        "identical_audio": check_identical(clips),
        "repeated_audio": check_repeated(clips),
        "same_sound": check_same_sound(clips, fingerprints, table, thresholds),
        "imbalance": check_imbalance(clips, thresholds),
        "clipped": check_clipped(clips, thresholds),
        "silent": check_silent(clips, thresholds),
        "gender_pitch": check_gender_pitch(clips, thresholds),
    }


def format_audit(report: Mapping[str, Any]) -> str:
    """An audit as text."""
    total = sum(report["clips"].values())
    sizes = ", ".join(f"{count:,} {split}" for split, count in report["clips"].items())
    lines = [f"{report['folder']}, protocol {report['protocol']}: {total:,} clips ({sizes})"]
    if report["in_no_split"]:
        lines.append(f"Not checked: {report['in_no_split']:,} clips that this protocol puts in no split.")
    if report["one_split"]:
        lines.append(f"Counted as one split: {' and '.join(report['one_split'])}.")
    for kind, finding in report["findings"].items():
        lines += ["", *_finding_lines(kind, finding)]
    clean = [kind for kind in KINDS if kind not in report["findings"]]
    lines += ["", f"Checked without a finding: {', '.join(clean)}."] if clean else [""]
    lines += [
        f"Not checked for {kind}: {total - count:,} clips that lack what the check needs."
        for kind, count in report["num_checked"].items()
        if count < total
    ]
    return "\n".join(lines)


def _finding_lines(kind: str, finding: Mapping[str, Any]) -> list[str]:
    unit, problem = KINDS[kind]
    corpora = [(name, f"{part['count']:,}", f"{part['of']:,}") for name, part in finding["corpora"].items()]
    examples = [f"  - {example['why']}" for example in finding["examples"]]
    return [
        f"{finding['severity'].upper()} {kind}: {finding['count']:,} of {finding['of']:,} {unit}, {problem}",
        textwrap.indent(format_table(corpora, ("corpus", "found", f"{unit} checked"), "lrr"), "  "),
        *examples,
        *(["  - …"] if len(examples) == MAX_EXAMPLES else []),
    ]


def _summarize(check: Check) -> dict[str, Any]:
    """The counts of a finding, total and by corpus, and its first examples."""
    by_corpus = check.units.groupby("corpus")["flagged"].agg(["sum", "size"])
    return {
        "count": int(check.units["flagged"].sum()),
        "of": len(check.units),
        "corpora": {
            name: {"count": int(count), "of": int(of)} for name, count, of in by_corpus.itertuples() if count > 0
        },
        "examples": [example._asdict() for example in islice(check.examples, MAX_EXAMPLES)],
    }
