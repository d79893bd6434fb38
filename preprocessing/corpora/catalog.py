"""What corpora there are, under which licenses, and what a folder holds of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from common.text_files import read_text

from ..clip import Clip, SkippedClip
from . import CORPORA
from .own_arguments import LICENSE_USES, stated_license
from .scan import USER_AUDIO, Source


def read_sources(path: Path) -> list[Source]:
    """The corpora of a YAML file `NAME: FOLDER`; folders may be relative to the file's own.

    Own audio may have more than a folder, and be of several: `folder: [{path: calls, locale: de-DE, style: natural,
    license: CC BY 4.0}, …]`.

    Raises:
        ValueError: the file is none, or names an unknown corpus or a missing folder.
    """
    try:
        content = yaml.safe_load(read_text(path))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"--corpora {path}: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise ValueError(f"{path}: expected a YAML mapping of corpora to folders, such as `ravdess: /data/RAVDESS`.")
    return [
        _source(path, name, entry)
        for name, entries in content.items()
        for entry in (entries if isinstance(entries, list) else [entries])
    ]


def _source(file: Path, name: str, entry: object) -> Source:
    fields = {"path": entry} if isinstance(entry, str) else entry
    allowed_fields = {"path", "locale", "style", "license"} if name in USER_AUDIO else {"path"}
    if (
        not isinstance(fields, dict)
        or "path" not in fields
        or not fields.keys() <= allowed_fields
        or not all(isinstance(value, str) for value in fields.values())
    ):
        listed = ", ".join(sorted(allowed_fields))
        raise ValueError(f"{file}, {name}: got {entry!r}, expected a folder, or a YAML mapping of {listed}.")
    return Source(name, **(fields | {"path": file.parent / Path(fields["path"]).expanduser()}))


def allowed(sources: Iterable[Source], use: str) -> tuple[list[Source], list[Source]]:
    """Divides corpora into those whose license allows a use, and the others.

    Your own audio is for you to judge, unless you state a license that does not allow it.

    Args:
        sources: the corpora.
        use: one of `LICENSE_USES`.
    """
    kept, left_out = [], []
    for source in sources:
        (kept if _allows(source, use) else left_out).append(source)
    return kept, left_out


def _allows(source: Source, use: str) -> bool:
    if not source.is_own:
        return getattr(CORPORA[source.name], use)
    return source.license is None or stated_license(source.license)[use] is not False


def licenses_of(found: Iterable[tuple[Source, Iterable[Clip | SkippedClip]]]) -> dict[str, dict]:
    """The [`licenses`] of all that was found, own audio's as its source states it."""
    known = {}
    for source, entries in found:
        corpora = dict.fromkeys(entry.id.split("/", 1)[0] for entry in entries)
        known |= dict.fromkeys(corpora, stated_license(source.license)) if source.license else licenses(corpora)
    return known


def licenses(corpora: Iterable[str]) -> dict[str, dict]:
    """Corpus -> its title, its license, where to read it, and what it allows; `None` for a user's own audio."""
    return {
        name: {
            "title": CORPORA[name].title,
            "license": CORPORA[name].license,
            "homepage": CORPORA[name].homepage,
            **{use: getattr(CORPORA[name], use) for use in LICENSE_USES},
        }
        if name in CORPORA
        else None
        for name in corpora
    }


class Found(NamedTuple):
    """Where a corpus was found.

    Args:
        folder: the one with the most clips of it.
        clips: how many, before any rule.
        problem: why there is none although its files are there.
    """

    folder: Path
    clips: int
    problem: str = ""


def find_corpora(root: Path) -> dict[str, Found]:
    """Looks for corpora in a folder and in those right below it.

    Raises:
        ValueError: there is no such folder.
    """
    if not root.is_dir():
        raise ValueError(f"--root {root}: no such folder.")
    below = [path for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    found: dict[str, Found] = {}
    for name, corpus in CORPORA.items():
        for folder in (*below, root):
            try:
                clips = sum(isinstance(entry, Clip) for entry in corpus.read(folder))
            except ValueError as error:
                found.setdefault(name, Found(folder, 0, str(error)))
                continue
            if clips > (found[name].clips if name in found else 0):
                found[name] = Found(folder, clips)
    return found


def format_catalog(found: Mapping[str, Found] | None) -> str:
    """All corpora as text, a line each; with `found`, what a folder holds of them."""
    header = f"{'corpus':<12}{'locale':<9}{'type':<9}{'clips':>7}  {'commercial':<12}{'redistribution':<16}"
    lines = [header + (f"{'found':>7}  {'in':<24}" if found is not None else "") + "license and homepage"]
    for name, corpus in CORPORA.items():
        line = f"{name:<12}{corpus.locale:<9}{corpus.style:<9}{_count(corpus.paper_clips):>7}  "
        line += f"{_yes(corpus.commercial):<12}{_yes(corpus.redistributable):<16}"
        if found is not None:
            place = found.get(name)
            line += f"{place.clips if place else 0:>7,}  {place.folder.resolve().name if place else '–':<24}"
        lines.append(f"{line}{corpus.license}; {corpus.homepage}")
    lines.append("clips: by Table 1 of the paper. commercial, redistribution: whether the license plainly allows it.")
    if found is not None:
        lines.append("found: before labels and voices are left out by the paper's rules.")
        lines += [f"{name}: {place.problem}" for name, place in found.items() if place.problem]
    return "\n".join(lines)


def describe_left_out(source: Source, use: str) -> str:
    """Why `--license_use` leaves a corpus out."""
    known = CORPORA.get(source.name)
    why = f"{known.license}; {known.homepage}" if known else source.license
    return f"left out, no {use} use: {source.corpus} ({why})"


def _count(clips: int | None) -> str:
    return "–" if clips is None else f"{clips:,}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
