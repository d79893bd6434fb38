"""Many files -> one file of rows: shared among processes, and resumed after whatever ended it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.files import atomic_write
from modeling.audio_remote_ser import redact_credentials

from ..engine.predictor import Predictor
from ..table_writers import ROW_FORMATS, Row, columns
from .console import Progress
from .partial_results import PartialResults
from .predict import PREDICTION_ERRORS, PredictionRequest, error_row, predict_files, predict_timeline
from .processes import Processes, join_processes

if TYPE_CHECKING:
    from ..timeline.formats import TimelineDocument


def run_batch(
    predictor: Predictor,
    files: Sequence[str],
    output: Path,
    request: PredictionRequest,
    settings: dict[str, Any],
    *,
    wide: bool = True,
    overwrite: bool = False,
) -> int:
    """Writes the rows of all files, in their order, into one file, which appears when it is complete.

    Each process takes every n-th file. Completed rows are kept in [`PartialResults`], and a run resumes from them.

    Args:
        predictor: the model.
        files: paths and URLs, each once.
        output: file to write; its suffix is one of `ROW_FORMATS`.
        request: what to predict for each file.
        settings: what the predictions depend on besides the request. Results of a run with other settings are not
            resumed.
        wide: whether a CSV file has columns for the scores of all classes and the other heads, too.
        overwrite: whether an existing output may be replaced, and partial results with other settings discarded.

    Returns:
        How many files could not be read, in the first process; 0 in the others, for `accelerate launch` ends all
        processes as soon as one ends with an error.

    Raises:
        ValueError: the output exists already, or another run is writing it, or has begun it with other settings.
    """
    state = join_processes()
    partial = PartialResults(output, state.process_index, overwrite)
    names = {file: redact_credentials(file) for file in files}
    state.in_first(lambda: partial.open(settings | _request_settings(request), names.values()))
    _predict_share(predictor, names, partial, request, state)
    state.wait_for_everyone()
    if not state.is_main_process:
        return 0
    failed = _write_output(partial, list(names.values()), predictor, request, wide)
    partial.close()
    count = f"{len(files):,} file{'' if len(files) == 1 else 's'}"
    print(f"{output} contains the rows of {count}; {failed:,} could not be read.")
    return failed


def _predict_share(
    predictor: Predictor,
    names: dict[str, str],
    partial: PartialResults,
    request: PredictionRequest,
    state: Processes,
) -> None:
    """Adds to the partial results the rows of this process's share of the files that they lack.

    Args:
        names: of all files: path or URL to the name in its rows.
    """
    done = partial.done()
    share = list(names)[state.process_index :: state.num_processes]
    left = [file for file in share if names[file] not in done]
    completed = sum(name in done for name in names.values())
    if state.is_main_process and completed:
        print(f"Resuming: {completed:,} of {len(names):,} files are already processed.", file=sys.stderr)
    results = ((names[file], rows) for file, rows in predict_files(predictor, left, request))
    with Progress(len(share), len(share) - len(left), shown=state.is_main_process) as progress:
        for rows in partial.append(results):
            progress.add(failed="error" in rows[0])


def _request_settings(request: PredictionRequest) -> dict[str, Any]:
    timeline = asdict(request.timeline) if request.timeline is not None else {}
    return {"timeline": request.timeline is not None, "vad": request.vad, **asdict(request.outputs), **timeline}


def _write_output(
    partial: PartialResults, files: Sequence[str], predictor: Predictor, request: PredictionRequest, wide: bool
) -> int:
    """Writes the rows of all files, and returns how many files could not be read."""
    failed = 0

    def counted(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal failed
        for row in rows:
            failed += "error" in row
            yield row

    table = columns(
        predictor.tasks,
        predictor.main_task,
        request.outputs,
        timeline=request.timeline is not None,
        channel=request.timeline is not None and request.timeline.channels == "each",
        wide=wide or partial.output.suffix != ".csv",  # the other formats are for programs
    )
    write = ROW_FORMATS[partial.output.suffix]
    atomic_write(partial.output, lambda path: write(counted(partial.rows(files)), path, table))
    return failed


def predict_all(predictor: Predictor, files: Sequence[str], request: PredictionRequest) -> list[Row]:
    """The rows of all files, in their order and in memory: for a few files, whose rows are printed."""
    rows_by_file = {}
    with Progress(len(files)) as progress:
        report = progress.add_part if len(files) == 1 else None
        for file, rows in predict_files(predictor, files, request, report):
            rows_by_file[file] = rows
            progress.add(failed="error" in rows[0])
    return [row for file in files for row in rows_by_file[file]]


def export_timeline(
    predictor: Predictor, file: str, output: Path, request: PredictionRequest, *, overwrite: bool = False
) -> int:
    """Writes the timeline of one recording in the format that the output's suffix names.

    Returns:
        0: as of [`run_batch`], how many files could not be read.

    Raises:
        ValueError: the recording cannot be read, the output exists already, or another run is writing it.
    """
    from ..timeline.formats import EXPORTS

    name = redact_credentials(file)
    partial = PartialResults(output, overwrite=overwrite)
    partial.open({"file": name, **_request_settings(request)}, [name])
    try:
        document = _predict_one(predictor, file, request)
        text = EXPORTS[output.suffix[1:]](document)
        atomic_write(output, lambda path: path.write_text(text, encoding="utf-8", newline=""))
    finally:
        partial.close()
    speech_s, duration_s = document.speech_s, document.duration_s
    print(f"{output}: {len(document.segments):,} segments, {speech_s:.1f} s of speech in {duration_s:.1f} s.")
    return 0


def _predict_one(predictor: Predictor, file: str, request: PredictionRequest) -> TimelineDocument:
    try:
        with Progress(1) as progress:
            return predict_timeline(predictor, file, request, progress.add_part)
    except PREDICTION_ERRORS as error:
        row = error_row(file, error)
        raise ValueError(f"{row['file']}: {row['error']}") from error
