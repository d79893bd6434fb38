"""`splits/*.json` of a prepared folder: written for every protocol, and read by name: `paper`, `loco:ravdess`.

Protocols with a free parameter have no file: they are computed from the table (`preprocessing.prepared.computed`).
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from datasets import Dataset

from common.command_line import did_you_mean
from common.files import write_json
from common.text_files import read_text

from .computed import COMPUTED, compute_division
from .emobox import PROTOCOL as EMOBOX
from .emobox import emobox_protocol
from .protocols import CORPUS, PROTOCOLS, SPLITS, CorpusRule, Row, make_split
from .table import load_report, load_table

_FOLDER = "splits"
# Keys of a file, with the types of their values.
_KEYS: dict[str, Any] = {
    "protocol": str,
    "description": str,
    "corpus_rule": str,
    "seed": int | str,
    "notes": list,
    "clips": dict,
}


def split_rows(table: Dataset) -> list[Row]:
    """What protocols need of each clip of a prepared table."""
    columns = table.select_columns(list(Row._fields)).with_format("python")[:]
    return [Row(*values) for values in zip(*(columns[name] for name in Row._fields), strict=True)]


def write_split_files(
    rows: Sequence[Row], folder: str | os.PathLike[str], seed: int, emobox: Path | None = None
) -> dict[str, list[str]]:
    """Divides clips by every protocol. A family is one file: the division is the same whichever corpus is chosen.

    Args:
        rows: all clips.
        folder: a prepared folder.
        seed: seed of the random splits.
        emobox: EmoBox's folder `data`, for the protocol of its folds.

    Returns:
        Protocol -> notes on where it could not be kept.
    """
    notes: dict[str, list[str]] = {}
    for name, protocol in PROTOCOLS.items():
        splits, notes[name] = make_split(rows, name, seed)
        content: dict[str, Any] = {
            "protocol": name,
            "description": protocol.description,
            **({"corpus_rule": protocol.corpus_rule} if protocol.corpus_rule else {}),
            "seed": seed,
            "notes": notes[name],
            "clips": splits,
        }
        write_json(Path(folder, _FOLDER, f"{name}.json"), content)
    if emobox is not None:
        content = emobox_protocol(rows, emobox, seed)
        write_json(Path(folder, _FOLDER, f"{EMOBOX}.json"), content)
        notes[EMOBOX] = content["notes"]
    return notes


def load_protocol(folder: str | os.PathLike[str], protocol: str) -> dict[str, Any]:
    """The content of a protocol's file without the clips.

    Args:
        folder: a prepared folder.
        protocol: name of a file in its `splits`, for a family with the corpus, `NAME:CORPUS`; or a computed one. A
            protocol of folds, `NAME`, or one of its folds, `NAME/2`.

    Returns:
        The file's content without `clips`, with `protocol` as given, `family` (the file's name; of a computed one the
        protocol without the fold), `corpus` (`None` unless it is a family of files), and a description with the corpus.
        Notes on a corpus that is left out are left out too. A protocol of folds has their number, `folds`, and the
        chosen `fold`, or `None`.

    Raises:
        ValueError: the protocol does not exist, the corpus is missing, unknown or not expected, or no training
            clips are left.
    """
    return _read(folder, protocol)[0]


def num_folds(folder: str | os.PathLike[str], protocol: str) -> int | None:
    """How many folds a protocol has, `None` where it has none, or is one of them: it is a single division then."""
    content = load_protocol(folder, protocol)
    return None if content.get("fold") is not None else content.get("folds")


def load_splits(folder: str | os.PathLike[str], protocol: str) -> dict[str, str | None]:
    """Clip id -> split, `None` for a clip in no split.

    Arguments and errors are those of [`load_protocol`]; a protocol of folds without the number of one is an error, too.
    """
    content, clips = _read(folder, protocol)
    if clips is None:
        raise ValueError(
            f"Protocol {protocol} of {folder} has {content['folds']} folds, which train.py trains one by one. Give one "
            f"of them: {protocol}/1."
        )
    return clips


def check_ids(
    ids: Iterable[str], split_of: Mapping[str, str | None], folder: str | os.PathLike[str], protocol: str
) -> None:
    """Checks that a protocol divides exactly the clips of a prepared folder.

    Raises:
        ValueError: the clips of the two differ; the message counts them.
    """
    path = Path(folder, _FOLDER, f"{protocol.partition(':')[0]}.json")
    for found, what in (
        (set(ids) - split_of.keys(), "clips of the folder are missing in it; null puts a clip in no split"),
        (split_of.keys() - set(ids), "ids in it belong to no clip of the folder"),
    ):
        if found:
            raise ValueError(f"{path}: {len(found):,} {what}, such as {min(found)}.")


def _read(folder: str | os.PathLike[str], protocol: str) -> tuple[dict[str, Any], dict[str, str | None] | None]:
    name, slash, number = protocol.partition("/")
    if slash and not (number.isascii() and number.isdigit()):
        raise ValueError(f"Protocol {protocol!r}: expected the number of a fold behind the slash, such as {name}/1.")
    fold = int(number) if slash else None
    family, colon, argument = name.partition(":")
    if family in COMPUTED:
        return _compute(folder, family, argument, fold)
    path = Path(folder, _FOLDER, f"{family}.json")
    if not path.is_file():
        raise ValueError(f"{folder} does not have the protocol {family!r}; it has {_list(path.parent)}.{_hint(family)}")
    content = _load(path)
    clips = {unicodedata.normalize("NFC", id_): split for id_, split in content.pop("clips").items()}
    content |= {"protocol": protocol, "family": family, "corpus": argument or None}
    if folds := {len(splits) for splits in clips.values() if isinstance(splits, list)}:
        return _choose_fold(content, clips, fold, max(folds))
    if slash:
        raise ValueError(f"The protocol {name!r} has no folds: give {name}, not {protocol}.")
    if "corpus_rule" in content:
        return _choose(content, clips, folder)
    if colon:
        raise ValueError(f"The protocol {family!r} is not one of a corpus: give {family}, not {protocol}.")
    return content, clips


def _compute(
    folder: str | os.PathLike[str], family: str, argument: str, fold: int | None
) -> tuple[dict[str, Any], dict[str, str | None] | None]:
    seed = load_report(folder)["settings"]["seed"]
    division = compute_division(split_rows(load_table(folder)), family, argument, fold, seed)
    name = f"{family}:{argument}"
    content = {
        "protocol": name if fold is None else f"{name}/{fold}",
        "description": division.description,
        "seed": seed,
        "notes": division.notes,
        "family": name,
        "corpus": None,
        **({} if division.folds is None else {"folds": division.folds, "fold": fold}),
    }
    return content, division.clips


def _choose_fold(
    content: dict[str, Any], clips: Mapping[str, Any], fold: int | None, count: int
) -> tuple[dict[str, Any], dict[str, str | None] | None]:
    """One fold of a file that has the splits of each clip in every fold."""
    family = content["family"]
    content |= {"folds": count, "fold": fold}
    if content["corpus"] is not None:
        raise ValueError(f"The protocol {family!r} is not one of a corpus: give {family}, not {content['protocol']}.")
    if fold is None:
        return content, None
    if not 1 <= fold <= count:
        raise ValueError(f"Protocol {family} has the folds 1 to {count}, got {fold}.")
    return content, {id_: splits[fold - 1] for id_, splits in clips.items()}


def _load(path: Path) -> dict[str, Any]:
    """The content of a file in `splits`, which a user may have written: `clips` is required, the rest has defaults.

    Raises:
        ValueError: the file has another form.
    """
    try:
        content: Any = json.loads(read_text(path))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not a JSON file: {error}. prepare.py writes its own files again.") from error
    if not isinstance(content, dict) or not isinstance(content.get("clips"), dict):
        raise ValueError(f"{path}: expected `clips`, an object of clip ids to splits.")
    found: dict[str, Any] = {"description": f"as in splits/{path.name}", "seed": "none", "notes": [], **content}
    for name, value in found.items():
        if name not in _KEYS:
            raise ValueError(f"{path}: the key {name!r} is unknown{did_you_mean(name, _KEYS)}")
        if not isinstance(value, _KEYS[name]):
            raise ValueError(f"{path}: {name} must be {_KEYS[name]}, got {type(value).__name__}.")
    if not all(isinstance(note, str) for note in found["notes"]):
        raise ValueError(f"{path}: notes must be a list of strings, got {found['notes']}.")
    values = list(found["clips"].values())
    lengths = {len(value) if isinstance(value, list) else None for value in values}
    if len(lengths) > 1 or 0 in lengths or (lengths != {None} and "corpus_rule" in found):
        raise ValueError(f"{path}: expected one split for each clip, or a list of as many for each as there are folds.")
    if twice := [id_ for id_, value in found["clips"].items() if isinstance(value, list) and value.count("test") > 1]:
        raise ValueError(f"{path}: {len(twice):,} clips are tested in several folds, such as {twice[0]}.")
    splits = [split for value in values for split in (value if isinstance(value, list) else [value])]
    invalid = {str(split) for split in splits if split not in (*SPLITS, None)}
    if invalid:
        raise ValueError(f"{path}: a split must be {', '.join(SPLITS)} or null, got {', '.join(sorted(invalid))}.")
    return found


def _choose(
    content: dict[str, Any], clips: dict[str, str | None], folder: str | os.PathLike[str]
) -> tuple[dict[str, Any], dict[str, str | None]]:
    """The member of a family for one corpus."""
    family, corpus, rule = content["family"], content["corpus"], content["corpus_rule"]
    if rule not in get_args(CorpusRule):
        raise ValueError(f"{folder}, protocol {family!r}: corpus_rule must be 'left out' or 'only', got {rule!r}.")
    of_clip = {id_: id_.split("/", 1)[0] for id_ in clips}
    corpora = sorted(set(of_clip.values()))
    if corpus not in corpora:
        problem = "the corpus is missing" if corpus is None else f"{folder} does not have the corpus {corpus!r}"
        raise ValueError(f"Protocol {family!r}: {problem}. Give {family}:{CORPUS}, with one of {', '.join(corpora)}.")
    if rule == "left out":
        chosen = {id_: "test" if of_clip[id_] == corpus else split for id_, split in clips.items()}
        content["notes"] = [note for note in content["notes"] if not note.startswith(f"{corpus}: ")]
    else:
        chosen = {id_: split if of_clip[id_] == corpus or split == "test" else None for id_, split in clips.items()}
    if "train" not in chosen.values():
        where = {"left out": "outside of", "only": "in"}[rule]
        raise ValueError(
            f"The protocol {family}:{corpus} needs training clips, but {folder} has none {where} {corpus}."
        )
    content["description"] = content["description"].replace(CORPUS, corpus)
    return content, chosen


def _list(folder: Path) -> str:
    """The protocols of a prepared folder, families last."""
    names = []
    for path in sorted(folder.glob("*.json")):
        is_family = '"corpus_rule"' in path.read_text(encoding="utf-8", errors="ignore")  # a user's may not be JSON
        names.append((is_family, f"{path.stem}:{CORPUS}" if is_family else path.stem))
    return ", ".join([*(name for _, name in sorted(names)), *COMPUTED.values()])


def _hint(name: str) -> str:
    """How to add a protocol that an older version did not write."""
    if name not in PROTOCOLS:
        return ""
    return " Run the same prepare.py command again: it writes that file, and does not prepare the clips again."
