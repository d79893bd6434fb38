"""`splits/*.json` of a prepared folder: written for every protocol, and read by name: `paper`, `loco:ravdess`."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from common.command_line import did_you_mean
from common.files import write_json
from common.text_files import read_text

from .protocols import CORPUS, PROTOCOLS, SPLITS, CorpusRule, Row, make_split

_FOLDER = "splits"
# What a file may hold, with its types.
_KEYS: dict[str, Any] = {
    "protocol": str,
    "description": str,
    "corpus_rule": str,
    "seed": int | str,
    "notes": list,
    "clips": dict,
}


def write_split_files(rows: Sequence[Row], folder: str | os.PathLike, seed: int) -> dict[str, list[str]]:
    """Divides clips by every protocol; a family is one file, for it is the same division whichever corpus is chosen.

    Args:
        rows: all clips.
        folder: a prepared folder.
        seed: of the protocols.

    Returns:
        Protocol -> notes on where it could not be kept.
    """
    notes = {}
    for name, protocol in PROTOCOLS.items():
        splits, notes[name] = make_split(rows, name, seed)
        content = {
            "protocol": name,
            "description": protocol.description,
            **({"corpus_rule": protocol.corpus_rule} if protocol.corpus_rule else {}),
            "seed": seed,
            "notes": notes[name],
            "clips": splits,
        }
        write_json(Path(folder, _FOLDER, f"{name}.json"), content)
    return notes


def load_protocol(folder: str | os.PathLike, protocol: str) -> dict:
    """What a protocol's file says beside the clips.

    Args:
        folder: a prepared folder.
        protocol: name of a file in its `splits`, of a family with the corpus, `NAME:CORPUS`.

    Returns:
        The file's content without `clips`, with `protocol` as given, `family` (the file's name), `corpus` (`None` but
        for a family), and a description that names the corpus. Notes on a corpus that is left out are left out too.

    Raises:
        ValueError: there is no such protocol, it lacks a corpus or leaves no choice of one, or nothing is left to
            train on.
    """
    return _read(folder, protocol)[0]


def load_splits(folder: str | os.PathLike, protocol: str) -> dict[str, str | None]:
    """Clip id -> split, `None` for a clip that is in none; arguments and errors are those of [`load_protocol`]."""
    return _read(folder, protocol)[1]


def check_ids(ids: Iterable[str], split_of: Mapping[str, str | None], folder: str | os.PathLike, protocol: str) -> None:
    """Checks that a protocol is of the clips of a prepared folder, of all of them and no others.

    Raises:
        ValueError: it is not; the message counts the clips that differ.
    """
    path = Path(folder, _FOLDER, f"{protocol.partition(':')[0]}.json")
    for found, what in (
        (set(ids) - split_of.keys(), "clips of the folder are not in it; null puts one in no split"),
        (split_of.keys() - set(ids), "ids in it are of no clip in the folder"),
    ):
        if found:
            raise ValueError(f"{path}: {len(found):,} {what}, such as {min(found)}.")


def _read(folder: str | os.PathLike, protocol: str) -> tuple[dict, dict[str, str | None]]:
    family, colon, corpus = protocol.partition(":")
    path = Path(folder, _FOLDER, f"{family}.json")
    if not path.is_file():
        raise ValueError(f"{folder} has no protocol {family!r}; it has {_there(path.parent)}.{_hint(family)}")
    content = _check(path)
    clips = {unicodedata.normalize("NFC", id_): split for id_, split in content.pop("clips").items()}
    content |= {"protocol": protocol, "family": family, "corpus": corpus or None}
    if "corpus_rule" in content:
        return _choose(content, clips, folder)
    if colon:
        raise ValueError(f"Protocol {family!r} leaves no choice of a corpus: give {family}, not {protocol}.")
    return content, clips


def _check(path: Path) -> dict[str, Any]:
    """The content of a file in `splits`, which may be a user's own: `clips` is needed, and the rest has defaults.

    Raises:
        ValueError: it has another form; the message says where.
    """
    try:
        content = json.loads(read_text(path))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not a JSON file: {error}. One of prepare.py is written by it again.") from error
    if not isinstance(content, dict) or not isinstance(content.get("clips"), dict):
        raise ValueError(f"{path} is not a division of clips: it needs `clips`, an object of clip ids to splits.")
    content = {"description": f"as splits/{path.name} says", "seed": "none", "notes": []} | content
    for name, value in content.items():
        if name not in _KEYS:
            raise ValueError(f"{path}: there is no key {name!r}{did_you_mean(name, _KEYS)}")
        if not isinstance(value, _KEYS[name]):
            raise ValueError(f"{path}: {name} is of the type {type(value).__name__}, not {_KEYS[name]}.")
    if not all(isinstance(note, str) for note in content["notes"]):
        raise ValueError(f"{path}: notes are a list of sentences, got {content['notes']}.")
    strange = {str(split) for split in content["clips"].values() if split not in (*SPLITS, None)}
    if strange:
        raise ValueError(f"{path}: a split is one of {', '.join(SPLITS)}, or null; got {', '.join(sorted(strange))}.")
    return content


def _choose(
    content: dict, clips: dict[str, str | None], folder: str | os.PathLike
) -> tuple[dict, dict[str, str | None]]:
    """The member of a family for one corpus."""
    family, corpus, rule = content["family"], content["corpus"], content["corpus_rule"]
    if rule not in get_args(CorpusRule):
        raise ValueError(f"{folder}, protocol {family!r}: corpus_rule is 'left out' or 'only', got {rule!r}.")
    of_clip = {id_: id_.split("/", 1)[0] for id_ in clips}
    corpora = sorted(set(of_clip.values()))
    if corpus not in corpora:
        wrong = "it needs a corpus" if corpus is None else f"there is no corpus {corpus!r} in {folder}"
        raise ValueError(f"Protocol {family!r}: {wrong}. Give {family}:{CORPUS}, with one of {', '.join(corpora)}.")
    if rule == "left out":
        chosen = {id_: "test" if of_clip[id_] == corpus else split for id_, split in clips.items()}
        content["notes"] = [note for note in content["notes"] if not note.startswith(f"{corpus}: ")]
    else:
        chosen = {id_: split if of_clip[id_] == corpus or split == "test" else None for id_, split in clips.items()}
    if "train" not in chosen.values():
        where = {"left out": "outside of", "only": "in"}[rule]
        raise ValueError(
            f"Protocol {family}:{corpus} leaves nothing to train on: {folder} has no training clips {where} {corpus}."
        )
    content["description"] = content["description"].replace(CORPUS, corpus)
    return content, chosen


def _there(folder: Path) -> str:
    """The protocols of a prepared folder, those first that need no corpus."""
    names = []
    for path in sorted(folder.glob("*.json")):
        is_family = '"corpus_rule"' in path.read_text(encoding="utf-8", errors="ignore")  # which may be no JSON
        names.append((is_family, f"{path.stem}:{CORPUS}" if is_family else path.stem))
    return ", ".join(name for _, name in sorted(names))


def _hint(name: str) -> str:
    """What to do about a protocol of ours that an older version did not write."""
    if name not in PROTOCOLS:
        return ""
    return " Run the same prepare.py again: it writes that file, and does not prepare the clips anew."
