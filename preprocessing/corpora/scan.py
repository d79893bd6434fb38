"""Corpus folders -> every clip in them, labeled, or left out with a reason. Opens no audio."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from common.text_files import shorten

from ..clip import Clip, SkippedClip
from ..labels import DROP, LABEL_RULES, load_label_rules, normalize
from . import CORPORA, Corpus
from .user_audio import UserAudio, home_of, read_folder, read_table

USER_AUDIO = ("folder", "table")


@dataclass(frozen=True)
class Source:
    """A corpus to read: `name`, a key of `CORPORA` or one of `USER_AUDIO`, and where it lies.

    Of one's own audio also its `locale` and `style`, where a table does not say, and its `license`.

    Raises:
        ValueError: there is no such corpus, or nothing at the path.
    """

    name: str
    path: Path
    locale: str | None = None
    style: str | None = None
    license: str | None = None

    @property
    def is_own(self) -> bool:
        """Whether it is a user's own audio."""
        return self.name in USER_AUDIO

    @property
    def corpus(self) -> str:
        """What its clips are called, unless a table says otherwise: by the folder that holds a user's own, or is it."""
        return unicodedata.normalize("NFC", home_of(self.path).name) if self.is_own else self.name

    def __post_init__(self) -> None:
        if self.name not in CORPORA and self.name not in USER_AUDIO:
            raise ValueError(
                f"There is no corpus {self.name!r}. Known: {', '.join(CORPORA)}; for your own audio: "
                f"{' and '.join(USER_AUDIO)}."
            )
        if self.name == "table":
            if not self.path.exists():
                raise ValueError(f"{self.path}: no such table.")
        elif not self.path.is_dir():
            raise ValueError(f"{self.path}: no such folder, where {self.name} should be.")

    @classmethod
    def parse(cls, text: str) -> Source:
        """Reads `NAME=PATH`."""
        name, separator, path = text.partition("=")
        if not separator:
            raise ValueError(f"A corpus is given as NAME=FOLDER, such as ravdess=/data/RAVDESS; got {text!r}.")
        return cls(name, Path(path).expanduser())


def scan(
    sources: Iterable[Source],
    labels: str = "paper",
    label_names: Mapping[str, str] | None = None,
    user_audio: UserAudio | None = None,
    speaker_genders: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Clip | SkippedClip]:
    """Reads all corpora, in the order given.

    Args:
        sources: the corpora.
        labels: label rules, see [`load_label_rules`]. With `paper`, voices of which it is not known whether they are a
            man's or a woman's are left out, unless that is known of none in the corpus; and a user's own audio goes by
            the `strict` rules, since the merges of `paper` (calm into neutral, …) are the paper's.
        label_names: label -> emotion, `none` to drop it; adds to the rules. An emotion beyond the seven is welcome.
        user_audio: how folders and tables are read.
        speaker_genders: corpus -> speaker -> gender, where the user knows what the publisher does not say.

    Raises:
        ValueError: a corpus is not where it should be, occurs twice, or has a label that no rule names.
    """
    found = scan_sources(sources, labels, label_names, user_audio, speaker_genders)
    return [entry for _, entries in found for entry in entries]


def scan_sources(
    sources: Iterable[Source],
    labels: str = "paper",
    label_names: Mapping[str, str] | None = None,
    user_audio: UserAudio | None = None,
    speaker_genders: Mapping[str, Mapping[str, str]] | None = None,
) -> list[tuple[Source, list[Clip | SkippedClip]]]:
    """As [`scan`], apart for each source."""
    label_names = {normalize(label): normalize(emotion) for label, emotion in (label_names or {}).items()}
    published = {**load_label_rules(labels), **label_names}
    own = {**LABEL_RULES["strict"], **label_names} if labels == "paper" else published
    all_found: list[tuple[Source, list[Clip | SkippedClip]]] = []
    words: set[str] = set()
    corpora: Counter[str] = Counter()
    for source in sources:
        found = [_present(_speaker(entry, speaker_genders or {})) for entry in _read(source, user_audio or UserAudio())]
        rules = published
        if source.name in USER_AUDIO:
            rules = own
            _check_name(source, found)
            _check_labels(source, found, rules)
        words |= {normalize(entry.raw_label) for entry in found if isinstance(entry, Clip) and entry.raw_label}
        found = [_label(entry, rules) for entry in found]
        if labels == "paper" and source.name in CORPORA and CORPORA[source.name].genders:
            found = [_voice(entry) for entry in found]
        corpora.update({entry.corpus for entry in found if isinstance(entry, Clip)})
        all_found.append((source, found))
    twice = [corpus for corpus, count in corpora.items() if count > 1]
    if twice:
        raise ValueError(
            f"Two of the corpora are called {', '.join(twice)}. Of a published corpus, name the folder above all its "
            "parts; of your own, rename one."
        )
    _check_label_names(label_names, words)
    _check_speakers((entry for _, found in all_found for entry in found), speaker_genders or {})
    return all_found


def _present(entry: Clip | SkippedClip) -> Clip | SkippedClip:
    if isinstance(entry, SkippedClip) or os.path.isfile(entry.path):  # noqa: PTH113 - Path.is_file may raise
        return entry
    nowhere = entry.path.is_symlink() and not os.path.exists(entry.path)  # noqa: PTH110
    return SkippedClip(
        entry.id, "a link that leads nowhere" if nowhere else "not a file, but a pipe, a socket or a device"
    )


def _check_name(source: Source, entries: Iterable[Clip | SkippedClip]) -> None:
    taken = {entry.corpus for entry in entries if isinstance(entry, Clip)} & CORPORA.keys()
    if taken:
        raise ValueError(
            f"{source.path}: {', '.join(taken)} is the name of a published corpus. Read it as such "
            f"(--corpus {min(taken)}=…), or give your own another name."
        )


def _check_label_names(label_names: Mapping[str, str], words: set[str]) -> None:
    """Refuses names of labels that no clip has: a misspelt one would change nothing, and nobody would know."""
    strange = label_names.keys() - words
    if strange:
        raise ValueError(
            f"--label_names: no clip has the label {', '.join(sorted(strange))}; there are {', '.join(sorted(words))}."
        )


def _check_speakers(entries: Iterable[Clip | SkippedClip], genders: Mapping[str, Mapping[str, str]]) -> None:
    """Refuses genders of speakers who do not occur: a misspelt name would change nothing, and nobody would know."""
    there: dict[str, set] = defaultdict(set)
    for entry in entries:
        if isinstance(entry, Clip):
            there[entry.corpus].add(entry.speaker)
    for corpus, speakers in genders.items():
        strange = speakers.keys() - there[corpus]
        if strange:
            known = ", ".join(sorted(map(str, there[corpus]))) or "no clips"
            raise ValueError(
                f"--speaker_genders: {corpus} has no speaker {', '.join(sorted(strange))}; it has {known}."
            )


def _speaker(entry: Clip | SkippedClip, genders: Mapping[str, Mapping[str, str]]) -> Clip | SkippedClip:
    if isinstance(entry, SkippedClip) or entry.speaker not in genders.get(entry.corpus, {}):
        return entry
    return replace(entry, gender=genders[entry.corpus][entry.speaker])


def _voice(entry: Clip | SkippedClip) -> Clip | SkippedClip:
    """Every clip that the paper counts is a man's or a woman's: children, groups and unknown voices are left out."""
    if isinstance(entry, SkippedClip) or entry.gender is not None:
        return entry
    return SkippedClip(
        entry.id,
        "a voice of which it is not known whether it is a man's or a woman's (a child's, a group's, …)",
        "rule",
    )


def _read(source: Source, options: UserAudio) -> list[Clip | SkippedClip]:
    if source.name in USER_AUDIO:
        options = replace(options, locale=source.locale or options.locale, style=source.style or options.style)
        read = {"folder": read_folder, "table": read_table}[source.name]
        found = list(read(source.path, options))
        if not any(isinstance(entry, Clip) for entry in found):
            raise ValueError(f"{source.path}: no clip was found. {_examples(found)}{_OWN_FORM[source.name]}")
        return found
    found = list(CORPORA[source.name].read(source.path))
    if not any(isinstance(entry, Clip) for entry in found):
        raise ValueError(
            f"{source.path} does not look like {source.name}: expected {CORPORA[source.name].form}, found none of "
            f"them. {_examples(found)}{_resemblance(source.path)}"
        )
    return found


_OWN_FORM = {
    "folder": "Expected a folder per class with audio files in it.",
    "table": "Expected rows that name files; --audio_folder says where their paths start.",
}


def _examples(entries: list[Clip | SkippedClip]) -> str:
    drops = [entry for entry in entries if isinstance(entry, SkippedClip)]
    if not drops:
        return "There is no audio file at all. "
    return f"There are {len(drops)} other files, such as {drops[0].id.split('/', 1)[1]} ({drops[0].reason}). "


def _resemblance(path: Path) -> str:
    """What other corpus the folder looks like."""
    counts = {name: _count_clips(corpus, path) for name, corpus in CORPORA.items()}
    likeliest = max(counts, key=counts.__getitem__)
    return f"It looks like {likeliest} ({counts[likeliest]} clips)." if counts[likeliest] else ""


def _count_clips(corpus: Corpus, path: Path) -> int:
    """How many clips of a corpus there are below a folder; 0 where what describes them is missing."""
    try:
        return sum(isinstance(entry, Clip) for entry in corpus.read(path))
    except ValueError:
        return 0


def _check_labels(source: Source, entries: list[Clip | SkippedClip], rules: Mapping[str, str]) -> None:
    words = Counter(entry.raw_label for entry in entries if isinstance(entry, Clip) and entry.raw_label)
    unknown = {word: count for word, count in words.items() if normalize(word) not in rules}
    if unknown:
        listed = ", ".join(f"{shorten(word)} ({count} clips)" for word, count in sorted(unknown.items())[:20])
        listed += f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
        first = min(unknown)[:40]
        raise ValueError(
            f"{source.path}: no rule says which emotion {listed} is. Name each: --label_names {first}=happy, or "
            f"{first}={first} for a class of its own, or {first}={DROP} to leave its clips out."
        )


def _label(entry: Clip | SkippedClip, rules: Mapping[str, str]) -> Clip | SkippedClip:
    if isinstance(entry, SkippedClip) or entry.raw_label is None:
        return entry
    emotion = rules.get(normalize(entry.raw_label))
    if emotion is None or emotion == DROP:
        return SkippedClip(entry.id, f"the label {entry.raw_label!r} has no counterpart among the emotions", "rule")
    return replace(entry, emotion=emotion)
