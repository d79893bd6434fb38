"""Tables as text, for a terminal or a Markdown file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from tabulate import tabulate

MISSING = "–"  # a cell without a value
_ALIGNMENTS = {"l": "left", "r": "right"}


def format_table(
    rows: Iterable[Sequence[str | None]],
    headers: Sequence[str],
    align: str,
    style: Literal["plain", "github"] = "plain",
) -> str:
    """A table with aligned columns, without a line end behind it.

    Args:
        rows: cells as text, formatted by the caller; `None` is shown as a dash.
        headers: names of the columns.
        align: one letter per column, as in LaTeX: `l` (left) or `r` (right).
        style: `plain` for a terminal, `github` for Markdown.

    Raises:
        ValueError: a row, or `align`, does not have one item per column.
    """
    cells = [[MISSING if cell is None else cell for cell in row] for row in rows]
    if any(len(row) != len(headers) for row in [*cells, align]):
        raise ValueError(f"Every row and `align` must have {len(headers)} items, one per column.")
    text = tabulate(
        cells,
        headers,
        tablefmt=style,
        colalign=[_ALIGNMENTS[letter] for letter in align],
        disable_numparse=True,  # cells are shown as they are
    )
    return "\n".join(line.rstrip() for line in text.splitlines())
