"""A manifest, a model and conditions -> the rows that are kept, the others with their reasons, and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from common.checkpoint_files import weights_sha256
from common.files import write_json
from common.outputs import check_new
from common.text_files import clean_text
from modeling import Task

from ..engine.predictor import load_predictor
from .columns import Columns
from .conditions import Condition, evaluate, parse_conditions, unknown_labels
from .manifest import Manifest
from .recordings import DEFAULT_OPTIONS, FilterOptions, ManifestRecordings, open_recordings
from .report import UNREADABLE, count_rows
from .score_cache import ScoreCache, known_names


def filter_manifest(
    manifest: Path,
    checkpoint: str,
    output: Path,
    keep: Sequence[str],
    options: FilterOptions = DEFAULT_OPTIONS,
    *,
    precision: str = "float32",
    scores: Path | None = None,
    num_proc: int | None = None,
    vad: bool = True,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Writes the rows that meet all conditions and, next to them, the others with their reasons, and the report.

    Args:
        manifest: as [`~inference.curation.manifest.read_manifest`] reads it.
        checkpoint: folder or Hub id.
        output: for the rows that are kept; of the manifest's format.
        keep: conditions, as [`parse_conditions`] parses them.
        options: how the manifest is read.
        precision: of the computation, as of [`~inference.engine.predictor.load_predictor`].
        scores: file of the score cache; a recording that is in it is not analyzed again. By default next to the output.
        num_proc: processes that measure, all cores by default.
        vad: as of [`~inference.batch.predict.PredictionRequest`].
        overwrite: whether existing files may be replaced; `scores` never is.

    Returns:
        The report: the files' names, `precision`, `rows`, `kept`, `rejected`, `analyzed` (recordings that were not in
        `scores`), `unreadable` (rows), `unreadable_because` (reason to rows), `unknown_labels` (condition to the
        manifest's labels that are not a class, each with its rows), and `conditions`: how many rows each `rejected`,
        and how many of them it `alone`.

    Raises:
        ValueError: a condition, the manifest, the checkpoint or a name is invalid. No recording has been read by then.
    """
    rejected, report_file = check_outputs(manifest, output, overwrite)
    source = open_recordings(manifest, options)
    predictor = load_predictor(checkpoint, precision=precision)
    conditions, columns = _parse(keep, source, predictor.tasks, options)
    scores = scores or output.with_name(f"{manifest.stem}.scores.jsonl")
    scores.parent.mkdir(parents=True, exist_ok=True)
    cache = ScoreCache(scores, predictor, weights_sha256(checkpoint), vad)
    analyzed = cache.complete(source.recordings, num_proc or joblib.cpu_count())
    reasons, counts = _evaluate(source, cache, conditions, columns)
    _write_rows(source.table, output, rejected, reasons)
    names = {"manifest": manifest, "model": checkpoint, "output": output, "rejected_rows": rejected, "scores": scores}
    report: dict[str, Any] = {name: str(path) for name, path in names.items()} | {"precision": predictor.precision}
    report |= counts | {"analyzed": analyzed}
    write_json(report_file, report)
    return report


def _parse(
    keep: Sequence[str], source: ManifestRecordings, tasks: Sequence[Task], options: FilterOptions
) -> tuple[list[Condition], Columns]:
    """The conditions, and the columns that they may name."""
    labels, numbers = known_names(tasks)
    own = source.table.columns
    columns = Columns(labels, numbers, own, source.path_column, source.speaker_column, options.label_map)
    conditions = parse_conditions(keep, columns)
    _check_labels(conditions, source, columns)
    return conditions, columns


def _check_labels(conditions: Sequence[Condition], source: ManifestRecordings, columns: Columns) -> None:
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
    source: ManifestRecordings, cache: ScoreCache, conditions: Sequence[Condition], columns: Columns
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The reasons why rows are rejected, a column per condition, and the counts of the report."""
    needed = {need for condition in conditions for name in condition.names for need in columns.needs(name)}
    keys = {columns.scores.get(name, name) for name in needed if name not in columns.own}
    frame, unreadable = _join(source, cache.read(source.recordings, keys), needed, columns)
    reasons = pd.DataFrame({UNREADABLE: unreadable}, dtype=object)
    reasons = reasons.join(evaluate(conditions, frame, columns))
    return reasons, count_rows(reasons, frame, conditions, columns)


def _join(
    source: ManifestRecordings, scores: Mapping[str, Mapping[str, Any]], needed: set[str], columns: Columns
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


def check_outputs(manifest: Path, output: Path, overwrite: bool = False) -> tuple[Path, Path]:
    """The names of the two files next to the kept rows: of the rejected rows, and of the report.

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
