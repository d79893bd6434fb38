"""The rows of an unfinished batch run, on disk, so that a run that was killed resumes where it was."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from common.files import unfinished_path, write_json
from common.outputs import check_new

if TYPE_CHECKING:
    from ..table_writers import Row

_OWNERSHIP_MARKER = {"made_by": "predict.py"}  # in the settings of a folder that this class wrote


class PartialResults:
    """A folder `OUTPUT.partial` next to the output of a batch run.

    It holds the run's settings, a lock that its first process holds, and a file per process to which that process
    appends a line for each input file: `{"file", "rows"}`. An incomplete or damaged line is ignored. When the run ends,
    its settings are renamed, so that no remains are resumed, and removed last, so that remains can be attributed. A
    folder of this name with other content belongs to someone else, and is left alone.

    Args:
        output: file that the run is to write.
        process: number of this process among those of the run.
        overwrite: whether an existing output may be replaced, and a run with other settings discarded.
    """

    def __init__(self, output: Path, process: int = 0, overwrite: bool = False):
        self.output = output
        self.folder = output.with_name(f"{output.name}.partial")
        self._overwrite = overwrite
        self._settings = self.folder / "settings.json"
        self._finished = self.folder / "finished.json"  # the settings, while the folder is being removed
        self._lines = self.folder / f"rows-{process}.jsonl"
        self._unfinished_settings = unfinished_path(self._settings)
        self._lock_file = self.folder / "lock"
        self._lock = FileLock(self._lock_file)

    def check_unfinished(self) -> None:
        """Raises a `ValueError` if the output or the folder exists already, unless an unfinished run wrote them."""
        if _is_ours(self._settings):
            return
        remains = [self._finished, *self._files()] if _is_ours(self._finished) else []
        others = set(self._content()) - {*remains, self._unfinished_settings, self._lock_file}
        if others and not self._overwrite:
            raise ValueError(
                f"{self.folder} holds {min(others).name} without the settings of a run of predict.py. Move the folder, "
                "choose another --output, or add --overwrite."
            )
        self._remove_remains()
        check_new([self.output], self._overwrite)

    def open(self, settings: dict[str, Any], files: Iterable[str]) -> None:
        """Makes the folder, or resumes from it. For the first process alone, which then holds the lock to its end.

        Args:
            settings: what the rows depend on.
            files: of the run. A run that has the rows of all of them may write its output once more.

        Raises:
            ValueError: the output or the folder belongs to someone else, another run is writing it, or has begun it
                with other settings.
        """
        self.check_unfinished()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except Timeout as error:
            raise ValueError(f"Another run is writing {self.output} now.") from error
        except OSError as error:
            raise ValueError(f"{self.folder} cannot be written: {error.strerror}.") from error
        self.check_unfinished()  # again, now that no other run can write it
        self._accept_settings(json.loads(json.dumps(settings)) | _OWNERSHIP_MARKER)
        if self.output.exists() and not self._overwrite and not self.done().issuperset(files):
            raise ValueError(
                f"{self.output} exists already, although the run that writes it is not finished. Move the file, or "
                "replace it with --overwrite."
            )

    def _accept_settings(self, mine: dict[str, Any]) -> None:
        theirs = _read_settings(self._settings) or ({} if self._files() else mine)
        changes = [
            f"{name} {theirs.get(name)}, not {mine.get(name)}"
            for name in sorted(mine | theirs)
            if mine.get(name) != theirs.get(name)
        ]
        if changes and not self._overwrite:
            raise ValueError(
                f"{self.folder} belongs to a run with other settings: {'; '.join(changes)}. Resume it with the same "
                f"settings, choose another --output, or discard it with --overwrite.{_precision_note(theirs, mine)}"
            )
        if changes:
            for path in self._files():
                path.unlink()
        write_json(self._settings, mine)
        self._report_damage()

    def done(self) -> set[str]:
        """The files whose rows are complete."""
        return {line["file"] for path in self._files() for _, line in _complete_lines(path)}

    def append(self, results: Iterable[tuple[str, list[Row]]]) -> Iterator[list[Row]]:
        """Writes the rows of each file as they come, and yields them after they are written."""
        with self._lines.open("ab") as lines:
            lines.truncate(complete_size(self._lines))
            for file, rows in results:
                lines.write(json.dumps({"file": file, "rows": rows}).encode() + b"\n")
                lines.flush()
                yield rows

    def rows(self, files: Iterable[str]) -> Iterator[Row]:
        """The rows of all files, in their order, read one file at a time."""
        place = {line["file"]: (path, start) for path in self._files() for start, line in _complete_lines(path)}
        opened = {path: path.open("rb") for path in self._files()}
        try:
            for file in files:
                path, start = place[file]
                opened[path].seek(start)
                yield from json.loads(opened[path].readline())["rows"]
        finally:
            for handle in opened.values():
                handle.close()

    def _report_damage(self) -> None:
        lines = (line for path in self._files() for line in _lines_of(path))
        damaged = sum(line.endswith(b"\n") and _parse(line) is None for line in lines)
        if damaged:
            plural = "line is" if damaged == 1 else "lines are"
            print(f"{self.folder}: {damaged:,} {plural} damaged; these files are processed again.", file=sys.stderr)

    def close(self) -> None:
        """Removes the folder, after its rows are in the output."""
        self._remove()
        self._lock.release()

    def _remove_remains(self) -> None:
        """Removes what a run without settings left, unless another one holds the lock, and is about to write them."""
        if self._lock.is_locked:
            self._remove_files()
        elif self.folder.is_dir():
            with suppress(Timeout, OSError), self._lock.acquire(blocking=False):
                self._remove()

    def _remove(self) -> None:
        """Removes the files of a run, and the folder if nothing else is in it. For the holder of the lock."""
        self._remove_files()
        self._lock_file.unlink(missing_ok=True)
        with suppress(OSError):  # it holds other files, or another process has removed it
            self.folder.rmdir()

    def _remove_files(self) -> None:
        with suppress(FileNotFoundError):
            self._settings.replace(self._finished)
        for path in (*self._files(), self._unfinished_settings, self._finished):
            path.unlink(missing_ok=True)

    def _content(self) -> list[Path]:
        return list(self.folder.iterdir()) if self.folder.is_dir() else []

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("rows-*.jsonl"))


def _precision_note(theirs: dict[str, Any], mine: dict[str, Any]) -> str:
    """How to resume in the precision of a run, which `auto` may have chosen on another machine; empty if it is ours."""
    precision = theirs.get("precision")
    return (
        ""
        if precision in (None, mine.get("precision"))
        else f" Add --precision {precision} to compute as that run did."
    )


def _is_ours(settings: Path) -> bool:
    """Whether this class wrote a file of settings."""
    return _OWNERSHIP_MARKER.items() <= _read_settings(settings).items()


def _read_settings(path: Path) -> dict[str, Any]:
    """The settings of a run; empty if the file does not exist or is something else."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _parse(line: bytes) -> dict[str, Any] | None:
    """The content of a line, `None` if it is not one that a run writes: `{"file", "rows"}`."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    if not isinstance(content, dict) or not isinstance(content.get("file"), str):
        return None
    rows = content.get("rows")
    return content if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else None


def _lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as lines:
        yield from lines


def _complete_lines(path: Path) -> Iterator[tuple[int, dict]]:
    """The start and content of each complete line; a killed process may leave an incomplete last line."""
    start = 0
    for line in _lines_of(path):
        content = _parse(line) if line.endswith(b"\n") else None
        if content is not None:
            yield start, content
        start += len(line)


def complete_size(path: Path) -> int:
    """Bytes of a file up to the end of its last complete line: a killed process may leave an incomplete one."""
    return sum(len(line) for line in _lines_of(path) if line.endswith(b"\n"))
