"""Protocols: which clip is in which split, by name and seeded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

SPLITS = ("train", "validation", "test")
CORPUS = "CORPUS"  # stands in the description of a family for the corpus that is chosen

CorpusRule = Literal["left out", "only"]


class Row(NamedTuple):
    """What a protocol may look at of a clip."""

    id: str
    corpus: str
    speaker: str | None
    gender: str | None
    emotion: str | None
    split: str | None


@dataclass(frozen=True)
class Protocol:
    """How clips are divided. One with a `corpus_rule` is a family, of which a user chooses a member: `NAME:CORPUS`.

    Args:
        name: key in `PROTOCOLS`.
        shares: of the clips of a corpus for train, validation and test.
        divide: function of the rows of one corpus, the shares and a random generator that gives the split of each row
            and notes for people.
        description: one sentence that is written beside every figure; `CORPUS` in it stands for the chosen corpus.
        corpus_rule: what becomes of the division when a corpus is chosen. `"left out"`: all its clips are test, the
            others stay where they are. `"only"`: its clips stay where they are, of the others only the test clips do.
    """

    name: str
    shares: tuple[float, float, float]
    divide: Callable[[Sequence[Row], np.ndarray, np.random.Generator], tuple[list[str], list[str]]]
    description: str
    corpus_rule: CorpusRule | None = None


def make_split(rows: Sequence[Row], protocol: str, seed: int = 0) -> tuple[dict[str, str], list[str]]:
    """Divides clips by a protocol, corpus by corpus.

    Args:
        rows: all clips.
        protocol: key of `PROTOCOLS`.
        seed: of the random generator; a corpus is divided the same way whatever other corpora are there.

    Returns:
        Clip id -> split, and notes on where the protocol could not be kept.
    """
    chosen = PROTOCOLS[protocol]
    corpora: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows):
        corpora[row.corpus].append(row)
    splits: dict[str, str] = {}
    notes: list[str] = []
    for corpus, members in corpora.items():
        random = np.random.default_rng([seed, *corpus.encode()])
        assigned, said = chosen.divide(members, np.array(chosen.shares), random)
        splits.update(zip((row.id for row in members), assigned, strict=True))
        notes += [f"{corpus}: {note}" for note in said]
    return splits, notes


def _stratified(rows: Sequence[Row], shares: np.ndarray, random: np.random.Generator) -> tuple[list[str], list[str]]:
    """The paper's split (section 3): the publisher's partition, else stratified by gender and emotion.

    A partition that lacks a validation split gives up a part of its training clips for one.
    """
    given = {row.split for row in rows if row.split is not None}
    notes = []
    assigned = [row.split or "" for row in rows]
    if given:
        free = [i for i, row in enumerate(rows) if row.split in (None, "train")]
        missing = np.array([split == "train" or split not in given for split in SPLITS])
        notes.append(f"the publisher's partition is kept ({', '.join(s for s in SPLITS if s in given)})")
        if missing.sum() > 1:
            taken = shares[~missing].sum()
            shares = np.where(missing, shares / (1 - taken), 0)
            added = ", ".join(split for split, absent in zip(SPLITS[1:], missing[1:], strict=True) if absent)
            notes.append(f"the publisher gives no {added} split; it is taken from the training clips")
        else:
            shares = np.array([1.0, 0.0, 0.0])
    else:
        free = list(range(len(rows)))
    strata: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i in free:
        strata[str(rows[i].gender), str(rows[i].emotion)].append(i)
    owed = np.zeros(len(SPLITS))  # what each split still lacks of its share, over all strata so far
    small = []
    for stratum, members in sorted(strata.items()):
        counts, owed = _whole_clips(len(members) * shares, owed)
        if np.any((counts == 0) & (shares > 0)):
            small.append(f"{stratum[0]} {stratum[1]} ({len(members)})")
        order = random.permutation(members)
        for split, part in zip(SPLITS, np.split(order, np.cumsum(counts)[:-1]), strict=True):
            for i in part:
                assigned[i] = split
    if small:
        notes.append(f"too few clips for every split, divided as evenly as they allow: {', '.join(small)}")
    return assigned, notes


def _without_publishers(
    rows: Sequence[Row], shares: np.ndarray, random: np.random.Generator
) -> tuple[list[str], list[str]]:
    """As `_stratified`, whatever the publisher's partition: where the test is another corpus it has no meaning."""
    return _stratified([row._replace(split=None) for row in rows], shares, random)


def _whole_clips(quota: np.ndarray, owed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounds a stratum's quotas up or down to clips, so that the splits' totals stay on course too."""
    counts = np.floor(quota + 1e-9).astype(int)
    owed = owed + quota - counts
    fraction = quota - counts > 1e-9
    for split in sorted(np.flatnonzero(fraction), key=lambda s: -owed[s])[: round(quota.sum()) - counts.sum()]:
        counts[split] += 1
        owed[split] -= 1
    return counts, owed


def _speaker_disjoint(
    rows: Sequence[Row], shares: np.ndarray, random: np.random.Generator
) -> tuple[list[str], list[str]]:
    """No speaker in two splits; of many random divisions of the speakers, the one whose strata fit the shares best."""
    speakers = sorted({row.speaker for row in rows if row.speaker is not None})
    if len(speakers) < 3 or any(row.speaker is None for row in rows):
        why = f"{len(speakers)} speakers" if all(row.speaker for row in rows) else "clips without a speaker"
        return ["train"] * len(rows), [f"wholly in training, because it has {why}; it has no test clips"]
    strata = sorted({(str(row.gender), str(row.emotion)) for row in rows})
    table = np.zeros((len(speakers), len(strata)))  # clips of each speaker in each stratum
    for row in rows:
        table[speakers.index(row.speaker), strata.index((str(row.gender), str(row.emotion)))] += 1
    wanted = shares[:, None] * table.sum(axis=0)
    sizes = np.maximum(1, np.round(shares * len(speakers))).astype(int)
    sizes[0] = len(speakers) - sizes[1:].sum()
    labels = np.repeat(np.arange(len(SPLITS)), sizes)
    best, best_cost = labels, np.inf
    for _ in range(500):
        candidate = random.permutation(labels)
        got = np.stack([table[candidate == split].sum(axis=0) for split in range(len(SPLITS))])
        cost = ((got - wanted) ** 2 / np.maximum(wanted, 1)).sum()
        if cost < best_cost:
            best, best_cost = candidate, cost
    of_speaker = dict(zip(speakers, (SPLITS[split] for split in best), strict=True))
    counts = Counter(of_speaker.values())
    note = ", ".join(f"{counts[split]} in {split}" for split in SPLITS)
    return [of_speaker[row.speaker] for row in rows], [f"{len(speakers)} speakers: {note}"]


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "paper",
            (0.75, 0.10, 0.15),
            _stratified,
            "random 75/15/10 train/test/validation within each corpus, stratified by gender and emotion: "
            "the speakers of the test clips are heard in training, unless the publisher's partition parts them",
        ),
        Protocol(
            "paper-20",
            (0.70, 0.10, 0.20),
            _stratified,
            "random 70/20/10 train/test/validation within each corpus, stratified by gender and emotion: "
            "the speakers of the test clips are heard in training, unless the publisher's partition parts them",
        ),
        Protocol(
            "speaker",
            (0.75, 0.10, 0.15),
            _speaker_disjoint,
            "75/15/10 train/test/validation by speaker: no speaker of a corpus's test clips is in its training clips",
        ),
        Protocol(
            "loco",
            (0.90, 0.10, 0.0),
            _without_publishers,
            f"leave one corpus out: all clips of {CORPUS} are the test, every other corpus is divided into 90/10 "
            "train/validation, stratified by gender and emotion: nothing of the test's corpus is heard in training",
            "left out",
        ),
        Protocol(
            "cross",
            (0.75, 0.10, 0.15),
            _stratified,
            f"train on one corpus, test on each: train and validation are those of {CORPUS} alone, test is the test "
            "clips of every corpus, both as the protocol paper divides them",
            "only",
        ),
    )
}
