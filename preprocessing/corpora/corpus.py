"""Corpus: what an adapter says of a published corpus, and what adapters share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from common.audio_files import walk

from ..clip import Clip, SkippedClip, clip_id


@dataclass(frozen=True)
class Corpus:
    """A published corpus.

    Args:
        name: its key in `CORPORA`.
        title: its name in Table 1 of the paper.
        locale, style: as the paper's Table 1 gives them.
        homepage, license: of the publisher; where sources differ, the license says so.
        commercial, redistributable: whether the license allows commercial use, and passing the recordings on. False
            where it does not say or sources differ.
        paper_clips: its clips in Table 1, `None` if it is not there.
        paper_differs: why that is not what its folder gives, where it is not.
        whole_clips: what its whole folder gives under the paper's rules, if that is not `paper_clips`, and is known.
        usable_files: those of its whole folder that can be decoded, before any rule, where `whole_clips` is not known.
        form: the layout that `read` expects, in a few words.
        genders: whether it is known, at all, which voices are men's and which are women's.
        read: yields a [`Clip`] or a [`SkippedClip`] for each of its audio files below a folder, without opening them.
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
    read: Callable[[Path], Iterator[Clip | SkippedClip]]
    genders: bool = True
    paper_differs: str = ""
    whole_clips: int | None = None
    usable_files: int | None = None


def composed(text: str) -> str:
    """Letters and their accents as one character (NFC): some systems unpack names with accents apart."""
    return unicodedata.normalize("NFC", text)


def parse_tree(
    corpus: Corpus,
    root: Path,
    pattern: str,
    describe: Callable[[dict[str, str]], dict],
    suffixes: tuple[str, ...] = (".wav",),
) -> Iterator[Clip | SkippedClip]:
    """Reads a corpus whose labels stand in its paths.

    Args:
        corpus: the corpus.
        root: its folder, or a folder above it.
        pattern: regular expression for the end of a path, with `/` between folders. What it matches is the path in the
            clip's id, so that the id does not depend on where `root` lies.
        describe: named groups of the pattern, in lower case -> fields of the [`Clip`]. An `id` among them stands for
            the matched path in the clip's id, where releases name the same file differently.
        suffixes: of its audio files, in lower case.

    Yields:
        A [`Clip`] for each file that the pattern fits, a [`SkippedClip`] for each other one and for copies of the same
        file.
    """
    grammar = re.compile(rf"(?:^|/)({pattern})$", re.IGNORECASE)
    seen = set()
    for path in walk(root, suffixes):
        match = grammar.search(composed(path.as_posix()))
        found = clip_id(corpus.name, path.relative_to(root))
        if match is None:
            yield SkippedClip(found, "the file name is not of the corpus's form")
            continue
        fields = describe({name: group and group.lower() for name, group in match.groupdict().items()})
        id_ = clip_id(corpus.name, fields.pop("id", match[1]))
        if id_.casefold() in seen:
            yield SkippedClip(found, "the same file again in another folder", "copy")
            continue
        seen.add(id_.casefold())
        yield Clip(
            id=id_,
            path=path,
            corpus=corpus.name,
            locale=corpus.locale,
            style=corpus.style,
            **fields,
        )
