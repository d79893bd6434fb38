"""EmoBox's published folds (Ma et al. 2024, Interspeech; github.com/emo-box/EmoBox) -> a protocol of a prepared folder.

Its folder `data` has, for each corpus and fold, a list of clips for each split, as JSON lines:

    data/meld/fold_1/meld_train_fold_1.jsonl    meld_test_fold_1.jsonl, and for few corpora meld_valid_fold_1.jsonl
    {"key": "savee-JE-n23", "dataset": "savee", "wav": "downloads/savee/JE_n23.wav", "emo": "n", …}

A clip is found by the end of its path, in which `/` and `_` are the same: releases differ in their folders.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.text_files import read_text

from .folds import divide_rest
from .protocols import Row, by_corpus, generator

PROTOCOL = "emobox"
# The names of corpora that differ from ours.
_FOLDERS = {"enterface05": "enterface", "esd_en": "esd", "esd_zh": "esd", "jl": "jlcorpus", "oreau02": "oreau"}
_SPLITS = {"train": "train", "valid": "validation", "test": "test"}


def emobox_protocol(rows: Sequence[Row], data: Path, seed: int) -> dict[str, Any]:
    """The content of `splits/emobox.json`: of each clip its split in every fold.

    A clip that EmoBox does not list, and a corpus in the folds that it does not have, are in no split. Where EmoBox has
    no validation split, it is taken from the training clips as in our own folds.

    Args:
        rows: all clips of the prepared folder.
        data: EmoBox's folder `data`.
        seed: of the choice of validation clips.

    Raises:
        ValueError: the folder has folds of none of the corpora, or a file has another form.
    """
    folds = {corpus: _read_folds(data, _FOLDERS.get(corpus, corpus)) for corpus in by_corpus(rows)}
    count = max((len(found) for found in folds.values()), default=0)
    if not count:
        raise ValueError(f"--emobox {data}: it has fold_1, fold_2, … of none of the corpora {', '.join(folds)}.")
    clips: dict[str, list[str | None]] = {}
    notes = []
    for corpus, members in by_corpus(rows).items():
        splits, corpus_notes = _divide(members, folds[corpus], seed)
        clips |= {id_: [*found, *[None] * (count - len(found))] for id_, found in splits.items()}
        notes += [f"{corpus}: {note}" for note in corpus_notes]
    return {
        "protocol": PROTOCOL,
        "description": "the folds that EmoBox publishes (Ma et al. 2024), each corpus in as many as it has there",
        "seed": seed,
        "notes": notes,
        "clips": clips,
    }


def _read_folds(data: Path, name: str) -> list[dict[str, str]]:
    """For each fold of a corpus: path of a clip -> split."""
    folds: list[dict[str, str]] = []
    while (folder := data / name / f"fold_{len(folds) + 1}").is_dir():
        number = len(folds) + 1
        split_of: dict[str, str] = {}
        for part, split in _SPLITS.items():  # the test comes last: a clip that is also in training stays in the test
            path = folder / f"{name}_{part}_fold_{number}.jsonl"
            if path.is_file():
                split_of |= dict.fromkeys(_read_paths(path), split)
        if "test" not in split_of.values():
            raise ValueError(f"--emobox: {folder} has no {name}_test_fold_{number}.jsonl with clips.")
        folds.append(split_of)
    return folds


def _read_paths(path: Path) -> list[str]:
    try:
        return [str(json.loads(line)["wav"]) for line in read_text(path).splitlines() if line.strip()]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"--emobox: {path} is not a file of JSON lines with `wav`: {error}.") from error


def _divide(rows: Sequence[Row], folds: Sequence[Mapping[str, str]], seed: int) -> tuple[dict[str, Any], list[str]]:
    """The splits of each clip of a corpus, in every fold that EmoBox has of it, and notes."""
    splits: dict[str, list[str | None]] = {row.id: [] for row in rows}
    notes: Counter[str] = Counter()
    for number, fold in enumerate(folds, start=1):
        found = match_paths([row.id for row in rows], fold)
        split_of = {id_: fold[path] for id_, path in found.items()}
        if "validation" not in split_of.values():
            training = [row for row in rows if split_of.get(row.id) == "train"]
            split_of |= divide_rest(training, generator(seed, f"{rows[0].corpus}/{number}"))[0]
            notes["validation is taken from EmoBox's training clips"] += 1
        for row in rows:
            splits[row.id].append(split_of.get(row.id))
        if missing := len(fold) - len(found):
            notes[f"{missing:,} clips of EmoBox are not in this folder"] += 1
        if others := len(rows) - len(found):
            notes[f"{others:,} clips are not in EmoBox, and in no split"] += 1
    if not folds:
        notes["EmoBox has no folds of it: its clips are in no split"] += 1
    repeated = Counter(id_ for id_, found in splits.items() if found.count("test") > 1)
    if repeated:
        raise ValueError(f"--emobox: {len(repeated):,} clips of {rows[0].corpus} are tested in several folds.")
    return splits, list(notes)


def match_paths(ids: Iterable[str], paths: Iterable[str]) -> dict[str, str]:
    """Id of a clip -> the path with the longest common end; without those where it is not clear which."""
    by_name: dict[str, list[tuple[list[str], str]]] = defaultdict(list)
    for path in paths:
        parts = _parts(path)
        by_name[parts[0]].append((parts, path))
    found = {}
    for id_ in ids:
        parts = _parts(id_)
        scored = sorted(((_common(parts, other), path) for other, path in by_name[parts[0]]), reverse=True)
        if scored and (len(scored) == 1 or scored[0][0] > scored[1][0]):
            found[id_] = scored[0][1]
    taken = Counter(found.values())
    return {id_: path for id_, path in found.items() if taken[path] == 1}


def _parts(path: str) -> list[str]:
    """The parts of a path from its end."""
    return re.split(r"[/_]", path.lower())[::-1]


def _common(parts: Sequence[str], others: Sequence[str]) -> int:
    count = 0
    for mine, other in zip(parts, others, strict=False):
        if mine != other:
            break
        count += 1
    return count
