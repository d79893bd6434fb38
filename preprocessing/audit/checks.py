"""The checks of an audit: each examines all clips and flags speakers, sentences, classes or clips."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from datasets import Dataset
from pandas.api.typing import DataFrameGroupBy

from ..duplicates.audio_fingerprint import candidate_pairs, number_sounds
from ..duplicates.same_sound import DuplicateThresholds, same_sounds

MAX_EXAMPLES = 10  # of a finding, and clips of an example
CALM = ("neutral", "sad")  # emotions in which a voice has its baseline pitch


@dataclass(frozen=True)
class Thresholds(DuplicateThresholds):
    """Where a finding begins; those of duplicates and of silence are inherited.

    Args:
        least_share: of a class, relative to an even division of its corpus. Below half of it, a mean over clips and a
            mean over classes differ widely.
        plateaus: least number of plateaus at the peak of a clipped clip. Speech has none, so one is a proof.
        loud_runs: least number of runs near full scale of a clipped clip. Whole speech at full scale has up to 4; of
            speech clipped by 3 dB and resampled more than half has 8, by 6 dB nearly all.
        baseline_clips: least number of calm clips that show the baseline pitch of a voice. Of 23 voices of four
            corpora, 5 random calm clips would mislead in 0.3 %, 3 clips in 0.7 %.
        male_hz: a man's baseline pitch is not higher. It is typical of women; 120 Hz is of men (Traunmüller and
            Eriksson 1995), who range from 85 to 155 Hz and women from 165 to 255 Hz (Fitch and Holbrook 1970). The
            highest of 12 men has 137 Hz in his calm clips; angry, half of them are above 200 Hz.
        female_hz: a woman's baseline pitch is not lower. The lowest of 11 women has 170 Hz.
    """

    least_share: float = 0.5
    plateaus: int = 1
    loud_runs: int = 8
    baseline_clips: int = 5
    male_hz: float = 210.0
    female_hz: float = 140.0


DEFAULT_THRESHOLDS = Thresholds()


class Example(NamedTuple):
    """One case of a finding: what is wrong, and clips that show it."""

    why: str
    clips: list[str]


class Check(NamedTuple):
    """The result of a check.

    Args:
        units: a row per speaker, sentence, class or clip that it checked, with columns `corpus` and `flagged`.
        num_checked: number of clips that have what it needs.
        examples: examples of what it flagged, created on demand.
    """

    units: pd.DataFrame
    num_checked: int
    examples: Iterable[Example]


def check_shared(clips: pd.DataFrame, column: str) -> Check:
    """Flags values of `column` that a corpus has in more than one split."""
    known = clips.dropna(subset=[column])
    groups = known.groupby(["corpus", column])
    units = groups["split"].nunique().gt(1).rename("flagged").reset_index()

    def examples() -> Iterator[Example]:
        for corpus, name in units.loc[units["flagged"], ["corpus", column]].itertuples(index=False):
            of_splits = groups.get_group((corpus, name)).groupby("split", observed=True)["id"]
            counts = ", ".join(f"{count} in {split}" for split, count in of_splits.size().items())
            yield Example(f"{corpus}, {column} {name}: {counts}", of_splits.first().tolist())

    return Check(units, len(known), examples())


def check_identical(clips: pd.DataFrame) -> Check:
    """Flags clips whose stored audio is, byte for byte, in another split too."""
    groups = clips.groupby("digest", sort=False)
    units = clips.assign(flagged=groups["split"].transform("nunique") > 1)
    return Check(units, len(clips), _duplicates(units[units["flagged"]].groupby("digest", sort=False)))


def check_repeated(clips: pd.DataFrame) -> Check:
    """Flags clips whose stored audio is, byte for byte, that of another clip of the same split."""
    units = clips.assign(flagged=clips.duplicated(["digest", "split"], keep=False))
    return Check(units, len(clips), _duplicates(units[units["flagged"]].groupby("digest", sort=False)))


def check_same_sound(clips: pd.DataFrame, fingerprints: np.ndarray, table: Dataset, thresholds: Thresholds) -> Check:
    """Flags clips whose sound is in another split too, but not byte for byte.

    Args:
        clips: with `split`, `digest` and `level_dbfs`.
        fingerprints: of shape `(clips, FINGERPRINT_SIZE)`.
        table: the same clips with their `audio`.
        thresholds: `fingerprint_radius`, `similarity` and `silent_dbfs`.
    """
    audible = ~check_silent(clips, thresholds).units["flagged"].to_numpy()  # silent clips are not evidence
    splits, digests = clips["split"].cat.codes.to_numpy(), clips["digest"].to_numpy()
    rows = np.flatnonzero(audible)
    pairs = rows[candidate_pairs(fingerprints[rows], splits[rows], thresholds.fingerprint_radius)]
    pairs = pairs[digests[pairs[:, 0]] != digests[pairs[:, 1]]]
    pairs = same_sounds(table, pairs, thresholds)
    flagged = np.isin(np.arange(len(clips)), pairs)
    units = clips.assign(flagged=flagged, sound=number_sounds(pairs, len(clips)))[audible]
    return Check(units, len(units), _duplicates(units[units["flagged"]].groupby("sound", sort=False)))


def check_imbalance(clips: pd.DataFrame, thresholds: Thresholds) -> Check:
    """Flags classes that have less than `least_share` of an even division of their corpus."""
    known = clips.dropna(subset=["emotion"])
    units = known.groupby(["corpus", "emotion"])["id"].agg(clips="size", first="first").reset_index()
    of_corpus = units.groupby("corpus")["clips"]
    units["even"] = of_corpus.transform("sum") / of_corpus.transform("size")
    units["ratio"] = units["clips"] / units["even"]
    units["flagged"] = units["ratio"] < thresholds.least_share
    why = "{corpus}: {clips} {emotion}, {ratio:.2f} of its even share of {even:.0f}"
    examples = (Example(why.format_map(row), [row["first"]]) for row in _records(units[units["flagged"]]))
    return Check(units, len(known), examples)


def check_clipped(clips: pd.DataFrame, thresholds: Thresholds) -> Check:
    """Flags clips whose peaks are cut off."""
    flagged = (clips["plateaus"] >= thresholds.plateaus) | (clips["loud_runs"] >= thresholds.loud_runs)
    why = "{id}: {plateaus} plateaus at its peak, {loud_runs} runs near full scale"
    return _check_clips(clips, flagged, why)


def check_silent(clips: pd.DataFrame, thresholds: Thresholds) -> Check:
    """Flags clips whose loudest 0.1 s is quieter than speech."""
    why = "{id}: {level_dbfs:.0f} dBFS at its loudest"
    return _check_clips(clips, clips["level_dbfs"] < thresholds.silent_dbfs, why)


def check_gender_pitch(clips: pd.DataFrame, thresholds: Thresholds) -> Check:
    """Flags voices whose baseline pitch contradicts their gender: the median over their calm clips.

    Emotion raises pitch, an angry man's beyond most women's; and pYIN now and then takes noise for a high voice. A
    voice with few calm clips is not checked. Clips without a speaker are one voice, by corpus and gender.
    """
    known = clips[clips["gender"].isin(["female", "male"])].dropna(subset=["f0_mean"])
    voices = known.groupby(["corpus", "speaker", "gender"], dropna=False)
    known = known.assign(voice=voices.ngroup())
    calm = known[known["emotion"].isin(CALM)].groupby("voice")
    units = calm[["corpus", "speaker", "gender"]].first().assign(size=calm.size(), hz=calm["f0_mean"].median())
    units = units[units["size"] >= thresholds.baseline_clips].reset_index()
    male = units["gender"] == "male"
    units["flagged"] = (male & (units["hz"] > thresholds.male_hz)) | (~male & (units["hz"] < thresholds.female_hz))
    checked = known[known["voice"].isin(units["voice"])]
    why = "{corpus}, speaker {speaker}: {gender}, but {hz:.0f} Hz in {size} calm clips"
    examples = (
        Example(why.format_map(row), checked.loc[checked["voice"] == row["voice"], "id"].head(MAX_EXAMPLES).tolist())
        for row in _records(units[units["flagged"]])
    )
    return Check(units, len(checked), examples)


def _check_clips(clips: pd.DataFrame, flagged: pd.Series, why: str) -> Check:
    units = clips.assign(flagged=flagged)
    examples = (Example(why.format_map(row), [row["id"]]) for row in _records(units[flagged]))
    return Check(units, len(units), examples)


def _records(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    return (dict(zip(rows.columns, row, strict=True)) for row in rows.itertuples(index=False, name=None))


def _duplicates(groups: DataFrameGroupBy[Any, Any]) -> Iterator[Example]:
    for _, group in groups:
        turn = group.groupby("split", observed=True).cumcount()  # every split has its turn before the examples are full
        shown = group.loc[turn.sort_values(kind="stable").index[:MAX_EXAMPLES]]
        why = ", ".join(f"{id_} in {split}" for id_, split in zip(shown["id"], shown["split"], strict=True))
        yield Example(why, shown["id"].tolist())
