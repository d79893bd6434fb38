"""The rows of a job that is not finished, on disk, so that a job that was killed goes on where it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from inference.rows import Row
from preprocessing.report import write_json


class Journal:
    """A folder `OUTPUT.partial` beside the output of a job.

    It holds the job's settings, a lock that its first process holds, and a file per process to which that one appends
    a line for each input file: `{"file", "rows"}`, whole or not there.

    Args:
        output: file that the job is to write.
        process: number of this process among those of the job.
    """

    def __init__(self, output: Path, process: int = 0):
        self.output = output
        self.folder = output.with_name(f"{output.name}.partial")
        self._settings = self.folder / "settings.json"
        self._lines = self.folder / f"rows-{process}.jsonl"
        self._lock = FileLock(self.folder / "lock")

    def refuse_finished(self) -> None:
        """Raises a `ValueError` where the output is there already, and not because the job was killed as it ended."""
        if self.output.exists() and not self._settings.exists():
            shutil.rmtree(self.folder, ignore_errors=True)  # of a job that was killed as it removed it
            raise ValueError(f"{self.output} is there already. Delete it to do it again, or choose another --output.")

    def open(self, settings: dict[str, Any], files: Iterable[str]) -> None:
        """Makes the folder, or goes on with it. For the first process alone, which then holds the lock to its end.

        Args:
            settings: what the rows depend on.
            files: of the job. A job that has the rows of all of them may write its output once more.

        Raises:
            ValueError: the output is there already, another job is writing it, or was, with other settings.
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
        self._check(json.loads(json.dumps(settings)))
        if self.output.exists() and not self.done().issuperset(files):
            raise ValueError(f"{self.output} is there, and the job that is to write it is not done: move it away.")

    def _check(self, mine: dict[str, Any]) -> None:
        if not self._settings.exists():
            write_json(self._settings, mine)
        theirs = json.loads(self._settings.read_text(encoding="utf-8"))
        changes = [
            f"{name} {theirs.get(name)}, not {mine.get(name)}"
            for name in sorted(mine | theirs)
            if mine.get(name) != theirs.get(name)
        ]
        if changes:
            raise ValueError(
                f"{self.folder} is of a job with other settings: {'; '.join(changes)}. Go on with the same ones, "
                "choose another --output, or delete the folder."
            )

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

    def close(self) -> None:
        """Removes the folder, of which the output has everything; what is left without settings is no job."""
        self._settings.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("rows-*.jsonl"))


def _whole_lines(path: Path) -> Iterator[tuple[int, dict]]:
    """Where each line starts, and what it says, without the torn last line of a process that was killed."""
    start = 0
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield start, json.loads(line)
            start += len(line)


def whole_size(path: Path) -> int:
    """Bytes of a file of lines up to its last whole line: what a process that was killed tore off comes after."""
    with path.open("rb") as lines:
        return sum(len(line) for line in lines if line.endswith(b"\n"))
