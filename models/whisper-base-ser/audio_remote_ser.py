"""URL -> a binary file to decode that keeps its failures from being lost; and texts without the credentials of URLs."""

from __future__ import annotations

import importlib
import io
import re
from typing import Any

# What is before the @ of a URL: all of it on the web, with other schemes only if it holds a password.
_CREDENTIALS = re.compile(
    r"(?<=http://)[^/?#\n]*(?=@)|(?<=https://)[^/?#\n]*(?=@)|(?<=://)[^/?#\n]*:[^/?#\n]*(?=@)", re.IGNORECASE
)


def redact_credentials(text: str) -> str:
    """A URL, or a text that contains URLs, without their user names and passwords."""
    return _CREDENTIALS.sub("…", text)


class RemoteFile(io.RawIOBase):
    """A file that is fetched as it is read.

    A decoder written in C prints an exception of a file and treats it as the file's end: a recording whose connection
    breaks would become a short one. So this file does end there, and keeps the reason in `failure`.

    Args:
        url: of any scheme that fsspec supports.

    Attributes:
        failure (`str`): why it could not be read, without credentials; empty while it can.

    Raises:
        ImportError: fsspec, or a package that it needs for this scheme, is not installed.
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
        except Exception as error:  # each scheme of fsspec raises errors of its own
            self._fail(error)

    def readinto(self, buffer: Any) -> int:
        """Reads the next bytes; none after the first failure."""
        try:
            return 0 if self.failure else int(self._file.readinto(buffer))
        except Exception as error:
            self._fail(error)
            return 0

    def _fail(self, error: Exception) -> None:
        self.failure = redact_credentials(" ".join(_reason(error, self._url).split()))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


def _reason(error: BaseException, url: str) -> str:
    """The message of an error, or of its cause: for a missing file on the web, the message is only the file's URL."""
    found: BaseException | None = error
    while found is not None:
        if str(found) not in ("", url):
            return str(found)
        found = found.__cause__ or found.__context__
    return type(error).__name__
