"""Text that comes with a corpus, in whatever encoding a spreadsheet left it."""

from __future__ import annotations

import codecs
from pathlib import Path


def read_text(path: Path, errors: str = "strict") -> str:
    """The text of a file in UTF-8, or in UTF-16 where its first bytes say so.

    Args:
        path: the file.
        errors: what is done about bytes that are not of the encoding, as by `bytes.decode`.

    Raises:
        ValueError: it is in another encoding; the message names the file.
    """
    content = path.read_bytes()
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding, errors)
    except UnicodeDecodeError as error:
        raise ValueError(_expected(path, f"byte {error.start} is not of it")) from error
    if "\0" in text:  # UTF-16 that does not say so
        raise ValueError(_expected(path, "it holds null characters"))
    return text


def _expected(path: Path, problem: str) -> str:
    return f"{path}: expected text in UTF-8, but {problem}. Save the file as UTF-8 (in Excel: CSV UTF-8)."
