"""Scales: the range from which annotators chose a number, by column and corpus, and rescaling to a common one.

The common range is -1 to 1, because valence has a sign: the middle of every scale, which is neither pleasant nor
unpleasant, becomes 0. Standardized L2 and concordance do not depend on the choice.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..clip import Clip, SkippedClip
from ..labels import is_missing
from ..votes import is_vote_column
from . import CORPORA
from .scan import Source

COMMON = (-1.0, 1.0)
AS_IT_IS = "none"  # the range of a number that is not on a scale, such as an age
Scale = tuple[float, float]
Scales = dict[str, Scale | None]  # column -> its range, `None` where it is as it is
Found = list[tuple[Source, list[Clip | SkippedClip]]]


def parse_scale(text: str) -> tuple[str, str, Scale | None]:
    """Reads `[CORPUS=]COLUMN=LOW:HIGH` or `[CORPUS=]COLUMN=none`: the corpus or `""`, the column, the range.

    Raises:
        ValueError: it has another form, or LOW is not below HIGH.
    """
    name, _, bounds = text.rpartition("=")
    corpus, _, column = name.rpartition("=")
    low, _, high = bounds.partition(":")
    try:
        scale = None if bounds == AS_IT_IS else (float(low), float(high))
    except ValueError:
        column = ""
    if not column or (scale and not (scale[0] < scale[1] and math.isfinite(scale[1] - scale[0]))):
        raise ValueError(f"--scale {text}: expected [CORPUS=]COLUMN=LOW:HIGH, such as valence=1:7, or =none.")
    return corpus, column, scale


def rescale(found: Found, texts: Sequence[str] = ()) -> tuple[Found, dict[str, Scales]]:
    """Brings the numbers that annotators chose to the common range.

    Args:
        found: the corpora, as [`~preprocessing.corpora.scan.scan_sources`] returns them.
        texts: the ranges of a user's own corpora, as of [`parse_scale`]; without a corpus, of all of them. They take
            precedence over those of a source.

    Returns:
        The corpora, and for each that has ranges these, by column.

    Raises:
        ValueError: several corpora have a column of numbers whose range one of them does not declare; a number is out
            of its range; or a range is of a column or corpus that does not occur.
    """
    given = [parse_scale(text) for text in texts]
    numbers: dict[str, set[str]] = defaultdict(set)
    for source, entries in found:
        numbers[source.corpus] |= _number_columns(entries)
    _check_given(given, {source.corpus: numbers[source.corpus] for source, _ in found if source.is_own})
    scales = {source.corpus: _scales_of(source, given, numbers[source.corpus]) for source, _ in found}
    _check_shared(numbers, scales)
    rescaled = [(source, [_rescale(entry, scales[source.corpus]) for entry in entries]) for source, entries in found]
    return rescaled, {corpus: declared for corpus, declared in scales.items() if declared}


def _scales_of(source: Source, given: Iterable[tuple[str, str, Scale | None]], columns: set[str]) -> Scales:
    if not source.is_own:
        declared: Scales = dict(CORPORA[source.name].scales)
    else:
        declared = {column: scale for _, column, scale in map(parse_scale, (source.scale or "").split())}
        for corpus, column, scale in sorted(given, key=lambda entry: entry[0] != ""):  # the corpus's own come last
            if corpus in ("", source.corpus):
                declared[column] = scale
    return {column: scale for column, scale in declared.items() if column in columns}


def _number_columns(entries: Iterable[Clip | SkippedClip]) -> set[str]:
    """The further labels that are numbers in all clips that have them; votes are not on a scale."""
    values: dict[str, set[Any]] = defaultdict(set)
    for entry in entries:
        if isinstance(entry, Clip):
            for name, value in entry.extra.items():
                if value is not None and not (isinstance(value, str) and is_missing(value)):
                    values[name].add(value)
    return {name for name, found in values.items() if not is_vote_column(name) and all(map(_is_number, found))}


def _is_number(value: str | float) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _check_given(given: Iterable[tuple[str, str, Scale | None]], own: Mapping[str, set[str]]) -> None:
    for corpus, column, _ in given:
        if not any(column in columns for name, columns in own.items() if corpus in ("", name)):
            raise ValueError(f"--scale: {corpus or 'your own audio'} has no column of numbers {column!r}.")


def _check_shared(numbers: Mapping[str, set[str]], scales: Mapping[str, Scales]) -> None:
    for column in sorted(set[str]().union(*numbers.values())):
        having = [corpus for corpus, columns in numbers.items() if column in columns]
        undeclared = [corpus for corpus in having if column not in scales[corpus]]
        mixed = len({scales[corpus].get(column) is None for corpus in having}) > 1
        if len(having) > 1 and (undeclared or mixed):
            raise ValueError(
                f"{', '.join(having)} have the column {column!r}, whose scales may differ: declare the range of each, "
                f"--scale {(undeclared or having)[0]}={column}=LOW:HIGH, or {AS_IT_IS} for all where it is a quantity "
                "with a unit."
            )


def _rescale(entry: Clip | SkippedClip, scales: Scales) -> Clip | SkippedClip:
    if isinstance(entry, SkippedClip) or not scales.keys() & entry.extra.keys():
        return entry
    changed = {name: _to_common(entry, name, scale) for name, scale in scales.items() if scale and name in entry.extra}
    return replace(entry, extra={**entry.extra, **changed})


def _to_common(clip: Clip, name: str, scale: Scale) -> float | None:
    value = clip.extra[name]
    if value is None or (isinstance(value, str) and is_missing(value)):
        return None
    (low, high), number = scale, float(value)
    if not low <= number <= high:
        raise ValueError(f"{clip.id}: {name} is {number:g}, out of its range {low:g}:{high:g} (--scale).")
    return COMMON[0] + (number - low) / (high - low) * (COMMON[1] - COMMON[0])
