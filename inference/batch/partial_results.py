"""The rows of a job that is not finished, on disk, so that a job that was killed goes on where it was."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from common.files import write_json
from common.outputs import check_new

if TYPE_CHECKING:
    from .table_writers import Row

_MARK = {"made_by": "predict.py"}  # in the settings of a folder that is one of these


class PartialResults:
    """A folder `OUTPUT.partial` beside the output of a job.

    It holds the job's settings, a lock that its first process holds, and a file per process to which that one appends
    a line for each input file: `{"file", "rows"}`. A line that is not whole, or was damaged, is as if it were not
    there. A folder of this name that holds anything else is someone else's, and is left alone.

    Args:
        output: file that the job is to write.
        process: number of this process among those of the job.
        overwrite: whether an output that is there already may be replaced, and a job with other settings given up.
    """

    def __init__(self, output: Path, process: int = 0, overwrite: bool = False):
        self.output = output
        self.folder = output.with_name(f"{output.name}.partial")
        self._overwrite = overwrite
        self._settings = self.folder / "settings.json"
        self._lines = self.folder / f"rows-{process}.jsonl"
        self._lock = FileLock(self.folder / "lock")

    def refuse_finished(self) -> None:
        """Raises a `ValueError` where the output or the folder is there already, and not of a job that goes on."""
        if self._is_job():
            return
        others = set(self._content()) - set(self._own())
        if _read_settings(self._settings):
            others.add(self._settings)
        if self._files() and not self.output.exists():  # without settings nobody knows what the rows are of
            others |= set(self._files())
        if others and not self._overwrite:
            raise ValueError(
                f"{self.folder} holds {min(others).name}, and no settings of predict.py: move it away, choose another "
                "--output, or add --overwrite."
            )
        if self.output.exists():
            self._remove()  # what is left of a job that was killed as it removed it
        check_new([self.output], self._overwrite)

    def open(self, settings: dict[str, Any], files: Iterable[str]) -> None:
        """Makes the folder, or goes on with it. For the first process alone, which then holds the lock to its end.

        Args:
            settings: what the rows depend on.
            files: of the job. A job that has the rows of all of them may write its output once more.

        Raises:
            ValueError: the output or the folder is someone else's, another job is writing it, or was, with other
                settings.
        """
        self.refuse_finished()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except Timeout as error:
            raise ValueError(f"Another job is at work on {self.output} now.") from error
        except OSError as error:
            raise ValueError(f"{self.folder} cannot be written: {error.strerror}.") from error
        self.refuse_finished()  # now that no other job can write it
        self._take(json.loads(json.dumps(settings)) | _MARK)
        if self.output.exists() and not self._overwrite and not self.done().issuperset(files):
            raise ValueError(
                f"{self.output} exists already, and the job that is to write it is not done: move it away, or replace "
                "it with --overwrite."
            )

    def _is_job(self) -> bool:
        """Whether the folder is one of a job that has begun."""
        return _MARK.items() <= _read_settings(self._settings).items()

    def _take(self, mine: dict[str, Any]) -> None:
        theirs = _read_settings(self._settings) or ({} if self._files() else mine)
        changes = [
            f"{name} {theirs.get(name)}, not {mine.get(name)}"
            for name in sorted(mine | theirs)
            if mine.get(name) != theirs.get(name)
        ]
        if changes and not self._overwrite:
            raise ValueError(
                f"{self.folder} is of a job with other settings: {'; '.join(changes)}. Go on with the same ones, "
                "choose another --output, or give that job up with --overwrite."
            )
        if changes:
            for path in self._files():
                path.unlink()
        write_json(self._settings, mine)
        self._say_damaged()

    def done(self) -> set[str]:
        """The files whose rows are there."""
        return {line["file"] for path in self._files() for _, line in _whole_lines(path)}

    def append(self, answered: Iterable[tuple[str, list[Row]]]) -> Iterator[list[Row]]:
        """Writes the rows of each file as they come, and yields them once they are on disk."""
        with self._lines.open("ab") as lines:
            lines.truncate(whole_size(self._lines))
            for file, rows in answered:
                lines.write(json.dumps({"file": file, "rows": rows}).encode() + b"\n")
                lines.flush()
                yield rows

    def rows(self, files: Iterable[str]) -> Iterator[Row]:
        """The rows of all files, in their order, read one file at a time."""
        place = {line["file"]: (path, start) for path in self._files() for start, line in _whole_lines(path)}
        opened = {path: path.open("rb") for path in self._files()}
        try:
            for file in files:
                path, start = place[file]
                opened[path].seek(start)
                yield from json.loads(opened[path].readline())["rows"]
        finally:
            for handle in opened.values():
                handle.close()

    def _say_damaged(self) -> None:
        lines = (line for path in self._files() for line in _lines_of(path))
        damaged = sum(line.endswith(b"\n") and _parse(line) is None for line in lines)
        if damaged:
            plural = "line is" if damaged == 1 else "lines are"
            print(f"{self.folder}: {damaged:,} {plural} damaged; the files are done again.", file=sys.stderr)

    def close(self) -> None:
        """Removes the folder, of which the output has everything; what is left without settings is no job."""
        self._remove()
        self._lock.release()

    def _remove(self) -> None:
        """Removes what a job writes, the settings first, and the folder, if there is nothing else in it."""
        for path in self._own():
            path.unlink(missing_ok=True)
        with suppress(OSError):  # there is something else, or another process has removed it
            self.folder.rmdir()

    def _own(self) -> list[Path]:
        unfinished = self._settings.with_name(f"{self._settings.name}.unfinished")
        return [self._settings, unfinished, *self._files(), self.folder / "lock"]

    def _content(self) -> list[Path]:
        return list(self.folder.iterdir()) if self.folder.is_dir() else []

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("rows-*.jsonl"))


def _read_settings(path: Path) -> dict[str, Any]:
    """The settings of a job, none where there is no such file or it is of something else."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _parse(line: bytes) -> dict[str, Any] | None:
    """What a line says, if it is one that a job writes: `{"file", "rows"}`."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):  # and with them what is not UTF-8
        return None
    if not isinstance(content, dict) or not isinstance(content.get("file"), str):
        return None
    rows = content.get("rows")
    return content if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else None


def _lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as lines:
        yield from lines


def _whole_lines(path: Path) -> Iterator[tuple[int, dict]]:
    """Where each whole line starts, and what it says. The torn last one of a process that was killed is none."""
    start = 0
    for line in _lines_of(path):
        content = _parse(line) if line.endswith(b"\n") else None
        if content is not None:
            yield start, content
        start += len(line)


def whole_size(path: Path) -> int:
    """Bytes of a file of lines up to its last whole line: what a process that was killed tore off comes after."""
    return sum(len(line) for line in _lines_of(path) if line.endswith(b"\n"))
