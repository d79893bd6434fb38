"""Protocols: how clips are divided into splits, by name and with a seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

SPLITS = ("train", "validation", "test")
CORPUS = "CORPUS"  # the placeholder, in the description of a family, of the corpus that is chosen

CorpusRule = Literal["left out", "only"]


class Row(NamedTuple):
    """The columns of a clip that a protocol may use."""

    id: str
    corpus: str
    speaker: str | None
    gender: str | None
    emotion: str | None
    split: str | None
    locale: str | None = None
    session: str | None = None


@dataclass(frozen=True)
class Protocol:
    """How clips are divided. One with a `corpus_rule` is a family, of which a user chooses a member: `NAME:CORPUS`.

    Args:
        name: key in `PROTOCOLS`.
        shares: shares of the clips of a corpus for train, validation and test.
        divide: function of the rows of one corpus, the shares and a random generator that gives the split of each row
            and notes for people.
        description: a sentence that accompanies every figure; `CORPUS` in it is replaced by the chosen corpus.
        corpus_rule: how the division changes when a corpus is chosen. `"left out"`: all its clips are test, the
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
        seed: seed of the random generator; how a corpus is divided does not depend on the other corpora.

    Returns:
        Clip id -> split, and notes on where the protocol could not be kept.
    """
    chosen = PROTOCOLS[protocol]
    splits: dict[str, str] = {}
    notes: list[str] = []
    for corpus, members in by_corpus(rows).items():
        assigned, corpus_notes = chosen.divide(members, np.array(chosen.shares), generator(seed, corpus))
        splits.update(zip((row.id for row in members), assigned, strict=True))
        notes += [f"{corpus}: {note}" for note in corpus_notes]
    return splits, notes


def by_corpus(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The clips of each corpus, in the order of their ids."""
    corpora: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.id):
        corpora[row.corpus].append(row)
    return corpora


def generator(seed: int, name: str) -> np.random.Generator:
    """Random choices that depend on the seed, and on the name of what is divided, alone."""
    return np.random.default_rng([seed, *name.encode()])


def stratified(rows: Sequence[Row], shares: np.ndarray, random: np.random.Generator) -> tuple[list[str], list[str]]:
    """The paper's split (section 3): the authors' partition, else stratified by gender and emotion.

    A partition that lacks a validation split gives up a part of its training clips for one.
    """
    assigned = [row.split or "" for row in rows]
    free, shares, notes = _keep_partition(rows, shares)
    strata: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i in free:
        strata[_stratum(rows[i])].append(i)
    owed = np.zeros(len(SPLITS))  # what each split still lacks of its share, over all strata so far
    small = []
    for stratum, members in sorted(strata.items()):
        counts, owed = _integer_counts(len(members) * shares, owed)
        if np.any((counts == 0) & (shares > 0)):
            small.append(f"{stratum[0]} {stratum[1]} ({len(members)})")
        order = random.permutation(members)
        for split, part in zip(SPLITS, np.split(order, np.cumsum(counts)[:-1]), strict=True):
            for i in part:
                assigned[i] = split
    if small:
        notes.append(f"too few clips for every split, divided as evenly as they allow: {', '.join(small)}")
    return assigned, notes


def _keep_partition(rows: Sequence[Row], shares: np.ndarray) -> tuple[list[int], np.ndarray, list[str]]:
    """What the authors' partition leaves to divide: the indices of the clips, the shares among them, and notes."""
    given = {row.split for row in rows if row.split is not None}
    if not given:
        return list(range(len(rows))), shares, []
    free = [i for i, row in enumerate(rows) if row.split in (None, "train")]
    missing = np.array([split == "train" or split not in given for split in SPLITS])
    notes = [f"the authors' partition is kept ({', '.join(split for split in SPLITS if split in given)})"]
    if missing.sum() == 1:
        return free, np.array([1.0, 0.0, 0.0]), notes
    shares = np.where(missing, shares / (1 - shares[~missing].sum()), 0)
    added = ", ".join(split for split, is_missing in zip(SPLITS[1:], missing[1:], strict=True) if is_missing)
    return free, shares, [*notes, f"the authors give no {added} split; it is taken from the training clips"]


def _stratum(row: Row) -> tuple[str, str]:
    return str(row.gender), str(row.emotion)


def _without_partition(
    rows: Sequence[Row], shares: np.ndarray, random: np.random.Generator
) -> tuple[list[str], list[str]]:
    """As `stratified`, but without the authors' partition, which has no meaning where the test is another corpus."""
    return stratified([row._replace(split=None) for row in rows], shares, random)


def _integer_counts(quota: np.ndarray, owed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounds the quotas of a stratum to numbers of clips such that the totals of the splits keep their shares too."""
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
    names = [row.speaker for row in rows if row.speaker is not None]
    speakers = set(names)
    if len(speakers) < 3 or len(names) < len(rows):
        reason = "clips without a speaker" if len(names) < len(rows) else f"{len(speakers)} speakers"
        return ["train"] * len(rows), [
            f"wholly in training, because it has {reason}; it has no test clips, but the folds of folds:K test it"
        ]
    sizes = np.maximum(1, np.round(shares * len(speakers))).astype(int)
    sizes[0] = len(speakers) - sizes[1:].sum()
    split_of = divide_speakers(rows, sizes, random, shares)
    counts = Counter(split_of.values())
    note = ", ".join(f"{counts[split]} in {split}" for split in SPLITS)
    return [split_of[speaker] for speaker in names], [f"{len(speakers)} speakers: {note}"]


def _all_in_training(
    rows: Sequence[Row], shares: np.ndarray, random: np.random.Generator
) -> tuple[list[str], list[str]]:
    return ["train"] * len(rows), []


def divide_speakers(
    rows: Sequence[Row],
    sizes: Sequence[int] | np.ndarray,
    random: np.random.Generator,
    shares: np.ndarray | None = None,
) -> dict[str, str]:
    """The split of each speaker, such that the strata of gender and emotion fit the shares.

    Args:
        rows: clips of a corpus, whose speakers are known.
        sizes: number of speakers in each split.
        random: of the divisions that are tried.
        shares: wanted share of the clips in each split; by default that of its speakers.
    """
    speakers = sorted({str(row.speaker) for row in rows})
    strata = sorted(set(map(_stratum, rows)))
    table = np.zeros((len(speakers), len(strata)))  # clips of each speaker in each stratum
    for row in rows:
        table[speakers.index(str(row.speaker)), strata.index(_stratum(row))] += 1
    sizes = np.asarray(sizes)
    shares = sizes / len(speakers) if shares is None else shares
    return dict(zip(speakers, _best_division(table, sizes, shares, random), strict=True))


def _best_division(table: np.ndarray, sizes: np.ndarray, shares: np.ndarray, random: np.random.Generator) -> list[str]:
    """The split of each speaker, by their clips per stratum: the best of 500 random divisions."""
    wanted = shares[:, None] * table.sum(axis=0)
    labels = np.repeat(np.arange(len(SPLITS)), sizes)
    best, best_cost = labels, np.inf
    for _ in range(500):
        candidate = random.permutation(labels)
        counts = np.stack([table[candidate == split].sum(axis=0) for split in range(len(SPLITS))])
        cost = ((counts - wanted) ** 2 / np.maximum(wanted, 1)).sum()
        if cost < best_cost:
            best, best_cost = candidate, cost
    return [SPLITS[split] for split in best]


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "paper",
            (0.75, 0.10, 0.15),
            stratified,
            "random 75/15/10 train/test/validation within each corpus, stratified by gender and emotion: "
            "the speakers of the test clips also occur in training, unless the authors' partition separates them",
        ),
        Protocol(
            "paper-20",
            (0.70, 0.10, 0.20),
            stratified,
            "random 70/20/10 train/test/validation within each corpus, stratified by gender and emotion: "
            "the speakers of the test clips also occur in training, unless the authors' partition separates them",
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
            _without_partition,
            f"leave one corpus out: all clips of {CORPUS} are the test, every other corpus is divided into 90/10 "
            "train/validation, stratified by gender and emotion: the training has no clip of the test corpus",
            "left out",
        ),
        Protocol(
            "cross",
            (0.75, 0.10, 0.15),
            stratified,
            f"train on one corpus, test on each: train and validation are those of {CORPUS} alone, test is the test "
            "clips of every corpus, both as the protocol paper divides them",
            "only",
        ),
        Protocol(
            "all",
            (1.0, 0.0, 0.0),
            _all_in_training,
            "every clip is a training clip: for a model to release, whose recipe is evaluated on folds",
        ),
    )
}
