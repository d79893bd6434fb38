"""A manifest, a model and conditions -> the rows that are kept, the others with their reasons, and the counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from common.audio_files import AUDIO_SUFFIXES, audio_folder_of, path_inside
from common.checkpoint import weights_sha256
from common.files import write_json
from common.outputs import check_new
from common.text_files import clean_text
from common.text_tables import format_table
from modeling import Task

from ..engine.predictor import load_predictor
from .columns import Columns
from .conditions import Condition, evaluate, parse_conditions, unknown_labels
from .manifest import Manifest, read_manifest
from .score_cache import ScoreCache, known_names

PATH_COLUMNS = ("path", "audio", "file", "file_name", "audio_filepath", "audio_file")
SPEAKER_COLUMNS = ("speaker", "speaker_id", "speaker_name")
_STRETCH_COLUMNS = ("offset", "start_s")  # they make a row a part of a file
_UNREADABLE = "the recording can be read"


@dataclass(frozen=True)
class FilterOptions:
    """How a manifest is read.

    Args:
        path_column, speaker_column: by default the first of `PATH_COLUMNS` and `SPEAKER_COLUMNS` that it has.
        audio_folder: where its paths start, itself relative to the manifest's folder. All files must be inside it. In
            the LJSpeech form, by default, `wavs`.
        label_map: label of the manifest -> class of the model.
    """

    path_column: str | None = None
    speaker_column: str | None = None
    audio_folder: str | None = None
    label_map: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Source:
    """A manifest and the recordings that it names.

    Args:
        path: of the manifest.
        table: its rows.
        files: the recording of each row, `None` where the row names none.
        path_column, speaker_column: their names; a manifest may have no speakers.
    """

    path: Path
    table: Manifest
    files: list[Path | None]
    path_column: str
    speaker_column: str | None

    @property
    def recordings(self) -> list[Path]:
        """The recordings, each once."""
        return list(dict.fromkeys(file for file in self.files if file is not None))


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
    """Writes the rows that meet all conditions, beside them the others with their reasons, and the report.

    Args:
        manifest: as [`read_manifest`] reads it.
        checkpoint: folder or Hub id.
        output: for the rows that are kept; of the manifest's format.
        keep: conditions, as [`parse_conditions`] parses them.
        options: how the manifest is read.
        scores: file of the score cache; a recording that is in it is not analyzed again. By default beside the output.
        num_proc: processes that measure, all cores by default.
        vad: as of [`~inference.batch.predict.PredictionRequest`].
        overwrite: whether existing files may be replaced; `scores` never is.

    Returns:
        The report: the files' names, `rows`, `kept`, `rejected`, `analyzed` (recordings that were not in `scores`),
        `unreadable` (rows), `unreadable_because` (reason to rows), `unknown_labels` (condition to the manifest's labels
        that are not a class, each with its rows), and `conditions`: how many rows each `rejected`, and how many of them
        it `alone`.

    Raises:
        ValueError: a condition, the manifest, the checkpoint or a name is invalid. No recording has been read by then.
    """
    rejected, report_file = check_outputs(manifest, output, overwrite)
    source = _open_source(manifest, options)
    predictor = load_predictor(checkpoint)
    columns = _columns(source, predictor.tasks, options)
    conditions = parse_conditions(keep, columns)
    _check_labels(conditions, source, columns)
    scores = scores or output.with_name(f"{manifest.stem}.scores.jsonl")
    scores.parent.mkdir(parents=True, exist_ok=True)
    cache = ScoreCache(scores, predictor, weights_sha256(checkpoint), vad)
    analyzed = cache.complete(source.recordings, num_proc or joblib.cpu_count())
    reasons, counts = _evaluate(source, cache, conditions, columns)
    _write_rows(source.table, output, rejected, reasons)
    names = {"manifest": manifest, "model": checkpoint, "output": output, "rejected_rows": rejected, "scores": scores}
    report = {name: str(path) for name, path in names.items()} | counts | {"analyzed": analyzed}
    write_json(report_file, report)
    return report


def _columns(source: _Source, tasks: Sequence[Task], options: FilterOptions) -> Columns:
    labels, numbers = known_names(tasks)
    own = source.table.columns
    return Columns(labels, numbers, own, source.path_column, source.speaker_column, options.label_map)


def _open_source(manifest: Path, options: FilterOptions) -> _Source:
    table = read_manifest(manifest, [options.path_column] if options.path_column else PATH_COLUMNS)
    path_column = _path_column(manifest, table, options)
    files = _find_files(manifest, table, path_column, options.audio_folder)
    _check_some_exist(manifest, files)
    return _Source(manifest, table, files, path_column, _column(table, options.speaker_column, SPEAKER_COLUMNS))


def _check_labels(conditions: Sequence[Condition], source: _Source, columns: Columns) -> None:
    """Raises a `ValueError` if a condition compares a head with a column in which no label is a class of the head."""
    for condition in conditions:
        frame = pd.DataFrame(
            {name: _own_cells(source.table, columns, name) for _, name in condition.labels}, dtype=object
        )
        for head, name, unknown in unknown_labels(condition, frame, columns):
            found = frame[name].dropna().astype(str).unique()
            if len(found) and unknown.sum() == frame[name].notna().sum():
                classes = columns.labels[columns.scores[head]]
                raise ValueError(
                    f"Condition {condition.text!r}: {name} has the labels {', '.join(found[:5])}, but the model has "
                    f"{', '.join(classes)}. Map them with --label_map, such as {found[0]}={classes[0]}."
                )


def _evaluate(
    source: _Source, cache: ScoreCache, conditions: Sequence[Condition], columns: Columns
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The reasons why rows are rejected, a column per condition, and the counts of the report."""
    needed = {need for condition in conditions for name in condition.names for need in columns.needs(name)}
    keys = {columns.scores.get(name, name) for name in needed if name not in columns.own}
    frame, unreadable = _join(source, cache.read(source.recordings, keys), needed, columns)
    reasons = pd.DataFrame({_UNREADABLE: unreadable}, dtype=object)
    reasons = reasons.join(evaluate(conditions, frame, columns))
    return reasons, _count_rows(reasons, frame, conditions, columns)


def _join(
    source: _Source, scores: Mapping[str, Mapping[str, Any]], needed: set[str], columns: Columns
) -> tuple[pd.DataFrame, pd.Series]:
    """The readable rows with the columns that are needed, and for all rows why the recording cannot be read."""
    unreadable = pd.Series(None, range(len(source.files)), dtype=object)
    values: dict[int, dict[str, Any]] = {}
    for row, file in enumerate(source.files):
        found = scores[str(file)] if file is not None else {"error": "the manifest names no file"}
        if "error" in found:
            reason = str(found["error"]).removesuffix(f": {str(file)!r}")  # the path, which the row names
            unreadable[row] = f"cannot be read: {reason}"
        else:
            values[row] = {"file": str(file), **found}
    of_scores = {"file": "file", "fingerprint": "fingerprint", **columns.scores}
    frame = pd.DataFrame(index=list(values))
    for name in sorted({*needed, "file"} - columns.own.keys()):
        frame[name] = pd.Series([row.get(of_scores[name]) for row in values.values()], frame.index, dtype=object)
    for name in sorted(needed & columns.own.keys()):
        frame[name] = pd.Series(_own_cells(source.table, columns, name), dtype=object).loc[frame.index]
    return frame, unreadable


def _own_cells(table: Manifest, columns: Columns, name: str) -> list[Any]:
    """A column of the manifest with its texts cleaned: two spellings of a speaker are one speaker."""
    cells = table.column(columns.own[name][0])
    return [clean_text(cell) or None if isinstance(cell, str) else cell for cell in cells]


def _write_rows(table: Manifest, output: Path, rejected: Path, reasons: pd.DataFrame) -> None:
    is_kept = reasons.isna().all(axis=1)
    table.write(output, reasons.index[is_kept].tolist())
    rows = reasons[~is_kept]
    table.write(
        rejected, rows.index.tolist(), [[why for why in row if isinstance(why, str)] for row in rows.to_numpy()]
    )


def _count_rows(
    reasons: pd.DataFrame, frame: pd.DataFrame, conditions: Sequence[Condition], columns: Columns
) -> dict[str, Any]:
    failed = reasons.notna()
    alone = failed.sum(axis=1) == 1
    kept = int((~failed.any(axis=1)).sum())
    return {
        "rows": len(reasons),
        "kept": kept,
        "rejected": len(reasons) - kept,
        "unreadable": int(failed[_UNREADABLE].sum()),
        "unreadable_because": _value_counts(reasons[_UNREADABLE].dropna()),
        "unknown_labels": {
            condition.text: counts for condition in conditions if (counts := _count_unknown(condition, frame, columns))
        },
        "conditions": [
            {"condition": text, "rejected": int(failed[text].sum()), "alone": int((failed[text] & alone).sum())}
            for text in reasons.columns.drop(_UNREADABLE)
        ],
    }


def _count_unknown(condition: Condition, frame: pd.DataFrame, columns: Columns) -> dict[str, int]:
    """The manifest's labels that are not a class of the head, and in how many rows."""
    return {
        label: count
        for _, name, unknown in unknown_labels(condition, frame, columns)
        for label, count in _value_counts(frame[name][unknown].astype(str)).items()
    }


def _value_counts(values: pd.Series) -> dict[str, int]:
    """Text -> how often, the most frequent first."""
    return {str(value): int(count) for value, count in values.value_counts().items()}


def format_report(report: Mapping[str, Any]) -> str:
    """The counts, for people."""
    unreadable = {"condition": _UNREADABLE, "rejected": report["unreadable"], "alone": report["unreadable"]}
    counts = [unreadable, *report["conditions"]] if report["unreadable"] else report["conditions"]
    rows = [(f"{line['rejected']:,}", f"{line['alone']:,}", line["condition"]) for line in counts]
    lines = [
        f"{report['rows']:,} rows: {report['kept']:,} kept, {report['rejected']:,} rejected",
        "",
        format_table(rows, ("rejected", "by it alone", "condition"), "rrl"),
    ]
    lines += [
        f"{count:,} row{'s' * (count > 1)}: {reason}" for reason, count in report.get("unreadable_because", {}).items()
    ]
    for condition, labels in report.get("unknown_labels", {}).items():
        unknown = ", ".join(f"{label} ({count:,} rows)" for label, count in labels.items())
        lines.append(f"{condition}: the model has no class for {unknown}; map them with --label_map A=B.")
    return "\n".join([*lines, "", f"{report['output']}; the reasons are in {report['rejected_rows']}."])


def check_outputs(manifest: Path, output: Path, overwrite: bool = False) -> tuple[Path, Path]:
    """The names of the two files beside the kept rows: of the rejected rows, and of the report.

    Raises:
        ValueError: one of the three is the manifest or exists already, or `output` has another suffix.
    """
    rejected = output.with_name(f"{output.stem}.rejected{output.suffix}")
    report = output.with_name(f"{output.stem}.report.json")
    if output.suffix.lower() != manifest.suffix.lower():
        raise ValueError(f"{output}: the output has the manifest's format; name it {output.stem}{manifest.suffix}.")
    if manifest.resolve() in (output.resolve(), rejected.resolve()):
        raise ValueError(f"{output} would replace the manifest {manifest}; choose another --output.")
    check_new((output, rejected, report), overwrite)
    return rejected, report


def _path_column(manifest: Path, table: Manifest, options: FilterOptions) -> str:
    column = _column(table, options.path_column, PATH_COLUMNS) if table.has_header else table.columns[0]
    if column is None:
        raise ValueError(
            f"{manifest} has no column {' or '.join(PATH_COLUMNS)}; it has {', '.join(table.columns)}. Name the column "
            "of paths with --path_column."
        )
    return column


def _find_files(manifest: Path, table: Manifest, column: str, audio_folder: str | None) -> list[Path | None]:
    """The recording of each row, `None` where the row names none."""
    for name in set(_STRETCH_COLUMNS) & set(table.columns):
        parts = sum(cell is not None and float(cell) != 0 for cell in table.column(name))
        if parts:
            raise ValueError(f"{manifest}: {parts:,} rows are parts of files, by their {name}; cut the files first.")
    folder = audio_folder_of(manifest, audio_folder or "")
    files = []
    for number, cell in enumerate(table.column(column), start=1):
        try:
            if not isinstance(cell, str | None):
                raise ValueError(f"column {column} must hold paths, got {type(cell).__name__}.")
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
            f"{manifest}: its {len(named):,} recordings do not exist, for example {named[0]}. Name the folder in which "
            "the paths start with --audio_folder."
        )


def _column(table: Manifest, named: str | None, usual: Sequence[str]) -> str | None:
    """The column that is named, or else the first usual one, if any."""
    if named is not None and named not in table.columns:
        raise ValueError(f"The manifest has no column {named!r}; it has {', '.join(table.columns)}.")
    return named or next((name for name in usual if name in table.columns), None)
