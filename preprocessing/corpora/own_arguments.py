"""What only the user knows of own audio: its locale, its style and its license, of each corpus."""

from __future__ import annotations

import argparse
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from common.command_line import pair

if TYPE_CHECKING:
    from .scan import Source

STYLES = ("acted", "natural")
LICENSE_USES = ("commercial", "redistributable")
_KNOWN = r"cc0(-1\.0)?|cc-by(-nc)?(-sa|-nd)?(-\d\.\d)?|apache-2\.0|mit|odbl(-1\.0)?|odc-by(-1\.0)?|pddl(-1\.0)?"


def add_own_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `prepare.py` that are of a user's own audio alone."""
    own = parser.add_argument_group("your own audio")
    of_each = {"nargs": "+", "default": [], "metavar": "[CORPUS=]VALUE"}
    own.add_argument("--locale", **of_each, help="such as pl-PL")
    own.add_argument("--style", **of_each, type=_style, help=" or ".join(STYLES))
    own.add_argument("--license", **of_each, help="such as CC BY 4.0")
    own.add_argument("--columns", nargs="+", type=pair, default=[], metavar="OURS=YOURS", help="columns of the table")
    own.add_argument(
        "--label_names", nargs="+", type=pair, default=[], metavar="LABEL=EMOTION", help="EMOTION none drops the clips"
    )
    own.add_argument("--gender_names", nargs="+", type=pair, default=[], metavar="WORD=GENDER")
    own.add_argument("--audio_folder", default="", help="where the table's paths start, from the table's folder")


def _style(text: str) -> str:
    style = text.rpartition("=")[2]
    if style not in STYLES:
        raise argparse.ArgumentTypeError(f"invalid choice: {style!r} (choose from {', '.join(STYLES)})")
    return text


def describe_sources(sources: Sequence[Source], texts: Mapping[str, Sequence[str]]) -> list[Source]:
    """The sources with what a user says of their own.

    Args:
        sources: published corpora and own ones.
        texts: `locale`, `style` or `license` -> values of own corpora: `VALUE`, where there is one own corpus, or
            `CORPUS=VALUE` with the name of its folder. They win over what a source says itself.

    Raises:
        ValueError: a value could be of several corpora, or is of none, or of one twice; or a style is not one.
    """
    own = [source.corpus for source in sources if source.is_own]
    said = {field: _by_corpus(f"--{field}", values, own) for field, values in texts.items()}
    described = [
        replace(source, **{field: values[source.corpus] for field, values in said.items() if source.corpus in values})
        if source.is_own
        else source
        for source in sources
    ]
    if wrong := {source.style for source in described} - {*STYLES, None}:
        raise ValueError(f"--style: expected {' or '.join(STYLES)}, got {', '.join(sorted(wrong))}.")
    if words := {source.license for source in described} & {*LICENSE_USES}:
        raise ValueError(f"--license {words.pop()}: expected the name of a license; see --license_use.")
    return described


def _by_corpus(flag: str, values: Sequence[str], own: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in values:
        corpus, named, value = text.rpartition("=")
        if not named and len(own) != 1:
            of_each = " ".join(f"{name}={value}" for name in own) or "no corpus is your own"
            raise ValueError(f"{flag} {value}: expected the value of each of your own corpora: {flag} {of_each}.")
        name = unicodedata.normalize("NFC", corpus) if named else own[0]
        if name not in own:
            raise ValueError(f"{flag} {text}: there is no corpus of your own called {name!r}, but {', '.join(own)}.")
        if name in found:
            raise ValueError(f"{flag} {text}: {name} has the value {found[name]!r} already.")
        found[name] = value
    return found


def stated_license(license_name: str) -> dict[str, str | bool | None]:
    """A license that a user states, in the form of [`~preprocessing.corpora.catalog.licenses`].

    `commercial` and `redistributable` are those of the well-known licenses, and `None` of any other. What allows no
    derivatives is not to be passed on: a prepared clip is one.
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
