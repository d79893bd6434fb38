"""Conditions as people write them -> conditions that judge rows."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence

from .conditions import OWN, Bound, Condition, OneOf, Outlier, UniqueSound, Vocabulary

_FORMS = (  # inference.curation --help shows an example of each
    "NAME = WORD, NAME != WORD, NAME in WORD,WORD, NAME not in WORD,WORD, NAME >= NUMBER (also > < <=), "
    "NAME in NUMBER..NUMBER, NAME within NUMBER of NUMBER, NAME within NUMBER mad of speaker (or all), "
    f"unique sound of speaker (or all); in the place of one WORD or NUMBER may stand {OWN}COLUMN"
)
_SIDES = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
_NAME = rf"(?P<name>{re.escape(OWN)}.+?|\w[\w-]*)"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


def parse_conditions(texts: Sequence[str], vocabulary: Vocabulary) -> list[Condition]:
    """Reads conditions.

    Raises:
        ValueError: one is of no known form or holds an unknown name; the message says which and what there is.
    """
    return [_parse(text.strip(), vocabulary) for text in texts]


def _parse(text: str, vocabulary: Vocabulary) -> Condition:
    for pattern, make in _GRAMMAR:
        match = re.fullmatch(pattern, text)
        if match is None:
            continue
        try:
            if "name" in match.groupdict():
                vocabulary.check(match["name"])
            if match.groupdict().get("scope") == "speaker" and vocabulary.speaker is None:
                raise ValueError("the manifest has no column of speakers that is known; name it with --speaker_column")
            return make(text, match, vocabulary)
        except ValueError as error:
            raise ValueError(f"Condition {text!r}: {error}.") from error
    raise ValueError(f"Condition {text!r} cannot be read; a condition is one of: {_FORMS}.")


def _unique(text: str, match: re.Match, vocabulary: Vocabulary) -> Condition:
    return UniqueSound(text, "file", vocabulary, match["scope"])


def _outlier(text: str, match: re.Match, vocabulary: Vocabulary) -> Condition:
    _require_number(match["name"], vocabulary)
    return Outlier(text, match["name"], vocabulary, float(match["width"]), match["scope"])


def _range(text: str, match: re.Match, vocabulary: Vocabulary) -> Condition:
    _require_number(match["name"], vocabulary)
    low, high = float(match["low"]), float(match["high"])
    if low > high:
        raise ValueError(f"{match['low']} is above {match['high']}")
    wording = f"in {match['low']}..{match['high']}"
    return Bound(text, match["name"], vocabulary, wording=wording, fits=lambda value, _: low <= value <= high)


def _near(text: str, match: re.Match, vocabulary: Vocabulary) -> Condition:
    width = float(match["width"])

    def fits(value: float, other: float) -> bool:
        return round(abs(value - other), 9) <= width  # 4.2 is within 0.2 of 4, whatever binary fractions say

    return _bound(text, match, vocabulary, f"within {width:g} of", fits)


def _side(text: str, match: re.Match, vocabulary: Vocabulary) -> Condition:
    return _bound(text, match, vocabulary, match["side"], _SIDES[match["side"]])


def _bound(
    text: str, match: re.Match, vocabulary: Vocabulary, wording: str, fits: Callable[[float, float], bool]
) -> Condition:
    name, other = match["name"], match["other"].strip()
    _require_number(name, vocabulary)
    if other.startswith(OWN):
        vocabulary.check(other)
        return Bound(text, name, vocabulary, other, wording, fits=fits)
    if re.fullmatch(_NUMBER, other) is None:
        raise ValueError(f"{other!r} is neither a number nor {OWN}COLUMN")
    bound = float(other)
    return Bound(text, name, vocabulary, wording=f"{wording} {other}", fits=lambda value, _: fits(value, bound))


def _words(text: str, match: re.Match, vocabulary: Vocabulary) -> Condition:
    among = tuple(word.strip() for word in match["words"].split(","))
    return _one_of(text, match["name"], vocabulary, among, wanted=not match["negated"])


def _equal(text: str, match: re.Match, vocabulary: Vocabulary) -> Condition:
    name, other, wanted = match["name"], match["other"].strip(), match["side"] == "="
    if not other.startswith(OWN):
        return _one_of(text, name, vocabulary, (other,), wanted)
    vocabulary.check(other)
    _require_word(name, vocabulary)
    return OneOf(text, name, vocabulary, other=other, wanted=wanted)


def _one_of(text: str, name: str, vocabulary: Vocabulary, among: tuple[str, ...], wanted: bool) -> Condition:
    _require_word(name, vocabulary)
    if name in vocabulary.labels:
        labels = {word: vocabulary.label_of(name, word) for word in among}
        unknown = ", ".join(repr(word) for word, label in labels.items() if label is None)
        if unknown:
            raise ValueError(f"the model knows no {name} {unknown}; it knows {', '.join(vocabulary.labels[name])}")
        among = tuple(labels.values())
    return OneOf(text, name, vocabulary, among=among, wanted=wanted)


def _require_number(name: str, vocabulary: Vocabulary) -> None:
    if name in vocabulary.labels:
        raise ValueError(f"{name} is one of {', '.join(vocabulary.labels[name])}; the number is {name}_score")


def _require_word(name: str, vocabulary: Vocabulary) -> None:
    if name in vocabulary.numbers:
        raise ValueError(f"{name} is a number; say {name} in LOW..HIGH, or {name} >= NUMBER")


_SCOPE = r"of (?P<scope>speaker|all)"
_GRAMMAR = (  # the first form that fits counts
    (rf"unique sound {_SCOPE}", _unique),
    (rf"{_NAME} within (?P<width>{_NUMBER}) mad {_SCOPE}", _outlier),
    (rf"{_NAME} within (?P<width>{_NUMBER}) of (?P<other>.+)", _near),
    (rf"{_NAME} in (?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER})", _range),
    (rf"{_NAME} (?P<negated>not )?in (?P<words>.+)", _words),
    (rf"{_NAME}\s*(?P<side><=|>=|<|>)\s*(?P<other>.+)", _side),
    (rf"{_NAME}\s*(?P<side>!=|=)\s*(?P<other>.+)", _equal),
)
