"""The known corpora, their licenses, and which of them a folder holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from common.text_files import read_text
from common.text_tables import MISSING, format_table

from ..clip import Clip, SkippedClip
from . import CORPORA, Corpus
from .own_arguments import LICENSE_USES, stated_license
from .scan import USER_AUDIO, Source

LicenseInfo = Mapping[str, Any]  # title, license, homepage, and whether it allows each of LICENSE_USES


def read_sources(path: Path) -> list[Source]:
    """The corpora of a YAML file `NAME: FOLDER`; folders may be relative to the file's own.

    Own audio may have further fields, and several folders: `folder: [{path: calls, locale: de-DE, style: natural,
    license: CC BY 4.0, scale: valence=1:7}, …]`.

    Raises:
        ValueError: the file is not such a mapping, or a corpus is unknown or its folder missing.
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
    fields: Any = {"path": entry} if isinstance(entry, str) else entry
    allowed_fields = {"path", "locale", "style", "license", "scale"} if name in USER_AUDIO else {"path"}
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

    A user's own audio is kept, unless its license is stated and does not allow the use.

    Args:
        sources: the corpora.
        use: one of `LICENSE_USES`.
    """
    kept: list[Source] = []
    left_out: list[Source] = []
    for source in sources:
        (kept if _allows(source, use) else left_out).append(source)
    return kept, left_out


def _allows(source: Source, use: str) -> bool:
    if not source.is_own:
        return bool(getattr(CORPORA[source.name], use))
    return source.license is None or stated_license(source.license)[use] is not False


def licenses_of(found: Iterable[tuple[Source, Iterable[Clip | SkippedClip]]]) -> dict[str, LicenseInfo | None]:
    """The [`licenses`] of all corpora that were found; those of own audio as the source states them."""
    known: dict[str, LicenseInfo | None] = {}
    for source, entries in found:
        corpora = dict.fromkeys(entry.id.split("/", 1)[0] for entry in entries)
        known |= dict.fromkeys(corpora, stated_license(source.license)) if source.license else licenses(corpora)
    return known


def licenses(corpora: Iterable[str]) -> dict[str, LicenseInfo | None]:
    """Corpus -> its title, license and homepage, and the uses that it allows; `None` for a user's own audio."""
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
        folder: the folder with the most clips of it.
        clips: number of clips, before any rule.
        problem: why the clips cannot be read although their files are there.
    """

    folder: Path
    clips: int
    problem: str = ""


def find_corpora(root: Path) -> dict[str, Found]:
    """Finds corpora in a folder and in the folders right below it.

    Raises:
        ValueError: the folder does not exist.
    """
    if not root.is_dir():
        raise ValueError(f"--root {root}: the folder does not exist.")
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
    """All corpora as text, a line each; with `found`, which of them a folder holds."""
    headers, align = ["corpus", "locale", "type", "clips", "commercial", "redistribution", "license"], "lllrlll"
    rows = [_catalog_row(name, corpus) for name, corpus in CORPORA.items()]
    notes = ["clips: as in Table 1 of the paper. commercial, redistribution: whether the license clearly allows it."]
    if found is not None:
        headers, align = ["corpus", "found", "in", *headers[1:]], f"lrl{align[1:]}"
        rows = [[row[0], *_found_cells(found.get(row[0])), *row[1:]] for row in rows]
        notes.append("found: number of clips before labels and voices are skipped by the paper's rules.")
        notes += [f"{name}: {place.problem}" for name, place in found.items() if place.problem]
    return "\n".join([format_table(rows, headers, align), *notes])


def _catalog_row(name: str, corpus: Corpus) -> list[str]:
    clips = MISSING if corpus.paper_clips is None else f"{corpus.paper_clips:,}"
    uses = [_yes_or_no(corpus.commercial), _yes_or_no(corpus.redistributable)]
    return [name, corpus.locale, corpus.style, clips, *uses, f"{corpus.license}; {corpus.homepage}"]


def _found_cells(place: Found | None) -> list[str]:
    return ["0", MISSING] if place is None else [f"{place.clips:,}", place.folder.resolve().name]


def describe_left_out(source: Source, use: str) -> str:
    """Why `--license_use` leaves a corpus out."""
    known = CORPORA.get(source.name)
    license_text = f"{known.license}; {known.homepage}" if known else source.license
    return f"{source.corpus} is left out: its license does not allow {use} use ({license_text})"


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"
