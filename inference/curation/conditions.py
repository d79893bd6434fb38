"""Conditions on recordings: rows of values -> why each row does not fulfil one, in words."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .duplicates import same_sounds

OWN = "manifest."  # before the name of a column of the manifest
_MAD_TO_STD = 1.4826  # of a normal distribution


@dataclass(frozen=True)
class Vocabulary:
    """The names that a condition may hold.

    Args:
        labels: head that chooses a class -> its classes. The score of the chosen one is `HEAD_score`.
        numbers: names of numbers.
        own: columns of the manifest; a condition names them with `manifest.` before.
        path: the one of them that names the recording.
        speaker: the one of them that names the speaker, `None` if there is none.
        words: word of the manifest -> the model's class that it means.

    Raises:
        ValueError: one of `words` means no class.
    """

    labels: Mapping[str, tuple[str, ...]]
    numbers: tuple[str, ...]
    own: tuple[str, ...]
    path: str
    speaker: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        classes = {label for labels in self.labels.values() for label in labels}
        unknown = [f"{word}={label}" for word, label in self.words.items() if label not in classes]
        if unknown:
            raise ValueError(f"--words {' '.join(unknown)}: the model has no such class.")

    def check(self, name: str) -> None:
        """Raises a `ValueError` where a name is unknown."""
        if name.startswith(OWN):
            if name.removeprefix(OWN) not in self.own:
                raise ValueError(f"the manifest has no column {name.removeprefix(OWN)!r}; it has {', '.join(self.own)}")
        elif name not in self.labels and name not in self.numbers:
            known = ", ".join([*self.labels, *self.numbers])
            raise ValueError(f"nothing is called {name!r}; there are {known}, and {OWN}COLUMN for the manifest's own")

    def label_of(self, head: str, word: str) -> str | None:
        """The class of a head that a word means, `None` if none."""
        word = self.words.get(word, word).casefold()
        return next((label for label in self.labels[head] if label.casefold() == word), None)


@dataclass
class Row:
    """A recording: what is known of it, and why it is to go: condition to reason."""

    values: Mapping[str, Any]
    reasons: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Condition(ABC):
    """A condition on rows.

    Args:
        text: as the user wrote it.
        name: what it speaks of.
        vocabulary: what names mean.
    """

    text: str
    name: str
    vocabulary: Vocabulary

    def needs(self) -> set[str]:
        """Names of the values that it reads."""
        return {self.name, f"{self.name}_score"} if self.name in self.vocabulary.labels else {self.name}

    @abstractmethod
    def judge(self, rows: Sequence[Row]) -> list[str | None]:
        """Why each row does not fulfil it, in words; `None` for those that do."""


@dataclass(frozen=True)
class _PerRow(Condition):
    """A condition that looks at one row at a time."""

    other: str | None = None  # the manifest's column that it compares with

    def needs(self) -> set[str]:
        return super().needs() | ({self.other} if self.other else set())

    def judge(self, rows: Sequence[Row]) -> list[str | None]:
        return [self._missing(row.values) or self._reason(row.values) for row in rows]

    def _missing(self, values: Mapping[str, Any]) -> str | None:
        absent = [name for name in (self.name, self.other) if name and values.get(name) is None]
        return f"has no {' and no '.join(absent)}" if absent else None

    @abstractmethod
    def _reason(self, values: Mapping[str, Any]) -> str | None: ...


@dataclass(frozen=True)
class OneOf(_PerRow):
    """A class or a word is (or is not) among some, or is (or is not) the manifest's."""

    among: tuple[str, ...] = ()
    wanted: bool = True

    def check_words(self, words: Iterable[Any]) -> None:
        """Raises a `ValueError` where none of the words that the manifest has is a class of the head."""
        said = list(dict.fromkeys(str(word) for word in words if word is not None))
        classes = self.vocabulary.labels.get(self.name)
        if classes and said and not any(self.vocabulary.label_of(self.name, word) for word in said):
            raise ValueError(
                f"Condition {self.text!r}: {self.other} says {', '.join(said[:5])}, the model {', '.join(classes)}; "
                f"say what is what with --words, such as {said[0]}={classes[0]}."
            )

    def unknown_words(self, rows: Iterable[Row]) -> Iterator[str]:
        """The manifest's word of each row, where it means no class of the head."""
        for row in rows if self.other and self.name in self.vocabulary.labels else ():
            word = row.values.get(self.other)
            if word is not None and self.vocabulary.label_of(self.name, str(word)) is None:
                yield str(word)

    def _reason(self, values: Mapping[str, Any]) -> str | None:
        value = str(values[self.name])
        is_head = self.name in self.vocabulary.labels
        among = self.among
        if self.other:
            word = str(values[self.other])
            label = self.vocabulary.label_of(self.name, word) if is_head else word
            if label is None:
                return f"{self.other} is {word}, which is no {self.name} that the model knows"
            among = (label,)
        if (value.casefold() in {word.casefold() for word in among}) == self.wanted:
            return None
        heard = f"{self.name} is {value} {values[f'{self.name}_score']:.2f}" if is_head else f"{self.name} is {value}"
        if self.other:
            return f"{heard}, {self.other} {values[self.other]}"
        return f"{heard}, not {' or '.join(among)}" if self.wanted else heard


@dataclass(frozen=True)
class Bound(_PerRow):
    """A number is on one side of a bound, between two, or near another."""

    wording: str = ""  # what the number should be
    fits: Callable[[float, float], bool] = field(kw_only=True)  # of the number and of the other one, NaN if none

    def _reason(self, values: Mapping[str, Any]) -> str | None:
        numbers = []
        for name in filter(None, (self.name, self.other)):
            numbers.append(_number(values[name]))
            if math.isnan(numbers[-1]):
                return f"{name} is {values[name]}, not a number"
        value, other = (*numbers, math.nan)[:2]
        if self.fits(value, other):
            return None
        return f"{self.name} is {value:.4g}, not {self.wording}{f' {self.other} {other:.4g}' if self.other else ''}"


@dataclass(frozen=True)
class Outlier(Condition):
    """A number lies near the median of its group, measured by the group's median absolute deviation.

    The deviation is scaled to be the standard deviation where the values are normal (Rousseeuw and Croux 1993). All
    rows of the group that have the number count, also those that other conditions reject.
    """

    width: float
    scope: str

    def needs(self) -> set[str]:
        return {self.name, *_group_columns(self.scope, self.vocabulary)}

    def judge(self, rows: Sequence[Row]) -> list[str | None]:
        groups = _groups(rows, self.scope, self.vocabulary)
        reasons: list[str | None] = [f"has no {OWN}{self.vocabulary.speaker}"] * len(rows)
        for group, members in groups.items():
            numbers = np.array([_number(rows[index].values.get(self.name)) for index in members])
            known = numbers[~np.isnan(numbers)]
            median = np.median(known) if known.size else math.nan
            mad = _MAD_TO_STD * np.median(np.abs(known - median)) if known.size else math.nan
            of = "all" if group is None else f"speaker {group}"
            for index, number in zip(members, numbers, strict=True):
                reasons[index] = None
                if math.isnan(number):
                    reasons[index] = f"has no {self.name}"
                elif abs(number - median) > self.width * mad:
                    reasons[index] = (
                        f"{self.name} is {number:.4g}, not within {self.width:g} mad ({mad:.3g}) of {median:.4g}, the "
                        f"median of {of} ({known.size} rows)"
                    )
        return reasons


@dataclass(frozen=True)
class UniqueSound(Condition):
    """Of the rows that sound the same the first is kept that fulfils the conditions before this one."""

    scope: str

    def needs(self) -> set[str]:
        return {"file", "fingerprint", OWN + self.vocabulary.path, *_group_columns(self.scope, self.vocabulary)}

    def judge(self, rows: Sequence[Row]) -> list[str | None]:
        reasons: list[str | None] = [f"has no {OWN}{self.vocabulary.speaker}"] * len(rows)
        for members in _groups(rows, self.scope, self.vocabulary).values():
            by_sound = defaultdict(list)
            values = [rows[index].values for index in members]
            sounds = same_sounds([row["file"] for row in values], np.array([row["fingerprint"] for row in values]))
            for index, sound in zip(members, sounds, strict=True):
                by_sound[sound].append(index)
            for alike in by_sound.values():
                kept = next((index for index in alike if not rows[index].reasons), alike[0])
                why = f"sounds the same as {rows[kept].values[OWN + self.vocabulary.path]}"
                for index in alike:
                    reasons[index] = None if index == kept else why
        return reasons


def _group_columns(scope: str, vocabulary: Vocabulary) -> set[str]:
    return {f"{OWN}{vocabulary.speaker}"} if scope == "speaker" else set()


def _groups(rows: Sequence[Row], scope: str, vocabulary: Vocabulary) -> dict[Any, list[int]]:
    """Numbers of the rows of each speaker, without those that have none; for `all`, of all."""
    groups = defaultdict(list)
    for index, row in enumerate(rows):
        speaker = row.values.get(f"{OWN}{vocabulary.speaker}") if scope == "speaker" else None
        if speaker is not None or scope == "all":
            groups[speaker].append(index)
    return groups


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
