"""Recordings -> what the model says and what is measured of each, kept in a file, so that none is heard twice."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from common.quiet import quiet_c_libraries
from common.workers import killed_worker_errors
from modeling import SAMPLING_RATE, Task, batched, load_audio
from preprocessing.audit.audio_fingerprint import FINGERPRINT_SIZE, MAX_DURATION_S, fingerprint
from preprocessing.targets.acoustics import ACOUSTIC_TARGETS, acoustic_targets

from ..batch.console import Progress
from ..batch.partial_results import complete_size
from ..batch.predict import PredictionRequest, predict_files
from ..engine.predictor import Predictor
from ..table_writers import flatten

# Under names of their own: `f0_mean` is what the model says, here and in every other table.
MEASURED = tuple(f"measured_{name}" for name in ACOUSTIC_TARGETS)
_AT_ONCE = 64  # recordings between two lines that are written
_SILENCE = (float("nan"),) * FINGERPRINT_SIZE
_MARK = b'{"probe": '  # how a file of scores begins
_FORMAT = 2  # of its rows and of what they mean; in 1, which is not written down, energy was normalized
_PROBE_TOLERANCE = 1e-3  # relative to the numbers; machines differ by less, models by more


class ScoresFile:
    """A file of JSON lines: the model's mark, then a row per recording, as they were heard.

    A row holds the recording's `file`, its `size` and `mtime_ns` at that time, and the values or an `error`. Rows are
    only appended; the last one of a recording counts. One that is not whole, because a process was killed while it
    wrote it, is heard again.

    Args:
        path: of the file; it need not exist.
        predictor: the model whose scores they are.
        vad: whether they have no emotion where there is no speech.

    Raises:
        ValueError: the file is of another model or format, was made with the other `vad`, or is no such file.
    """

    def __init__(self, path: Path, predictor: Predictor, vad: bool = True):
        self._path = path
        self._recogniser = predictor
        self._question = PredictionRequest(vad=vad)
        _refuse_other_file(path)
        probe = _probe(predictor)
        with path.open("ab") as file:
            whole = complete_size(path)
            file.truncate(whole)
            if whole == 0:
                file.write(json.dumps({"probe": probe, "format": _FORMAT, "vad": vad}).encode() + b"\n")
        found = _read_mark(path)
        if (written := found.get("format", 1)) != _FORMAT:
            raise ValueError(
                f"{path} has the format {written}, this version writes {_FORMAT}: name another file with --scores."
            )
        if not _same_model(found["probe"], probe):
            raise ValueError(f"{path} holds the scores of another model; name another file with --scores.")
        if found.get("vad", False) != vad:
            how = "with --no_vad, or by an older version" if vad else "without --no_vad"
            raise ValueError(f"{path} holds scores that were made {how}; name another file with --scores.")

    def complete(self, files: Sequence[Path], num_proc: int) -> int:
        """Hears what is not yet scored, or has changed since, and returns how many recordings these were.

        Args:
            files: the recordings, each once.
            num_proc: processes that measure.
        """
        damaged = sum(row is None for row in self._lines())
        if damaged:
            plural = "line is" if damaged == 1 else "lines are"
            print(f"{self._path}: {damaged:,} {plural} damaged; the recordings are done again.", file=sys.stderr)
        known = {row["file"]: (row["size"], row["mtime_ns"]) for row in self._rows()}
        missing = [file for file in files if known.get(str(file)) != _stamp(file)]
        progress = Progress(len(files), len(files) - len(missing))
        num_proc = min(num_proc, 1 + len(missing) // _AT_ONCE)  # starting one takes as long as a few recordings
        workers = joblib.Parallel(num_proc)
        with killed_worker_errors(), self._path.open("ab") as out, workers as parallel, progress:
            for pool in batched(missing, _AT_ONCE):
                for row in self._hear(pool, parallel):
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

    def _rows(self) -> Iterator[dict[str, Any]]:
        """Those that are whole: a line that was damaged is as if it were not there."""
        return (row for row in self._lines() if row is not None)

    def _lines(self) -> Iterator[dict[str, Any] | None]:
        with self._path.open("rb") as file:
            next(file)
            yield from map(_parse, file)

    def _hear(self, files: Sequence[Path], parallel: joblib.Parallel) -> Iterator[dict[str, Any]]:
        stamps = {str(file): dict(zip(("size", "mtime_ns"), _stamp(file), strict=True)) for file in files}
        answers = {file: rows[0] for file, rows in predict_files(self._recogniser, list(stamps), self._question)}
        good = [file for file, answer in answers.items() if "error" not in answer]
        measured = dict(zip(good, parallel(joblib.delayed(measure)(file) for file in good), strict=True))
        for file, stamp in stamps.items():
            row = flatten(answers[file]) | measured.get(file, {}) | stamp
            yield {name: float(f"{cell:.6g}") if isinstance(cell, float) else cell for name, cell in row.items()}


def known_names(tasks: Sequence[Task]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """What the rows of a model hold: head that chooses a class -> its classes, and the names of the numbers."""
    labels = {task.name: task.labels for task in tasks if task.is_classification}
    scores = [f"{name}_{label}" for name, classes in labels.items() for label in ("score", *classes)]
    values = [task.name for task in tasks if not task.is_classification]
    return labels, (*scores, *values, *MEASURED, "duration_s", "analyzed_s", "speech_s")


def measure(file: str) -> dict[str, Any]:
    """Prosody and fingerprint of the first minute of a recording.

    Returns:
        `measured_…` for each of `ACOUSTIC_TARGETS`, `None` where there is none, and `fingerprint`: numbers, `None` for
        silence. Or `error`, where a recording breaks off after what the model hears.
    """
    quiet_c_libraries()  # this may be a process of its own
    try:
        waveform = load_audio(file, end_s=MAX_DURATION_S)
    except (ValueError, OSError) as error:
        return {"error": str(error).removeprefix(f"{file}: ")}
    prosody = {f"measured_{name}": value for name, value in acoustic_targets(waveform).items()}
    marks = fingerprint(waveform)
    return {**prosody, "fingerprint": None if np.isnan(marks).any() else [round(mark, 4) for mark in marks.tolist()]}


def _stamp(file: Path) -> tuple[int | None, int | None]:
    """What changes when a file does."""
    try:
        status = file.stat()
    except OSError:
        return None, None
    return status.st_size, status.st_mtime_ns


def _read_mark(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        line = file.readline()
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(f"{path}: its first line is damaged; name another file with --scores.") from error


def _parse(line: bytes) -> dict[str, Any] | None:
    """A row, `None` where a line is none."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # and with them what is not UTF-8
        return None
    whole = isinstance(row, dict) and isinstance(row.get("file"), str) and {"size", "mtime_ns"} <= row.keys()
    return row if whole else None


def _refuse_other_file(path: Path) -> None:
    """Raises a `ValueError` where a file is there that is none of scores, so that nothing is written to it."""
    if path.exists():
        with path.open("rb") as file:
            start = file.read(len(_MARK))
        if not _MARK.startswith(start):
            raise ValueError(f"{path} is no file of scores; --scores names one to write.")


def _probe(predictor: Predictor) -> dict[str, list[float]]:
    """What a model says of a fixed noise: other weights say something else, whatever their folder is called."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=SAMPLING_RATE).astype(np.float32)
    return {name: np.atleast_1d(values[0]).tolist() for name, values in predictor([noise]).items()}


def _same_model(first: dict[str, list[float]], second: dict[str, list[float]]) -> bool:
    return first.keys() == second.keys() and all(
        len(values) == len(second[name])
        and np.allclose(values, second[name], rtol=_PROBE_TOLERANCE, atol=_PROBE_TOLERANCE)
        for name, values in first.items()
    )
