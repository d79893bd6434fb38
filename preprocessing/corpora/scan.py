"""Corpus folders -> every clip in them, labeled, or skipped with a reason. Opens no audio."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from common.text_files import shorten

from ..clip import Clip, SkippedClip
from ..labels import LABEL_RULES, NONE, load_label_rules, normalize
from ..votes import map_votes, vote_columns
from . import CORPORA, Corpus
from .user_audio import UserAudio, enclosing_folder, read_folder, read_table

USER_AUDIO = ("folder", "table")
# Reasons of skipped clips
BROKEN_LINK = "a broken link"
NOT_A_FILE = "not a file, but a pipe, a socket or a device"
UNKNOWN_GENDER = "the gender of the voice is not known (a child, a group, …)"


@dataclass(frozen=True)
class Source:
    """A corpus to read: `name`, a key of `CORPORA` or one of `USER_AUDIO`, and where it lies.

    For a user's own audio also its `locale` and `style`, where a table does not give them, its `license`, and as
    `scale` the ranges of its numbers, such as `valence=1:7 arousal=1:7`.

    Raises:
        ValueError: the name is not that of a corpus, or the path does not exist.
    """

    name: str
    path: Path
    locale: str | None = None
    style: str | None = None
    license: str | None = None
    scale: str | None = None

    @property
    def is_own(self) -> bool:
        """Whether it is a user's own audio."""
        return self.name in USER_AUDIO

    @property
    def corpus(self) -> str:
        """The corpus of its clips: for a user's own audio the name of its folder, unless a table gives another."""
        return unicodedata.normalize("NFC", enclosing_folder(self.path).name) if self.is_own else self.name

    def __post_init__(self) -> None:
        if self.name not in CORPORA and self.name not in USER_AUDIO:
            raise ValueError(
                f"{self.name!r} is not a corpus. Expected one of {', '.join(CORPORA)}, or for your own audio "
                f"{' or '.join(USER_AUDIO)}."
            )
        if self.name == "table":
            if not self.path.exists():
                raise ValueError(f"{self.path}: the table does not exist.")
        elif not self.path.is_dir():
            raise ValueError(f"{self.path}: the folder of {self.name} does not exist.")

    @classmethod
    def parse(cls, text: str) -> Source:
        """Reads `NAME=PATH`."""
        name, separator, path = text.partition("=")
        if not separator:
            raise ValueError(f"Expected a corpus as NAME=FOLDER, such as ravdess=/data/RAVDESS, got {text!r}.")
        return cls(name, Path(path).expanduser())


def scan(
    sources: Iterable[Source],
    label_rules: str = "paper",
    label_map: Mapping[str, str] | None = None,
    user_audio: UserAudio | None = None,
    speaker_genders: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Clip | SkippedClip]:
    """Reads all corpora, in the order given.

    Args:
        sources: the corpora.
        label_rules: see [`load_label_rules`]. With `paper`, voices whose gender is not known are skipped, unless the
            corpus gives no gender at all; and a user's own audio goes by the `strict` rules, since the merges of
            `paper` (calm into neutral, …) are the paper's.
        label_map: label -> emotion, or `none` to skip its clips; extends the rules. The emotion may be another than the
            seven.
        user_audio: how folders and tables are read.
        speaker_genders: corpus -> speaker -> gender, for corpora whose authors do not give it.

    Raises:
        ValueError: a corpus is not found, occurs twice, or has a label that the rules lack.
    """
    found = scan_sources(sources, label_rules, label_map, user_audio, speaker_genders)
    return [entry for _, entries in found for entry in entries]


def scan_sources(
    sources: Iterable[Source],
    label_rules: str = "paper",
    label_map: Mapping[str, str] | None = None,
    user_audio: UserAudio | None = None,
    speaker_genders: Mapping[str, Mapping[str, str]] | None = None,
) -> list[tuple[Source, list[Clip | SkippedClip]]]:
    """As [`scan`], with the entries of each source apart."""
    label_map = {normalize(label): normalize(emotion) for label, emotion in (label_map or {}).items()}
    published_rules = {**load_label_rules(label_rules), **label_map}
    own_rules = {**LABEL_RULES["strict"], **label_map} if label_rules == "paper" else published_rules
    genders = speaker_genders or {}
    all_found: list[tuple[Source, list[Clip | SkippedClip]]] = []
    labels: set[str] = set()
    for source in sources:
        found = [_set_gender(_check_file(entry), genders) for entry in _read(source, user_audio or UserAudio())]
        labels |= {normalize(label) for clip in _clips(found) for label in _labels(clip)}
        if source.is_own:
            _check_name(source, found)
            _check_labels(source, found, own_rules)
        found = [_set_emotion(entry, own_rules if source.is_own else published_rules) for entry in found]
        if label_rules == "paper" and not source.is_own and CORPORA[source.name].genders:
            found = [_require_gender(entry) for entry in found]
        all_found.append((source, found))
    _check_corpora([{clip.corpus for clip in _clips(found)} for _, found in all_found])
    _check_label_map(label_map, labels)
    _check_speakers([clip for _, found in all_found for clip in _clips(found)], genders)
    return all_found


def _clips(entries: Iterable[Clip | SkippedClip]) -> Iterator[Clip]:
    return (entry for entry in entries if isinstance(entry, Clip))


def _labels(clip: Clip) -> Iterator[str]:
    """The authors' label of a clip, and those that its annotators could vote for."""
    if clip.raw_label:
        yield clip.raw_label
    yield from vote_columns("emotion", clip.extra)


def _check_corpora(corpora: Iterable[set[str]]) -> None:
    counts = Counter(corpus for of_source in corpora for corpus in of_source)
    repeated = [corpus for corpus, count in counts.items() if count > 1]
    if repeated:
        raise ValueError(
            f"Several sources have the corpus {', '.join(repeated)}. For a published corpus, give the folder above all "
            "its parts; of your own corpora, rename one."
        )


def _check_file(entry: Clip | SkippedClip) -> Clip | SkippedClip:
    if isinstance(entry, SkippedClip) or os.path.isfile(entry.path):  # noqa: PTH113 - Path.is_file may raise
        return entry
    is_broken = entry.path.is_symlink() and not os.path.exists(entry.path)  # noqa: PTH110
    return SkippedClip(entry.id, BROKEN_LINK if is_broken else NOT_A_FILE)


def _check_name(source: Source, entries: Iterable[Clip | SkippedClip]) -> None:
    taken = {clip.corpus for clip in _clips(entries)} & CORPORA.keys()
    if taken:
        raise ValueError(
            f"{source.path}: {', '.join(taken)} is the name of a published corpus. Read it as such "
            f"(--corpus {min(taken)}=…), or give your own another name."
        )


def _check_label_map(label_map: Mapping[str, str], labels: Collection[str]) -> None:
    """Refuses labels that do not occur: a misspelled one would silently have no effect."""
    unknown = label_map.keys() - set(labels)
    if unknown:
        raise ValueError(
            f"--label_map: the label {', '.join(sorted(unknown))} does not occur; expected one of "
            f"{', '.join(sorted(labels))}."
        )


def _check_speakers(clips: Iterable[Clip], genders: Mapping[str, Mapping[str, str]]) -> None:
    """Refuses speakers who do not occur: a misspelled one would silently have no effect."""
    speakers: dict[str, set[str | None]] = defaultdict(set)
    for clip in clips:
        speakers[clip.corpus].add(clip.speaker)
    for corpus, of_corpus in genders.items():
        unknown = of_corpus.keys() - speakers[corpus]
        if unknown:
            known = ", ".join(sorted(map(str, speakers[corpus]))) or "no clips"
            raise ValueError(
                f"--speaker_genders: {corpus} does not have the speaker {', '.join(sorted(unknown))}; it has {known}."
            )


def _set_gender(entry: Clip | SkippedClip, genders: Mapping[str, Mapping[str, str]]) -> Clip | SkippedClip:
    if isinstance(entry, SkippedClip) or entry.speaker is None:
        return entry
    gender = genders.get(entry.corpus, {}).get(entry.speaker)
    return entry if gender is None else replace(entry, gender=gender)


def _require_gender(entry: Clip | SkippedClip) -> Clip | SkippedClip:
    """Skips children, groups and unknown voices: every clip that the paper counts is a man's or a woman's."""
    if isinstance(entry, SkippedClip) or entry.gender is not None:
        return entry
    return SkippedClip(entry.id, UNKNOWN_GENDER, "rule")


def _read(source: Source, options: UserAudio) -> list[Clip | SkippedClip]:
    if source.is_own:
        options = replace(options, locale=source.locale or options.locale, style=source.style or options.style)
        read = {"folder": read_folder, "table": read_table}[source.name]
        found = list(read(source.path, options))
        if not any(_clips(found)):
            raise ValueError(f"{source.path}: no clip was found. {_examples(found)}{_OWN_FORM[source.name]}")
        return found
    found = list(CORPORA[source.name].read(source.path))
    if not any(_clips(found)):
        raise ValueError(
            f"{source.path} is not a folder of {source.name}: expected {CORPORA[source.name].form}. "
            f"{_examples(found)}{_resemblance(source.path)}"
        )
    return found


_OWN_FORM = {
    "folder": "Expected a folder per class with audio files in it.",
    "table": "Expected rows that name files; --audio_folder is the folder where their paths start.",
}


def _examples(entries: list[Clip | SkippedClip]) -> str:
    skipped = [entry for entry in entries if isinstance(entry, SkippedClip)]
    if not skipped:
        return "It has no audio files. "
    return f"It has {len(skipped)} other files, such as {skipped[0].id.split('/', 1)[1]} ({skipped[0].reason}). "


def _resemblance(path: Path) -> str:
    """Which corpus the folder resembles most."""
    counts = {name: _count_clips(corpus, path) for name, corpus in CORPORA.items()}
    name = max(counts, key=counts.__getitem__)
    return f"It resembles {name} ({counts[name]} clips)." if counts[name] else ""


def _count_clips(corpus: Corpus, path: Path) -> int:
    """The number of clips of a corpus in a folder; 0 where the files that describe them are missing."""
    try:
        return sum(1 for _ in _clips(corpus.read(path)))
    except ValueError:
        return 0


def _check_labels(source: Source, entries: list[Clip | SkippedClip], rules: Mapping[str, str]) -> None:
    counts = Counter(label for clip in _clips(entries) for label in _labels(clip))
    unknown = {label: count for label, count in counts.items() if normalize(label) not in rules}
    if unknown:
        listed = ", ".join(f"{shorten(label)} ({count} clips)" for label, count in sorted(unknown.items())[:20])
        listed += f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
        first = min(unknown)[:40]
        raise ValueError(
            f"{source.path}: the rules have no emotion for {listed}. Map each label: --label_map {first}=happy, or "
            f"{first}={first} for a class of its own, or {first}={NONE} to skip its clips."
        )


def no_counterpart(raw_label: str) -> str:
    """The reason of a skipped clip whose label is mapped to no emotion."""
    return f"the label {raw_label!r} has no counterpart among the emotions"


def _set_emotion(entry: Clip | SkippedClip, rules: Mapping[str, str]) -> Clip | SkippedClip:
    if isinstance(entry, SkippedClip):
        return entry
    if vote_columns("emotion", entry.extra):
        entry = replace(entry, extra=map_votes(entry.extra, "emotion", rules))
    if entry.raw_label is None:
        return entry
    emotion = rules.get(normalize(entry.raw_label), NONE)
    if emotion == NONE:
        return SkippedClip(entry.id, no_counterpart(entry.raw_label), "rule")
    return replace(entry, emotion=emotion)
