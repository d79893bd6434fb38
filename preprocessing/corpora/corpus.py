"""Corpus: the description of a published corpus, and what the adapters share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.audio_files import walk

from ..clip import IS_COPY, UNEXPECTED_NAME, Clip, SkippedClip, clip_id

ClipFields = dict[str, Any]  # arguments of a Clip


@dataclass(frozen=True)
class Corpus:
    """A published corpus.

    Args:
        name: its key in `CORPORA`.
        title: its name in Table 1 of the paper.
        locale, style: as the paper's Table 1 gives them.
        homepage, license: as the authors state them; where sources differ, the license names both.
        commercial, redistributable: whether the license allows commercial use, and passing the recordings on. False
            where it is not stated or sources differ.
        paper_clips: number of its clips in Table 1, `None` if it is not in the table.
        paper_differs: the reason why the complete corpus has another number of clips, if it has.
        complete_clips: number of clips of the complete corpus under the paper's rules, where it is known and differs
            from `paper_clips`.
        usable_files: number of files of the complete corpus that can be decoded, before any rule, where
            `complete_clips` is not known.
        form: a short description of the layout that `read` expects.
        pattern: regular expression for the end of a path, with `/` between folders. What it matches is the path in the
            clip's id, so that the id does not depend on where the corpus lies.
        describe: named groups of the pattern, in lower case -> fields of the [`Clip`]. An `id` among them replaces the
            matched path in the id of the clip, where releases name the same file differently.
        suffixes: suffixes of its audio files, in lower case.
        genders: whether the gender of any voice is known.
        scales: the range of each further label that annotators chose from a scale, by its name.
    """

    name: str
    title: str
    locale: str
    style: str
    homepage: str
    license: str
    commercial: bool
    redistributable: bool
    paper_clips: int | None
    form: str
    pattern: str
    describe: Callable[[dict[str, str]], ClipFields]
    suffixes: tuple[str, ...] = (".wav",)
    genders: bool = True
    paper_differs: str = ""
    complete_clips: int | None = None
    usable_files: int | None = None
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def read(self, root: Path) -> Iterator[Clip | SkippedClip]:
        """Reads the corpus by its paths, without opening a file. A corpus with labels in other files extends this.

        Args:
            root: its folder, or a folder above it.

        Yields:
            A [`Clip`] for each file that the pattern matches, a [`SkippedClip`] for every other file and for copies.
        """
        parser = re.compile(rf"(?:^|/)({self.pattern})$", re.IGNORECASE)
        seen = set()
        for path in walk(root, self.suffixes):
            match = parser.search(composed(path.as_posix()))
            found = clip_id(self.name, path.relative_to(root))
            if match is None:
                yield SkippedClip(found, UNEXPECTED_NAME)
                continue
            fields = self.describe({name: group and group.lower() for name, group in match.groupdict().items()})
            id_ = clip_id(self.name, fields.pop("id", match[1]))
            if id_.casefold() in seen:
                yield SkippedClip(found, IS_COPY, "duplicate")
                continue
            seen.add(id_.casefold())
            yield Clip(id=id_, path=path, corpus=self.name, locale=self.locale, style=self.style, **fields)


def composed(text: str) -> str:
    """The text in Unicode NFC, with accents in the character of their letter: some systems unpack them apart."""
    return unicodedata.normalize("NFC", text)
