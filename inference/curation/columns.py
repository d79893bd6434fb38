"""The columns that a condition may name: of the scores, of the manifest, and those that are computed from these."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from common.command_line import did_you_mean

from .duplicates import find_duplicates

MANIFEST = "manifest_"  # before the name of a column of the manifest
_ZSCORE, _UNIQUE, _BY_SPEAKER = "_zscore", "unique_sound", "_by_speaker"
_MAD_TO_STD = 1.4826  # of a normal distribution (Rousseeuw and Croux 1993)
Kind = Literal["label", "number", "manifest", "flag"]


def to_identifier(name: str) -> str:
    """The name of a column as an expression spells it: `language_zh-Hans` is `language_zh_Hans`."""
    return re.sub(r"\W", "_", unicodedata.normalize("NFKC", name))


@dataclass(frozen=True)
class Columns:
    """The columns that a condition may name, as identifiers.

    Args:
        labels: classification head -> its classes. The score of the predicted one is `HEAD_score`.
        numbers: names of numbers.
        manifest: columns of the manifest; a condition names them with `MANIFEST` before.
        path: the one of them that names the recording.
        speaker: the one of them that names the speaker, if any.
        label_map: label of the manifest -> class of the model.

    Raises:
        ValueError: `label_map` maps to a class that the model does not have.
    """

    labels: Mapping[str, tuple[str, ...]]
    numbers: tuple[str, ...]
    manifest: tuple[str, ...]
    path: str
    speaker: str | None = None
    label_map: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        classes = {label for labels in self.labels.values() for label in labels}
        unknown = [f"{label}={mapped}" for label, mapped in self.label_map.items() if mapped not in classes]
        if unknown:
            raise ValueError(f"--label_map {' '.join(unknown)}: the model does not have this class.")

    @cached_property
    def scores(self) -> dict[str, str]:
        """Identifier -> key in a row of the score cache."""
        return {to_identifier(name): name for name in (*self.labels, *self.numbers)}

    @cached_property
    def own(self) -> dict[str, list[str]]:
        """Identifier -> the manifest's columns of that name; several names may have the same identifier."""
        found: dict[str, list[str]] = {}
        for name in self.manifest:
            found.setdefault(MANIFEST + to_identifier(name), []).append(name)
        return found

    @property
    def path_name(self) -> str:
        """Identifier of the column of paths."""
        return MANIFEST + to_identifier(self.path)

    @property
    def speaker_name(self) -> str | None:
        """Identifier of the column of speakers."""
        return None if self.speaker is None else MANIFEST + to_identifier(self.speaker)

    def kind(self, name: str) -> Kind:
        """What a column holds: a class of a head, a number, whatever the manifest has, or a condition.

        Raises:
            ValueError: there is no such column, or it is ambiguous.
        """
        if name in self.scores:
            return "label" if self.scores[name] in self.labels else "number"
        if name in self.own:
            if len(self.own[name]) > 1:
                raise ValueError(f"{name} is ambiguous: the manifest has {', '.join(map(repr, self.own[name]))}.")
            return "manifest"
        if name.endswith(_BY_SPEAKER) and self.speaker is None:
            raise ValueError(f"{name} needs the manifest's column of speakers: name it with --speaker_column.")
        if name.removesuffix(_BY_SPEAKER) == _UNIQUE:
            return "flag"
        if _is_zscore(name) and self.kind(zscore_source(name)) in ("number", "manifest"):
            return "number"
        raise ValueError(f"there is no column {name!r}{self._suggest(name)}")

    def _suggest(self, name: str) -> str:
        if any(name.casefold() == label.casefold() for labels in self.labels.values() for label in labels):
            return f"; a class is written in quotation marks: {name!r}."
        computed = [_UNIQUE, _UNIQUE + _BY_SPEAKER, *(f"{number}{_ZSCORE}{_BY_SPEAKER}" for number in self.numbers)]
        known = [*self.scores, *self.own]
        near = did_you_mean(name, [*known, *computed])
        return near if near != "." else f"; there are {', '.join(known)}."

    def sources(self, name: str) -> list[str]:
        """The columns that a column is computed from: a row that lacks one of them has no value."""
        speaker = [self.speaker_name] if name.endswith(_BY_SPEAKER) and self.speaker_name else []
        if name in self.scores or name in self.own:
            return [name]
        return speaker if is_unique_sound(name) else [zscore_source(name), *speaker]

    def is_zscore(self, name: str) -> bool:
        """Whether a column holds robust z-scores of another one."""
        return name not in self.scores and name not in self.own and _is_zscore(name)

    def needs(self, name: str) -> set[str]:
        """The identifiers of the columns that a frame must have for a column and for reasons that name it."""
        if is_unique_sound(name):
            return {*self.sources(name), self.path_name, "fingerprint"}
        if name in self.scores and self.scores[name] in self.labels:
            return {name, f"{name}_score"}
        return set(self.sources(name))

    def normalize(self, label: object) -> str:
        """A label as it is compared: mapped by `label_map`, in any case of letters."""
        text = str(label)
        return self.label_map.get(text, text).casefold()


def is_unique_sound(name: str) -> bool:
    """Whether a column marks recordings that sound like no kept one."""
    return name.removesuffix(_BY_SPEAKER) == _UNIQUE


def zscore_source(name: str) -> str:
    """The column whose robust z-scores a column holds."""
    return name.removesuffix(_BY_SPEAKER).removesuffix(_ZSCORE)


def _is_zscore(name: str) -> bool:
    return name.removesuffix(_BY_SPEAKER).endswith(_ZSCORE)


def add_zscores(frame: pd.DataFrame, name: str, speaker: str | None) -> None:
    """Adds a column of robust z-scores, and `NAME.median` and `NAME.rows`, on which they are based.

    A z-score is the distance from the median of the group, in median absolute deviations that are scaled to be the
    standard deviation of normal values: outliers do not widen it. All rows of the group that have the number count,
    also those that other conditions reject.

    Args:
        frame: has the column that [`zscore_source`] names.
        name: of the new column.
        speaker: column of speakers, whose rows are the groups where the name ends in `_by_speaker`.
    """
    values = pd.to_numeric(frame[zscore_source(name)], errors="coerce").astype(float)
    groups = frame[speaker] if speaker and name.endswith(_BY_SPEAKER) else pd.Series(0, frame.index)
    median = values.groupby(groups).transform("median")
    deviation = (values - median).abs()
    mad = _MAD_TO_STD * deviation.groupby(groups).transform("median")
    # Where most rows are equal the MAD is 0, and any other row is infinitely far away.
    frame[name] = (deviation / mad.mask(mad == 0, np.finfo(float).tiny)).astype(float)
    frame[f"{name}.median"] = median
    frame[f"{name}.rows"] = values.groupby(groups).transform("count")


def add_unique_sounds(frame: pd.DataFrame, name: str, columns: Columns, met: pd.Series) -> None:
    """Adds a column that is true for one of the recordings that sound the same, and `NAME.kept`, the path of that one.

    Args:
        frame: has the columns that [`Columns.needs`] names.
        name: of the new column.
        columns: that are known.
        met: whether a row meets all conditions but those on duplicates; the first that does is kept.
    """
    groups = frame[columns.speaker_name] if name.endswith(_BY_SPEAKER) else pd.Series(0, frame.index)
    kept = find_duplicates(frame, groups, met)
    frame[name] = kept.isna()
    frame[f"{name}.kept"] = kept.map(frame[columns.path_name])
