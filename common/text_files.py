"""Text files of users: in UTF-8, or in what their byte order mark says."""

from __future__ import annotations

import codecs
import re
import string
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))  # hyphens and marks that show nothing
_BLANK = re.compile(r"[^\S\x00-\x7f]")  # a no-break space, say
_AROUND = string.whitespace + "\u200c\u200d"  # inside a word, joiners are its spelling in Persian and Bengali

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
        errors: what is done about bytes that are not of the encoding, as by `bytes.decode`.

    Raises:
        ValueError: it is neither UTF-8 nor has it a byte order mark; the message names the file and the line.
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
    """The encoding that a byte order mark says, else UTF-8."""
    return next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")


def shorten(value: object, longest: int = _SHOWN) -> str:
    """A value as a message shows it: a few words of a text, of a sound or another large thing its type alone."""
    if isinstance(value, str):
        return repr(value) if len(value) <= longest else f"{value[:longest]!r}… ({len(value):,} characters)"
    return repr(value) if isinstance(value, int | float | None) else f"a {type(value).__name__}"


def clean_text(text: str) -> str:
    """The text as it is compared: in Unicode's NFC, without what cannot be seen, with plain blanks and none around it.

    Tables carry such characters in from spreadsheets and web pages, and two spellings of a speaker are two speakers.
    """
    if text.isascii():
        return text.strip()
    return _BLANK.sub(" ", unicodedata.normalize("NFC", text).translate(_INVISIBLE)).strip(_AROUND)


def escape_surrogates(text: str) -> str:
    """The text with what is in no valid encoding spelled out, as names of files may be, so that it can be written."""
    return text.encode("utf-8", "backslashreplace").decode()
