"""URL -> a binary file to decode, whose failures are not lost in decoders; and texts without the secrets of URLs."""

from __future__ import annotations

import importlib
import io
import re
from typing import Any

# What stands before the @ of an address: all of it on the web, elsewhere where there is a password in it.
_SECRET = re.compile(
    r"(?<=http://)[^/?#\n]*(?=@)|(?<=https://)[^/?#\n]*(?=@)|(?<=://)[^/?#\n]*:[^/?#\n]*(?=@)", re.IGNORECASE
)


def redact_credentials(text: str) -> str:
    """A URL, or a text with URLs in it, without the names and passwords by which they are fetched."""
    return _SECRET.sub("…", text)


class RemoteFile(io.RawIOBase):
    """A file that is fetched as it is read.

    A decoder written in C prints what a file raises, and takes it for the file's end: a recording whose connection
    breaks would be a short one. So the file does end there, and keeps why.

    Args:
        url: of any scheme that fsspec knows.

    Attributes:
        failure (`str`): why it could not be read, without secrets; empty while it can.

    Raises:
        ImportError: fsspec, or what it needs for this scheme, is not there.
    """

    def __init__(self, url: str):
        self.failure = ""
        self._url = url
        self._file: Any = io.BytesIO()
        fsspec = importlib.import_module("fsspec")
        try:
            file = fsspec.open(url, "rb").open()
            self._file = file if file.seekable() else io.BytesIO(file.read())
        except ImportError as error:
            raise ImportError(redact_credentials(str(error))) from None
        except Exception as error:  # of as many kinds as there are schemes
            self._fail(error)

    def readinto(self, buffer: memoryview) -> int:
        """Reads what comes next, nothing from the first failure on."""
        try:
            return 0 if self.failure else self._file.readinto(buffer)
        except Exception as error:
            self._fail(error)
            return 0

    def _fail(self, error: Exception) -> None:
        self.failure = redact_credentials(" ".join(_reason(error, self._url).split()))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


def _reason(error: BaseException, url: str) -> str:
    """What an error says, or what it came of: that of a missing file on the web is the file's address and no more."""
    found: BaseException | None = error
    while found is not None:
        if str(found) not in ("", url):
            return str(found)
        found = found.__cause__ or found.__context__
    return type(error).__name__
