"""Many files -> one file of rows: shared among processes, and gone on with after whatever ended it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list

from common.files import atomic_write
from common.processes import num_processes_started
from modeling.audio_remote_ser import redact_credentials

from ..engine.predictor import Predictor
from .console import Progress
from .partial_results import PartialResults
from .predict import PredictionRequest, predict_files
from .table_writers import ROW_FORMATS, Row, columns

_PATIENCE = timedelta(days=30)  # of a process that is done, while others have longer recordings to hear


def join_processes() -> PartialState:
    """This process as one of those that `accelerate launch` started, or as the only one; it chooses the GPU.

    Raises:
        ValueError: a launcher was asked for several processes, and started one.
    """
    num_processes_started()
    # Told of no CPU, it would let each process on a machine without a GPU believe that it is alone.
    return PartialState(cpu=not torch.cuda.is_available(), timeout=_PATIENCE)


def run_batch(
    predictor: Predictor,
    files: Sequence[str],
    output: Path,
    question: PredictionRequest,
    settings: dict[str, Any],
    batch_size: int = 8,
    *,
    wide: bool = True,
    overwrite: bool = False,
) -> int:
    """Writes the rows of all files, in their order, into one file, which is there as soon as it is whole.

    Each process takes every n-th file. What is done is kept in a [`PartialResults`] and not done again.

    Args:
        predictor: the model.
        files: paths and URLs, each once.
        output: file to write; its ending is one of `ROW_FORMATS`.
        question: what to say about each file.
        settings: what the answers depend on beside the question. What was begun with others is not gone on with.
        batch_size: clips that are computed at once.
        wide: whether a CSV file has columns for the scores of all classes and the other heads, too.
        overwrite: whether an output that is there may be replaced, and what was begun with other settings given up.

    Returns:
        How many files could not be read, in the first process; 0 in the others, for `accelerate launch` ends all
        processes as soon as one ends with an error.

    Raises:
        ValueError: the output is there already, another job is writing it, or was, with other settings.
    """
    state = join_processes()
    journal = PartialResults(output, state.process_index, overwrite)
    names = {file: redact_credentials(file) for file in files}
    _in_first(state, lambda: journal.open(settings | _plain(question), names.values()))
    done = journal.done()
    share = files[state.process_index :: state.num_processes]
    left = [file for file in share if names[file] not in done]
    if state.is_main_process:
        before = sum(name in done for name in names.values())
        if before:
            print(f"{before:,} of {len(files):,} files are done already; going on with the others.", file=sys.stderr)
    answered = journal.append(
        (names[file], rows) for file, rows in predict_files(predictor, left, question, batch_size)
    )
    with Progress(len(share), len(share) - len(left), shown=state.is_main_process) as progress:
        for rows in answered:
            progress.add(failed="error" in rows[0])
    state.wait_for_everyone()
    return _finish(journal, list(names.values()), predictor, question, wide) if state.is_main_process else 0


def _in_first(state: PartialState, act: Callable[[], None]) -> None:
    """Acts in the first process; a `ValueError` of it is raised in all."""
    refusal: list[str | None] = [None]
    if state.is_main_process:
        try:
            act()
        except ValueError as error:
            refusal = [str(error)]
    (message,) = broadcast_object_list(refusal)
    if message is not None:
        raise ValueError(message)


def _plain(question: PredictionRequest) -> dict[str, Any]:
    timeline = asdict(question.timeline) if question.timeline is not None else {}
    return {"timeline": question.timeline is not None, "vad": question.vad, **asdict(question.answer), **timeline}


def _finish(
    journal: PartialResults, files: Sequence[str], predictor: Predictor, question: PredictionRequest, wide: bool = True
) -> int:
    failed = 0

    def counted(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal failed
        for row in rows:
            failed += "error" in row
            yield row

    table = columns(
        predictor.tasks,
        predictor.main_task,
        question.answer,
        timeline=question.timeline is not None,
        channel=question.timeline is not None and question.timeline.channels == "each",
        wide=wide or journal.output.suffix != ".csv",  # the other formats are for programs
    )
    write = ROW_FORMATS[journal.output.suffix]
    atomic_write(journal.output, lambda path: write(counted(journal.rows(files)), path, table))
    journal.close()
    count = f"{len(files):,} file{'' if len(files) == 1 else 's'}"
    print(f"{journal.output} has the rows of {count}, of which {failed:,} could not be read.")
    return failed


def predict_all(
    predictor: Predictor, files: Sequence[str], question: PredictionRequest, batch_size: int = 8
) -> list[Row]:
    """The rows of all files, in their order and in memory: for a few files, whose rows are printed."""
    answered = {}
    with Progress(len(files)) as progress:
        report = progress.add_part if len(files) == 1 else None
        for file, rows in predict_files(predictor, files, question, batch_size, report):
            answered[file] = rows
            progress.add(failed="error" in rows[0])
    return [row for file in files for row in answered[file]]


def export_timeline(
    predictor: Predictor, file: str, output: Path, question: PredictionRequest, *, overwrite: bool = False
) -> int:
    """Writes the timeline of one recording in the format that the output's ending names.

    Returns:
        0: as of [`run_batch`], how many files could not be read.

    Raises:
        ValueError: the recording cannot be read, the output is there already, or another job is writing it.
    """
    journal = PartialResults(output, overwrite=overwrite)
    journal.open({"file": redact_credentials(file), **_plain(question)}, [redact_credentials(file)])
    try:
        with Progress(1) as progress:
            ((_, rows),) = predict_files(predictor, [file], question, report=progress.add_part)
        if "error" in rows[0]:
            raise ValueError(f"{rows[0]['file']}: {rows[0]['error']}")
        _export(rows, Path(file).stem, output)
    finally:
        journal.close()
    return 0


def _export(rows: list[Row], name: str, output: Path) -> None:
    from ..timeline.formats import EXPORTS

    segments = [{name: row[name] for name in row if name not in ("file", "duration_s", "speech_s")} for row in rows]
    segments = [segment for segment in segments if segment]
    text = EXPORTS[output.suffix[1:]](segments, name, rows[0]["duration_s"])
    atomic_write(output, lambda path: path.write_text(text, encoding="utf-8", newline=""))
    spoken, duration = rows[0]["speech_s"], rows[0]["duration_s"]
    print(f"{output}: {len(segments):,} segments, {spoken:.1f} s of speech in {duration:.1f} s.")
