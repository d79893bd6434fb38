"""Text files of users: in UTF-8, or in the encoding of their byte order mark."""

from __future__ import annotations

import codecs
import re
import string
import unicodedata
from pathlib import Path

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))  # hyphens and marks that are not displayed
_BLANK = re.compile(r"[^\S\x00-\x7f]")  # such as a no-break space
_AROUND = string.whitespace + "\u200c\u200d"  # inside a word, joiners belong to its spelling in Persian and Bengali

_MARKS = (  # that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EXPECTED = "Save it as UTF-8, or as UTF-16 with a byte order mark"
_SHOWN = 60  # characters


def read_text(path: Path, errors: str = "strict") -> str:
    """The text of a file, with its line ends as they are: see [`read_encoded`]."""
    return read_encoded(path, errors)[0]


def read_encoded(path: Path, errors: str = "strict") -> tuple[str, str]:
    """The text of a file, and the name of its encoding.

    Args:
        path: the file.
        errors: how invalid bytes are handled, as by `bytes.decode`.

    Raises:
        ValueError: it is not UTF-8 and has no byte order mark; the message names the file and the line.
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    encoding = encoding_of(content)
    try:
        text = content.decode(encoding, errors)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"0x{content[error.start]:02x}"
        raise ValueError(f"{path}, line {line}: the byte {byte} is not valid {encoding}. {_EXPECTED}.") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"{path}, line {line}: the text holds NUL, as UTF-16 does when read as UTF-8. {_EXPECTED}.")
    return text, encoding


def encoding_of(content: bytes) -> str:
    """The encoding of the byte order mark, else UTF-8."""
    return next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")


def shorten(value: object, longest: int = _SHOWN) -> str:
    """A value for a message: the beginning of a text; the type of audio and other large objects."""
    if isinstance(value, str):
        return repr(value) if len(value) <= longest else f"{value[:longest]!r}… ({len(value):,} characters)"
    return repr(value) if isinstance(value, int | float | None) else f"a {type(value).__name__}"


def clean_text(text: str) -> str:
    """The text in Unicode NFC, without invisible characters, with ordinary blanks and none around it.

    Tables contain such characters from spreadsheets and web pages, and two spellings of a speaker are two speakers.
    """
    if text.isascii():
        return text.strip()
    return _BLANK.sub(" ", unicodedata.normalize("NFC", text).translate(_INVISIBLE)).strip(_AROUND)


def escape_surrogates(text: str) -> str:
    """The text with surrogates escaped, which names of files in no valid encoding have, so that it can be written."""
    return text.encode("utf-8", "backslashreplace").decode()
