"""Protocols that are computed from the table of a prepared folder, because they have a free parameter.

folds:5     folds:speaker     folds:session     folds:customary     and one of their folds: folds:5/2
lolo:de-DE
fewshot:CORPUS:K
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .few_shot import few_shot
from .folds import assign_folds, describe_folds, split_fold
from .protocols import Row, by_corpus, make_split

COMPUTED = {"folds": "folds:K", "lolo": "lolo:LOCALE", "fewshot": "fewshot:CORPUS:K"}  # family -> how it is given


class Division(NamedTuple):
    """How clips are divided by a computed protocol.

    Args:
        description: a sentence that accompanies every figure.
        clips: id -> split; `None` where folds are given without the number of one.
        notes: on where it could not be kept.
        folds: number of folds, `None` unless it has any.
        corpus: the corpus that is left out, in part.
    """

    description: str
    clips: dict[str, str | None] | None
    notes: list[str]
    folds: int | None = None


def compute_division(rows: Sequence[Row], family: str, argument: str, fold: int | None, seed: int) -> Division:
    """Divides clips by a computed protocol.

    Args:
        rows: all clips.
        family: key of `COMPUTED`.
        argument: what follows the colon.
        fold: the number of one of its folds.
        seed: of the random choices.

    Raises:
        ValueError: the argument is not valid, or does not fit the clips.
    """
    if not argument:
        raise ValueError(f"Protocol {family!r} lacks its argument: give {COMPUTED[family]}.")
    if family == "folds":
        return _folds(rows, argument, fold, seed)
    if fold is not None:
        raise ValueError(f"Protocol {family}:{argument} has no folds: leave out /{fold}.")
    return _leave_locale_out(rows, argument, seed) if family == "lolo" else _few_shot(rows, argument, seed)


def _folds(rows: Sequence[Row], by: str, fold: int | None, seed: int) -> Division:
    folds, notes = assign_folds(rows, by, seed)
    count = max(folds.values())
    if fold is None:
        return Division(describe_folds(by), None, notes, count)
    if not 1 <= fold <= count:
        raise ValueError(f"Protocol folds:{by} has the folds 1 to {count}, got {fold}.")
    splits, more = split_fold(rows, folds, fold, seed)
    return Division(f"fold {fold} of {count}; {describe_folds(by)}", dict(splits), [*notes, *more], count)


def _leave_locale_out(rows: Sequence[Row], locale: str, seed: int) -> Division:
    locales = sorted({row.locale for row in rows if row.locale is not None})
    if locale not in locales:
        raise ValueError(f"No clip has the locale {locale!r}: give lolo:LOCALE, with one of {', '.join(locales)}.")
    others = [row for row in rows if row.locale not in (locale, None)]
    if not others:
        raise ValueError(f"Protocol lolo:{locale} needs training clips, but every clip has this locale, or none.")
    splits, notes = make_split(others, "loco", seed)
    description = (
        f"leave one locale out: all clips of {locale} are the test, every corpus of other locales is divided into "
        "90/10 train/validation, stratified by gender and emotion: the training has no clip of the locale"
    )
    if unknown := sum(row.locale is None for row in rows):
        notes.append(f"{unknown:,} clips without a locale are in no split: they may be of {locale}")
    return Division(
        description, {row.id: "test" if row.locale == locale else splits.get(row.id) for row in rows}, notes
    )


def _few_shot(rows: Sequence[Row], argument: str, seed: int) -> Division:
    corpus, _, number = argument.rpartition(":")
    corpora = by_corpus(rows)
    if corpus not in corpora or not (number.isascii() and number.isdigit() and int(number) >= 1):
        raise ValueError(
            f"fewshot:{argument} is not a valid protocol: expected {COMPUTED['fewshot']} with K of at least 1 and one "
            f"of {', '.join(corpora)}."
        )
    chosen, notes = few_shot(corpora[corpus], int(number), seed)
    splits, more = make_split([row for row in rows if row.corpus != corpus], "loco", seed)
    description = (
        f"few-shot: {number} clips per emotion of {corpus} are in the training, in addition to 90 % of every other "
        "corpus, whose other 10 % are validation; the test is the clips of its other speakers, the same for every "
        "number"
    )
    return Division(description, {**splits, **chosen}, [*notes, *more])
