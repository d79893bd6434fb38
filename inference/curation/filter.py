"""A manifest, a model and conditions -> the rows that are kept, the others with their reasons, and the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib

from common.audio_files import AUDIO_SUFFIXES, audio_folder_of, path_inside
from common.files import write_json
from common.outputs import check_new
from common.text_files import clean_text

from ..engine.predictor import load_predictor
from .conditions import OWN, Condition, OneOf, Row, UniqueSound, Vocabulary
from .manifest import Manifest, read_manifest
from .parser import parse_conditions
from .score_cache import ScoresFile, known_names

PATH_COLUMNS = ("path", "audio", "file", "file_name", "audio_filepath", "audio_file")
SPEAKER_COLUMNS = ("speaker", "speaker_id", "speaker_name")
_STRETCH_COLUMNS = ("offset", "start_s")  # they make a row a part of a file
_UNREADABLE = "the recording can be read"


@dataclass(frozen=True)
class FilterOptions:
    """How a manifest is read.

    Args:
        path_column, speaker_column: by default the first of `PATH_COLUMNS` and `SPEAKER_COLUMNS` that it has.
        audio_folder: where its paths start, itself relative to the manifest's folder. It may name no file outside of
            it. In the LJSpeech form, by default, `wavs`.
        words: word of the manifest -> the model's class that it means.
    """

    path_column: str | None = None
    speaker_column: str | None = None
    audio_folder: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)


def filter_manifest(
    manifest: Path,
    checkpoint: str,
    output: Path,
    keep: Sequence[str],
    options: FilterOptions = FilterOptions(),
    *,
    scores: Path | None = None,
    num_proc: int | None = None,
    vad: bool = True,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Writes the rows that fulfil all conditions, beside them the others with their reasons, and the report.

    Args:
        manifest: as [`read_manifest`] reads it.
        checkpoint: folder or Hub id.
        output: for the rows that are kept; of the manifest's format.
        keep: conditions, as [`parse_conditions`] reads them.
        options: how the manifest is read.
        scores: file of what was heard; a recording that is in it is not heard again. By default beside the output.
        num_proc: processes that measure, all cores by default.
        vad: whether to look for speech, and to take no emotion from where there is none.
        overwrite: whether files that are there already may be replaced; `scores` never is.

    Returns:
        The report: the files' names, `rows`, `kept`, `rejected`, `heard` (recordings that were not in `scores`),
        `unreadable` (rows), `unreadable_because` (reason to rows), `unknown_words` (condition to the manifest's words
        that mean no class, each with its rows), and `conditions`: of each how many rows it `rejected`, and how many of
        them it `alone`.

    Raises:
        ValueError: a condition, the manifest, the checkpoint or a name is not what is needed. No recording has been
            read by then.
    """
    rejected, report_file = check_outputs(manifest, output, overwrite)
    table = read_manifest(manifest, [options.path_column] if options.path_column else PATH_COLUMNS)
    column = _path_column(manifest, table, options)
    files = _find_files(manifest, table, column, options.audio_folder)
    _check_some_exist(manifest, files)
    predictor = load_predictor(checkpoint)
    speaker = _column(table, options.speaker_column, SPEAKER_COLUMNS)
    vocabulary = Vocabulary(*known_names(predictor.tasks), table.columns, column, speaker, options.words)
    conditions = parse_conditions(keep, vocabulary)
    for condition in conditions:
        if isinstance(condition, OneOf) and condition.other:
            condition.check_words(_own_cells(table, condition.other))

    output.parent.mkdir(parents=True, exist_ok=True)
    scores = scores or output.with_name(f"{manifest.stem}.scores.jsonl")
    known = ScoresFile(scores, predictor, vad)
    recordings = list(dict.fromkeys(file for file in files if file is not None))
    heard = known.complete(recordings, num_proc or joblib.cpu_count())
    needed = {name for condition in conditions for name in condition.needs()}
    rows = _join(table, files, known.read(recordings, needed), needed)
    judge(rows, conditions)

    kept = [index for index, row in enumerate(rows) if not row.reasons]
    gone = [index for index, row in enumerate(rows) if row.reasons]
    assert len(kept) + len(gone) == len(table)
    table.write(output, kept)
    table.write(rejected, gone, [list(rows[index].reasons.values()) for index in gone])
    names = {"manifest": manifest, "model": checkpoint, "output": output, "rejected_rows": rejected, "scores": scores}
    report = {**{name: str(path) for name, path in names.items()}, **_count_rows(rows, conditions), "heard": heard}
    write_json(report_file, report)
    return report


def judge(rows: Sequence[Row], conditions: Sequence[Condition]) -> None:
    """Adds to the rows the reasons why they do not fulfil each condition; those that have a reason are passed over.

    What sounds the same is looked for last, so that of several recordings one is kept that fulfils all else.
    """
    readable = [row for row in rows if not row.reasons]
    for condition in sorted(conditions, key=lambda condition: isinstance(condition, UniqueSound)):
        for row, reason in zip(readable, condition.judge(readable), strict=True):
            if reason is not None:
                row.reasons[condition.text] = reason


def format_report(report: Mapping[str, Any]) -> str:
    """The counts, for people."""
    lines = [
        f"{report['rows']:,} rows: {report['kept']:,} kept, {report['rejected']:,} rejected",
        "",
        "rejected  by it alone  what they do not fulfil",
    ]
    if report["unreadable"]:
        lines.append(f"{report['unreadable']:>8,}{report['unreadable']:>13,}  {_UNREADABLE}")
    lines += [f"{line['rejected']:>8,}{line['alone']:>13,}  {line['condition']}" for line in report["conditions"]]
    for reason, count in report.get("unreadable_because", {}).items():
        lines.append(f"{count:,} rows {reason}")
    for condition, words in report.get("unknown_words", {}).items():
        said = ", ".join(f"{word} ({count:,} rows)" for word, count in words.items())
        lines.append(f"{condition}: the model has no class for {said}; --words A=B says what it means")
    return "\n".join([*lines, "", f"{report['output']}; the reasons are in {report['rejected_rows']}."])


def check_outputs(manifest: Path, output: Path, overwrite: bool = False) -> tuple[Path, Path]:
    """The files that are written beside the rows that are kept: those that are not, and the report.

    Raises:
        ValueError: one of the three is the manifest or exists already, or `output` has another ending.
    """
    rejected = output.with_name(f"{output.stem}.rejected{output.suffix}")
    report = output.with_name(f"{output.stem}.report.json")
    if output.suffix.lower() != manifest.suffix.lower():
        raise ValueError(f"{output}: rows stay in the manifest's format; name it {output.stem}{manifest.suffix}.")
    if manifest.resolve() in (output.resolve(), rejected.resolve()):
        raise ValueError(f"{manifest} is the manifest, which is left as it is; choose another --output than {output}.")
    check_new((output, rejected, report), overwrite)
    return rejected, report


def _path_column(manifest: Path, table: Manifest, options: FilterOptions) -> str:
    column = _column(table, options.path_column, PATH_COLUMNS) if table.has_header else table.columns[0]
    if column is None:
        raise ValueError(
            f"{manifest} has no column {' or '.join(PATH_COLUMNS)}; it has {', '.join(table.columns)}. Name the one of "
            "the paths with --path_column."
        )
    return column


def _find_files(manifest: Path, table: Manifest, column: str, audio_folder: str | None) -> list[Path | None]:
    """The recording of each row, `None` where the row names none."""
    for name in set(_STRETCH_COLUMNS) & set(table.columns):
        parts = sum(cell is not None and float(cell) != 0 for cell in table.column(name))
        if parts:
            raise ValueError(f"{manifest}: {parts:,} rows are parts of files by their {name}; cut the files first.")
    folder = audio_folder_of(manifest, audio_folder or "")
    files = []
    for number, cell in enumerate(table.column(column), start=1):
        try:
            if not isinstance(cell, str | None):
                raise ValueError(f"column {column} holds no path but {type(cell).__name__}.")
            if cell and not table.has_header and not cell.lower().endswith(AUDIO_SUFFIXES):
                cell = f"{cell}.wav" if audio_folder else f"wavs/{cell}.wav"
            files.append(path_inside(folder, cell) if cell else None)
        except ValueError as error:
            raise ValueError(f"{manifest}, row {number}: {error}") from error
    return files


def _check_some_exist(manifest: Path, files: Sequence[Path | None]) -> None:
    named = [file for file in files if file is not None]
    if named and not any(file.is_file() for file in named):
        raise ValueError(
            f"{manifest}: none of its {len(named):,} recordings exists, such as {named[0]}. --audio_folder says where "
            "the paths start."
        )


def _column(table: Manifest, named: str | None, usual: Sequence[str]) -> str | None:
    """The column that is named, or else the first that is usual; `None` where there is none."""
    if named is not None and named not in table.columns:
        raise ValueError(f"The manifest has no column {named!r}; it has {', '.join(table.columns)}.")
    return named or next((name for name in usual if name in table.columns), None)


def _join(
    table: Manifest, files: Sequence[Path | None], scores: Mapping[str, Mapping[str, Any]], needed: set[str]
) -> list[Row]:
    """Rows with the values that are needed, of the model, of the measurement and of the manifest."""
    own = {name: _own_cells(table, name) for name in needed if name.startswith(OWN)}
    rows = []
    for index, file in enumerate(files):
        values = scores[str(file)] if file is not None else {"error": "the manifest names no file"}
        if "error" in values:
            why = str(values["error"]).removesuffix(f": {str(file)!r}")  # the path, which the row names
            rows.append(Row({}, {_UNREADABLE: f"cannot be read: {why}"}))
        else:
            rows.append(Row({**values, **{name: cells[index] for name, cells in own.items()}}))
    return rows


def _own_cells(table: Manifest, name: str) -> list[Any]:
    """A column of the manifest, whose texts are compared: two spellings of a speaker are one speaker."""
    cells = table.column(name.removeprefix(OWN))
    return [clean_text(cell) or None if isinstance(cell, str) else cell for cell in cells]


def _count_rows(rows: Sequence[Row], conditions: Sequence[Condition]) -> dict[str, Any]:
    kept = sum(not row.reasons for row in rows)
    return {
        "rows": len(rows),
        "kept": kept,
        "rejected": len(rows) - kept,
        "unreadable": sum(_UNREADABLE in row.reasons for row in rows),
        "unreadable_because": _most_common(row.reasons[_UNREADABLE] for row in rows if _UNREADABLE in row.reasons),
        "unknown_words": {
            condition.text: words
            for condition in conditions
            if isinstance(condition, OneOf) and (words := _most_common(condition.unknown_words(rows)))
        },
        "conditions": [_count(condition.text, rows) for condition in conditions],
    }


def _most_common(texts: Iterable[str]) -> dict[str, int]:
    """Text -> how often, the commonest first."""
    return dict(Counter(texts).most_common())


def _count(condition: str, rows: Sequence[Row]) -> dict[str, Any]:
    failed = [row for row in rows if condition in row.reasons]
    return {
        "condition": condition,
        "rejected": len(failed),
        "alone": sum(len(row.reasons) == 1 for row in failed),
    }
