"""Flags about a user's own audio: the locale, the style and the license of each corpus, and how a table is read."""

from __future__ import annotations

import argparse
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from common.command_line import pair

if TYPE_CHECKING:
    from .scan import Source

STYLES = ("acted", "natural")
LICENSE_USES = ("commercial", "redistributable")
_OF_EACH = "[CORPUS=]VALUE"
_KNOWN = r"cc0(-1\.0)?|cc-by(-nc)?(-sa|-nd)?(-\d\.\d)?|apache-2\.0|mit|odbl(-1\.0)?|odc-by(-1\.0)?|pddl(-1\.0)?"


def add_own_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `prepare.py` that concern a user's own audio."""
    own = parser.add_argument_group("your own audio")
    add = partial(own.add_argument, nargs="+", default=[])
    add("--locale", metavar=_OF_EACH, help="language and region, such as pl-PL")
    add("--style", metavar=_OF_EACH, type=_style, help=" or ".join(STYLES))
    add("--license", metavar=_OF_EACH, help="license, such as CC BY 4.0")
    add("--columns", type=pair, metavar="OURS=YOURS", help="names of the table's columns")
    add("--label_map", type=pair, metavar="LABEL=EMOTION", help="emotions of labels; `none` skips the clips")
    add("--gender_map", type=pair, metavar="LABEL=GENDER", help="genders of labels: female, male or none")
    add(
        "--scale",
        metavar="[CORPUS=]COLUMN=LOW:HIGH",
        help="range of a number that annotators chose, such as valence=1:7",
    )
    own.add_argument("--audio_folder", default="", help="where the table's paths start, relative to the table's folder")


def _style(text: str) -> str:
    style = text.rpartition("=")[2]
    if style not in STYLES:
        raise argparse.ArgumentTypeError(f"invalid choice: {style!r} (choose from {', '.join(STYLES)})")
    return text


def describe_sources(sources: Sequence[Source], texts: Mapping[str, Sequence[str]]) -> list[Source]:
    """The sources, with the fields of own corpora as the user gives them.

    Args:
        sources: published corpora and own ones.
        texts: `locale`, `style` or `license` -> values of own corpora: `VALUE`, where there is one own corpus, or
            `CORPUS=VALUE` with the name of its folder. They take precedence over the fields of a source.

    Raises:
        ValueError: a value is ambiguous, belongs to no own corpus or repeats another, or a style is not valid.
    """
    own = [source.corpus for source in sources if source.is_own]
    given = {field: _by_corpus(f"--{field}", values, own) for field, values in texts.items()}
    described = [_describe(source, given) if source.is_own else source for source in sources]
    for source in described:
        if source.style not in (*STYLES, None):
            raise ValueError(f"--style: expected {' or '.join(STYLES)}, got {source.style}.")
        if source.license in LICENSE_USES:
            raise ValueError(f"--license {source.license}: expected the name of a license; see --license_use.")
    return described


def _describe(source: Source, given: Mapping[str, Mapping[str, str]]) -> Source:
    fields: dict[str, Any] = {name: values[source.corpus] for name, values in given.items() if source.corpus in values}
    return replace(source, **fields)


def _by_corpus(flag: str, values: Sequence[str], own: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in values:
        corpus, named, value = text.rpartition("=")
        if not named and len(own) != 1:
            if not own:
                raise ValueError(f"{flag} {value} applies to your own audio, but all corpora are published ones.")
            of_each = " ".join(f"{name}={value}" for name in own)
            raise ValueError(f"{flag} {value}: expected a value for each of your own corpora, such as {of_each}.")
        name = unicodedata.normalize("NFC", corpus) if named else own[0]
        if name not in own:
            raise ValueError(f"{flag} {text}: {name!r} is not one of your own corpora: {', '.join(own)}.")
        if name in found:
            raise ValueError(f"{flag} {text}: {name} already has the value {found[name]!r}.")
        found[name] = value
    return found


def stated_license(license_name: str) -> dict[str, str | bool | None]:
    """A license that a user states, in the form of [`~preprocessing.corpora.catalog.licenses`].

    `commercial` and `redistributable` are those of well-known licenses, and `None` for any other license. A license
    that forbids derivatives is not redistributable: a prepared clip is a derivative.
    """
    name = "-".join(license_name.lower().split())
    known = (
        {"commercial": "-nc" not in name, "redistributable": "-nd" not in name} if re.fullmatch(_KNOWN, name) else {}
    )
    return {
        "title": None,
        "license": license_name,
        "homepage": None,
        "commercial": None,
        "redistributable": None,
    } | known
