"""Clip: a labeled segment of an audio file; SkippedClip: a file of a corpus, or a segment, that is left out."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from common.text_files import clean_text, escape_surrogates

from .tables.arrow import EmbeddedAudio

# Reasons of skipped clips that several corpora share; report.json counts clips by reason.
UNEXPECTED_NAME = "the file name does not have the form of the corpus"
IS_COPY = "a copy of a file in another folder"
NOT_IN_TABLE = "the table does not list this file"
MISSING_FILE = "the table lists a file that does not exist"

_CLEANED = ("locale", "speaker", "session", "sentence", "gender", "emotion", "raw_label", "style", "split")


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A labeled segment of an audio file. [`clean_text`] is applied to its texts.

    Args:
        id: corpus, path and start; the same on every machine.
        path: the audio file, or the table that embeds the recording; spelled as on the disk.
        embedded: the recording in the table, if `path` is one.
        start_s, end_s: bounds of the segment in seconds; `end_s=None` is the end of the file.
        corpus, locale: where it comes from, and its language and region.
        speaker: identifier within the corpus.
        session: identifier, within the corpus, of a recording session: its speakers occur in no other one.
        sentence: identifier or text of the spoken sentence, to find sentences that two splits share.
        gender: `male`, `female` or `None`.
        emotion: class name, `None` where the corpus gives no emotion at all.
        raw_label: the emotion as the authors of the corpus wrote it.
        style: `acted` or `natural`.
        split: the authors' own partition, `train`, `validation` or `test`.
        extra: further labels, by column name.
    """

    id: str
    path: Path
    embedded: EmbeddedAudio | None = None
    start_s: float = 0.0
    end_s: float | None = None
    corpus: str
    locale: str | None = None
    speaker: str | None = None
    session: str | None = None
    sentence: str | None = None
    gender: str | None = None
    emotion: str | None = None
    raw_label: str | None = None
    style: str | None = None
    split: str | None = None
    extra: Mapping[str, str | float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("id", "corpus"):
            object.__setattr__(self, name, unicodedata.normalize("NFC", getattr(self, name)))
        for name in _CLEANED:
            if (text := getattr(self, name)) is not None:
                object.__setattr__(self, name, clean_text(text) or None)

    @property
    def file_name(self) -> str:
        """The name of the recording, without folders."""
        return self.path.name if self.embedded is None else self.embedded.name


@dataclass(frozen=True, slots=True)
class SkippedClip:
    """A file, or a segment of one, that is left out.

    Args:
        id: of the [`Clip`] that it is or would have been.
        reason: the same text for all files that are left out for it.
        kind: `rule`: a rule on labels, voices or durations leaves it out; `duplicate`: it repeats a clip that is kept;
            `unusable`: it cannot be used, so that the corpus lacks it.
    """

    id: str
    reason: str
    kind: Literal["rule", "duplicate", "unusable"] = field(default="unusable", compare=False)


def clip_id(corpus: str, path: Path | str, start_s: float = 0.0) -> str:
    """`corpus/path`, followed by `@start` where the clip does not start with its file."""
    start = f"@{start_s:.3f}" if start_s else ""
    return escape_surrogates(unicodedata.normalize("NFC", f"{corpus}/{Path(path).as_posix()}{start}"))
