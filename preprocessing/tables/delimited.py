"""Text with a delimiter -> its records: cells, and the text as it stands in the file.

Whether a cell that begins with a quotation mark is quoted depends on the file: in CSV it is (RFC 4180); in TSV it is
mostly the beginning of a sentence, as in the tables of Common Voice. A quoted cell that nothing closes would swallow
all rows up to the next mark.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

DELIMITERS = "|\t;,"  # the first of them that the first line holds: a sentence may hold commas, a header no bar
_QUOTED_CELL = re.compile(r'"(?:[^"]|"")*"')
_FILE_NAME = re.compile(r'.+\.(?=\w*[A-Za-z])\w{2,4}"?')


class Record(NamedTuple):
    """A record of a table.

    Args:
        raw: as the file has it, with its line end; may be several lines.
        cells: their text, without the quotation marks of a quoted cell.
    """

    raw: str
    cells: list[str]


class Delimited(NamedTuple):
    """All records of a table, the header among them, each with as many cells as the first."""

    records: list[Record]
    delimiter: str
    quoted: bool


def read_delimited(text: str, delimiter: str | None = None) -> Delimited:
    """Divides a text into records. Blank lines are skipped.

    Args:
        text: content of the file.
        delimiter: the delimiter of cells; by default the first of `DELIMITERS` in the first line, else a comma.

    Raises:
        ValueError: a record has more or fewer cells than the first, a quotation mark is not closed, or a quoted cell
            includes rows; the message names the row.
    """
    if delimiter is None:
        first = text.split("\n", 1)[0]
        delimiter = next((mark for mark in DELIMITERS if mark in first), ",")
    if delimiter in ",;":
        return Delimited(_check_lengths(_read_quoted(text, delimiter)), delimiter, True)
    unquoted = [Record(line, line.rstrip("\r\n").split(delimiter)) for line in _lines(text) if line.strip("\r\n")]
    if delimiter == "|":
        return Delimited(_check_lengths(unquoted), delimiter, False)
    return _read_tabs(text, unquoted, delimiter)


def _read_tabs(text: str, unquoted: list[Record], delimiter: str) -> Delimited:
    """Every line is a row where all have the same number of cells; else a quoted cell may run over several lines."""
    try:
        _check_lengths(unquoted)
    except ValueError as uneven:
        try:
            return Delimited(_check_lengths(_read_quoted(text, delimiter)), delimiter, True)
        except ValueError:
            raise uneven from None
    if not _is_quoted(unquoted):
        return Delimited(unquoted, delimiter, False)
    return Delimited([Record(raw, list(map(_unquote, cells))) for raw, cells in unquoted], delimiter, True)


def _is_quoted(records: list[Record]) -> bool:
    """Whether cells that begin with a mark are quoted: all are closed, and one has what only a quoted cell may have."""
    marked = [cell for record in records for cell in record.cells if cell.startswith('"')]
    are_closed = all(_QUOTED_CELL.fullmatch(cell) for cell in marked)
    return are_closed and any('""' in cell[1:-1] or cell in records[0].cells for cell in marked)


def _unquote(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _read_quoted(text: str, delimiter: str) -> list[Record]:
    records: list[Record] = []
    read: list[str] = []

    def reading() -> Iterator[str]:
        for line in _lines(text):
            read.append(line)
            yield line

    try:
        for cells in csv.reader(reading(), delimiter=delimiter, strict=True):
            if cells:  # none in a blank line
                records.append(Record("".join(read), cells))
                _check_swallowed(len(records) - 1, read, delimiter)
            read.clear()
    except csv.Error as error:
        raise ValueError(
            f"{error} (row {len(records)}). A cell that begins with a quotation mark ends with one, and marks inside "
            "it are doubled."
        ) from error
    return records


def _check_swallowed(row: int, lines: list[str], delimiter: str) -> None:
    """Refuses a record of several lines if more than one names a file: they are separate rows."""
    if len(lines) == 1:
        return
    naming = [line for line in lines if any(map(_FILE_NAME.fullmatch, line.rstrip("\r\n").split(delimiter)))]
    if len(naming) > 1:
        raise ValueError(
            f"row {row}: a quotation mark that opens a cell is closed {len(lines) - 1} lines below, and includes the "
            'rows between. Double it, and quote its cell: """Yes"", he said".'
        )


def _check_lengths(records: list[Record]) -> list[Record]:
    for row, record in enumerate(records):
        if len(record.cells) != len(records[0].cells):
            raise ValueError(
                f"row {row} has {len(record.cells)} cells, expected those of {', '.join(records[0].cells)}."
            )
    return records


def _lines(text: str) -> Iterator[str]:
    return io.StringIO(text, newline="")
