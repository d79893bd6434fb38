"""Folds: every clip of every corpus is tested once, by a model whose training has no clip of its speaker.

A corpus is divided by groups of clips that must stay together: its speakers, or its sessions. A corpus with fewer
groups than there are folds has its test clips in the first folds, and is wholly in the training of the others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from .protocols import Row, by_corpus, divide_speakers, generator, stratified

CUSTOMARY_SPEAKERS, CUSTOMARY_FOLDS = 10, 5  # up to so many speakers, each is a fold; above, there are so many folds
MIN_FOR_VALIDATION = 10  # speakers that remain for training: of each ten, one is for validation
_VALIDATION = 0.1  # share of the clips that remain, where there are fewer speakers
_RULES = {
    "speaker": "leave one speaker out, in each corpus",
    "session": "leave one session out, in each corpus",
    "customary": "folds as is customary: the sessions of a corpus, where it has them; its speakers, where there are "
    f"at most {CUSTOMARY_SPEAKERS}; else {CUSTOMARY_FOLDS} folds of speakers",
}


def describe_folds(by: str) -> str:
    """A sentence about the folds, which accompanies every figure."""
    rule = _RULES.get(by, f"{by} folds of speakers in each corpus, balanced by number of clips")
    return f"{rule}: every clip is tested once, by a model whose training has no clip of its speaker"


def assign_folds(rows: Sequence[Row], by: str, seed: int) -> tuple[dict[str, int], list[str]]:
    """The fold in whose test each clip is.

    Args:
        rows: all clips.
        by: a number of folds of speakers; or `speaker`, `session` or `customary`.
        seed: of the choice among equally balanced folds; it does not depend on the other corpora.

    Returns:
        Clip id -> fold, from 1; and notes on the corpora.

    Raises:
        ValueError: `by` has another form, a corpus has no sessions, or a fold would have no test clips.
    """
    folds: dict[str, int] = {}
    notes = []
    wanted = _number_of_folds(by)
    for corpus, members in by_corpus(rows).items():
        groups, what = _groups(members, by)
        sizes = Counter(groups)
        count = wanted or len(sizes)
        if by == "customary" and what == "speakers" and len(sizes) > CUSTOMARY_SPEAKERS:
            count = CUSTOMARY_FOLDS
        fold_of = _balanced(sizes, _genders(groups, members), count, generator(seed, corpus))
        folds |= {row.id: fold_of[group] for row, group in zip(members, groups, strict=True)}
        notes.append(_note(corpus, what, sizes, max(fold_of.values())))
    if wanted and max(folds.values()) < wanted:
        raise ValueError(
            f"Protocol folds:{by} needs a corpus of at least {by} speakers; the largest number here is "
            f"{max(folds.values())}."
        )
    return folds, notes


def _number_of_folds(by: str) -> int | None:
    """The number in `folds:NUMBER`, `None` for the other forms."""
    if by in _RULES:
        return None
    if by.isascii() and by.isdigit() and int(by) >= 2:
        return int(by)
    raise ValueError(
        f"folds:{by} is not a valid protocol: expected folds:K with a number of folds of at least 2, or "
        f"{', '.join(f'folds:{rule}' for rule in _RULES)}."
    )


def _groups(rows: Sequence[Row], by: str) -> tuple[list[str], str]:
    """The group of each clip of a corpus, and what the groups are."""
    sessions = [row.session for row in rows if row.session is not None]
    if by in ("session", "customary") and len(sessions) == len(rows):
        return sessions, "sessions"
    if by == "session":
        raise ValueError(
            f"Protocol folds:session: {len(rows) - len(sessions):,} clips of {rows[0].corpus} have no session. Use "
            "folds:customary, which takes the speakers of such a corpus."
        )
    speakers = [row.speaker for row in rows if row.speaker is not None]
    if len(speakers) == len(rows):
        return speakers, "speakers"
    return [""] * len(rows), "unknown speakers"  # any two clips may be of the same speaker


def _genders(groups: Sequence[str], rows: Sequence[Row]) -> dict[str, str]:
    return {group: str(row.gender) for group, row in zip(groups, rows, strict=True)}


def _balanced(
    sizes: Mapping[str, int], gender: Mapping[str, str], count: int, random: np.random.Generator
) -> dict[str, int]:
    """The fold of each group: the largest group first, into the fold with the fewest clips, of them that of its gender.

    No fold exceeds the largest of the best division by more than a third (Graham 1969).
    """
    shuffled = [sorted(sizes)[i] for i in random.permutation(len(sizes))]
    clips = np.zeros(count, dtype=int)
    of_gender: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(count, dtype=int))
    folds = {}
    for group in sorted(shuffled, key=lambda group: -sizes[group]):
        alike = of_gender[gender[group]]
        fold = int(np.lexsort((alike, clips))[0])
        clips[fold] += sizes[group]
        alike[fold] += sizes[group]
        folds[group] = fold + 1
    return folds


def _note(corpus: str, what: str, sizes: Mapping[str, int], last: int) -> str:
    if len(sizes) == 1:
        one = "not all speakers are known" if what == "unknown speakers" else f"it has one {what[:-1]}"
        return f"{corpus}: {one}: tested in fold 1, by a model that was not trained on this corpus"
    return f"{corpus}: {len(sizes)} {what} in folds 1 to {last}"


def split_fold(rows: Sequence[Row], folds: Mapping[str, int], fold: int, seed: int) -> tuple[dict[str, str], list[str]]:
    """The splits of one fold.

    Validation is at most a tenth of what remains of each corpus: of the speakers, where at least ten remain; else of
    the clips, whose speakers are then in the training, too. Fewer speakers are too precious: a model of four that gives
    one to validation lacks a quarter of its training.

    Returns:
        Clip id -> split, and notes.
    """
    splits: dict[str, str] = {}
    few = []
    for corpus, members in by_corpus(rows).items():
        rest = [row for row in members if folds[row.id] != fold]
        splits |= {row.id: "test" for row in members if folds[row.id] == fold}
        chosen, has_own = divide_rest(rest, generator(seed, f"{corpus}/{fold}"))
        splits |= chosen
        if rest and not has_own:
            few.append(corpus)
    if not few:
        return splits, []
    return splits, [
        f"fewer than {MIN_FOR_VALIDATION} known speakers remain of {', '.join(few)}: speakers of validation are in "
        "training, too, but not in the test"
    ]


def divide_rest(rows: Sequence[Row], random: np.random.Generator) -> tuple[dict[str, str], bool]:
    """Training and validation of the clips of one corpus, and whether validation has speakers of its own."""
    speakers = [row.speaker for row in rows if row.speaker is not None]
    count = len(set(speakers))
    if count < MIN_FOR_VALIDATION or len(speakers) < len(rows):
        assigned, _ = stratified(
            [row._replace(split=None) for row in rows], np.array([1 - _VALIDATION, _VALIDATION, 0.0]), random
        )
        return dict(zip((row.id for row in rows), assigned, strict=True)), False
    chosen = count // MIN_FOR_VALIDATION
    split_of = divide_speakers(rows, (count - chosen, chosen, 0), random)
    return {row.id: split_of[str(row.speaker)] for row in rows}, True
