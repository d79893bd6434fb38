"""A few clips of each class of a corpus for training, and the clips of its other speakers as the test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from .protocols import Row, generator


def few_shot(rows: Sequence[Row], number: int, seed: int) -> tuple[dict[str, str | None], list[str]]:
    """Divides a corpus.

    Half of its speakers, chosen at random, provide the training clips; all clips of the others are the test. Both
    do not depend on the number, and the clips chosen for a number include those for a smaller one, so that figures for
    several numbers can be compared. What is left of the first half is in no split. Where fewer than two speakers are
    known, clips are chosen among all, and the others are the test.

    Args:
        rows: clips of one corpus, sorted.
        number: of training clips of each emotion.
        seed: of the random choices.

    Returns:
        Clip id -> `train`, `test` or `None`, and notes.

    Raises:
        ValueError: no clip has an emotion.
    """
    corpus = rows[0].corpus
    random = generator(seed, f"few-shot/{corpus}")
    names = sorted({row.speaker for row in rows if row.speaker is not None})
    known = all(row.speaker is not None for row in rows) and len(names) > 1
    shuffled = [names[i] for i in random.permutation(len(names))]
    half = set(shuffled[: len(names) // 2])
    splits: dict[str, str | None] = {row.id: None if known and row.speaker in half else "test" for row in rows}
    classes: dict[str, list[str]] = defaultdict(list)
    for i in random.permutation(len(rows)):
        row = rows[i]
        if row.emotion is not None and (not known or row.speaker in half):
            classes[row.emotion].append(row.id)
    if not classes:
        raise ValueError(f"No clip of {corpus} that may be trained on has an emotion.")
    for ids in classes.values():
        splits |= dict.fromkeys(ids[:number], "train")
    few = {emotion: len(ids) for emotion, ids in sorted(classes.items()) if len(ids) < number}
    notes = [f"{corpus}: {count} clips of {emotion} instead of {number}" for emotion, count in few.items()]
    if not known:
        notes.append(f"{corpus}: fewer than two known speakers: the speakers of the test may be in training")
    return splits, notes
