"""Recordings -> predictions and measurements of each, kept in a file, so that each is analyzed once."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import joblib
import numpy as np
from filelock import FileLock, Timeout

from common.quiet import quiet_c_libraries
from common.workers import killed_worker_errors
from modeling import Task, batched, load_audio
from preprocessing.duplicates.audio_fingerprint import FINGERPRINT_SIZE, MAX_DURATION_S, fingerprint
from preprocessing.targets.acoustics import ACOUSTIC_TARGETS, acoustic_targets

from ..batch.console import Progress
from ..batch.partial_results import complete_size
from ..batch.predict import PredictionRequest, predict_files
from ..engine.predictor import Predictor
from ..table_writers import flatten

# Under names of their own: `f0_mean` is a prediction, here and in every other table.
MEASURED = tuple(f"measured_{name}" for name in ACOUSTIC_TARGETS)
_AT_ONCE = 64  # recordings that are analyzed before their rows are written
_SILENCE = (float("nan"),) * FINGERPRINT_SIZE
_MARK = b'{"score_cache": '  # how the file begins
_FORMAT = 3  # of the rows and their meaning


class ScoreCache:
    """A file of JSON lines: a header that identifies the model, then a row per recording.

    A row holds the recording's `file`, its `size` and `mtime_ns` at that time, and the values or an `error`. Rows are
    only appended; the last one of a recording counts. A recording is analyzed again if its row is incomplete, because a
    process was killed while it wrote it, or if the recording has changed since. A lock next to the file, `PATH.lock`,
    lets one process at a time write it.

    Args:
        path: of the file; it need not exist.
        predictor: the model.
        model: SHA-256 of its weights.
        vad: whether rows have no emotion where there is no speech.

    Raises:
        ValueError: the file is of another model, precision or format, was made with the other `vad`, is not a score
            cache, or is being written by another process.
    """

    def __init__(self, path: Path, predictor: Predictor, model: str | None, vad: bool = True):
        self._path = path
        self._predictor = predictor
        self._request = PredictionRequest(vad=vad)
        self._header = {"score_cache": _FORMAT, "model": model, "precision": predictor.precision, "vad": vad}
        with self._write():  # writes the header, or checks it
            pass

    def complete(self, files: Sequence[Path], num_proc: int) -> int:
        """Analyzes the recordings that are not in the file, or have changed since, and returns their number.

        Args:
            files: the recordings, each once.
            num_proc: processes that measure.

        Raises:
            ValueError: another process is writing the file.
        """
        with self._write() as out:
            return self._add_missing(files, num_proc, out)

    def _add_missing(self, files: Sequence[Path], num_proc: int, out: BinaryIO) -> int:
        damaged = sum(row is None for row in self._lines())
        if damaged:
            plural = "line is" if damaged == 1 else "lines are"
            print(f"{self._path}: {damaged:,} {plural} damaged; the recordings are analyzed again.", file=sys.stderr)
        known = {row["file"]: (row["size"], row["mtime_ns"]) for row in self._rows()}
        missing = [file for file in files if known.get(str(file)) != _stamp(file)]
        progress = Progress(len(files), len(files) - len(missing))
        num_proc = min(num_proc, 1 + len(missing) // _AT_ONCE)  # starting one takes as long as a few recordings
        workers = joblib.Parallel(num_proc)
        with killed_worker_errors(), workers as parallel, progress:
            for group in batched(missing, _AT_ONCE):
                for row in self._analyze(group, parallel):
                    out.write(json.dumps(row).encode() + b"\n")
                    out.flush()
                    progress.add("error" in row)
        return len(missing)

    def read(self, files: Sequence[Path], names: set[str]) -> dict[str, dict[str, Any]]:
        """Path -> the named values of each recording, or its `error`."""
        wanted, names = {str(file) for file in files}, {*names, "error"}
        known = {}
        for row in self._rows():
            if row["file"] in wanted:
                known[row["file"]] = values = {name: row[name] for name in names & row.keys()}
                if "fingerprint" in values:  # an array takes a tenth of the memory of a list
                    values["fingerprint"] = np.array(values["fingerprint"] or _SILENCE, np.float32)
        return known

    @contextmanager
    def _write(self) -> Iterator[BinaryIO]:
        """Yields the file, to which rows are appended after its last complete line. No other process can write it."""
        lock_file = self._path.with_name(f"{self._path.name}.lock")
        lock = FileLock(lock_file)
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise ValueError(
                f"Another run is writing {self._path} now. Wait for its end, or name another file with --scores."
            ) from error
        try:
            _check_is_cache(self._path)
            with self._path.open("ab") as file:
                whole = complete_size(self._path)
                file.truncate(whole)
                if whole == 0:
                    file.write(json.dumps(self._header).encode() + b"\n")
                    file.flush()
                _check_header(self._path, self._header)
                yield file
        finally:
            lock_file.unlink()
            lock.release()

    def _rows(self) -> Iterator[dict[str, Any]]:
        """The rows that are complete; damaged lines are ignored."""
        return (row for row in self._lines() if row is not None)

    def _lines(self) -> Iterator[dict[str, Any] | None]:
        with self._path.open("rb") as file:
            next(file)
            yield from map(_parse, file)

    def _analyze(self, files: Sequence[Path], parallel: joblib.Parallel) -> Iterator[dict[str, Any]]:
        stamps = {str(file): dict(zip(("size", "mtime_ns"), _stamp(file), strict=True)) for file in files}
        predicted = {file: rows[0] for file, rows in predict_files(self._predictor, list(stamps), self._request)}
        readable = [file for file, row in predicted.items() if "error" not in row]
        measured = dict(zip(readable, parallel(joblib.delayed(measure)(file) for file in readable), strict=True))
        for file, stamp in stamps.items():
            row = flatten(predicted[file]) | measured.get(file, {}) | stamp
            yield {name: float(f"{cell:.6g}") if isinstance(cell, float) else cell for name, cell in row.items()}


def known_names(tasks: Sequence[Task]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """The columns of the rows of a model: classification head -> its classes, and the names of the numbers."""
    labels = {task.name: task.labels for task in tasks if task.is_classification}
    scores = [f"{name}_{label}" for name, classes in labels.items() for label in ("score", *classes)]
    values = [task.name for task in tasks if not task.is_classification]
    return labels, (*scores, *values, *MEASURED, "duration_s", "analyzed_s", "speech_s")


def measure(file: str) -> dict[str, Any]:
    """Prosody and fingerprint of the first minute of a recording.

    Returns:
        `measured_…` for each of `ACOUSTIC_TARGETS`, `None` if undefined, and `fingerprint`: numbers, `None` for
        silence. Or `error`, if a recording is broken after the model's window.
    """
    quiet_c_libraries()  # this may be a process of its own
    try:
        waveform = load_audio(file, end_s=MAX_DURATION_S)
    except (ValueError, OSError) as error:
        return {"error": str(error).removeprefix(f"{file}: ")}
    prosody = {f"measured_{name}": value for name, value in acoustic_targets(waveform).items()}
    values = fingerprint(waveform)
    return {
        **prosody,
        "fingerprint": None if np.isnan(values).any() else [round(value, 4) for value in values.tolist()],
    }


def _stamp(file: Path) -> tuple[int | None, int | None]:
    """Size and time of a file, which change when it does."""
    try:
        status = file.stat()
    except OSError:
        return None, None
    return status.st_size, status.st_mtime_ns


def _check_header(path: Path, expected: dict[str, Any]) -> None:
    """Raises a `ValueError` if a cache is of another format, model, precision or `vad`."""
    with path.open("rb") as file:
        line = file.readline()
    try:
        header = json.loads(line)
    except ValueError as error:
        raise ValueError(f"{path}: its first line is damaged; name another file with --scores.") from error
    if missing := sorted(expected.keys() - header.keys()):
        raise ValueError(
            f"{path} was written by an earlier version, without {', '.join(missing)}. Name another file with --scores."
        )
    differences = [f"{name} {header[name]}, not {value}" for name, value in expected.items() if header[name] != value]
    if differences:
        raise ValueError(
            f"{path} holds scores of another run: {'; '.join(differences)}. Name another file with --scores."
            + (" `vad` is false with --no_vad." if header["vad"] != expected["vad"] else "")
            + (" --precision chooses the precision." if header["precision"] != expected["precision"] else "")
        )


def _parse(line: bytes) -> dict[str, Any] | None:
    """The row of a line, `None` if the line is damaged."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    whole = isinstance(row, dict) and isinstance(row.get("file"), str) and {"size", "mtime_ns"} <= row.keys()
    return row if whole else None


def _check_is_cache(path: Path) -> None:
    """Raises a `ValueError` if another file exists at that path, so that nothing is written to it."""
    if path.exists():
        with path.open("rb") as file:
            start = file.read(len(_MARK))
        if not _MARK.startswith(start):
            raise ValueError(f"{path} is not a score cache; name another file with --scores.")
