"""Audio files by their names: the suffixes that the decoder opens, the files of a folder, the paths in a table."""

from __future__ import annotations

import contextlib
import io
import os
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal

import av
import soundfile

from .text_files import shorten

# Formats without a header, which any file matches; lists of files, pictures and subtitles in containers of films.
_HEADERLESS = "302 al bit g722 722 pcm raw rco sb spdif sw tco tun ub ul uw".split()
_NO_AUDIO = "avif heic heif ism m3u8 mks mpd".split()
# Formats that FFmpeg recognizes by their content, without a suffix of their own.
_UNLISTED = "dsf dss m4r mpc mpga qcp snd sph weba".split()


def _audio_suffixes() -> tuple[str, ...]:
    endings = {name.lower() for name in soundfile.available_formats()} | set(_UNLISTED)
    for name in av.formats_available:
        if _has_audio(name):
            endings |= set(_endings(name))
    return tuple(sorted(f".{ending}" for ending in endings.difference(_HEADERLESS, _NO_AUDIO)))


def _has_audio(name: str) -> bool:
    """Whether a format of FFmpeg holds audio: its muxer has an audio codec, or an audio codec has its name."""
    with contextlib.suppress(ValueError):
        if av.codec.Codec(name, "r").type == "audio":
            return True
    with contextlib.suppress(ValueError):
        if not av.format.ContainerFormat(name, "w").no_file:
            with av.open(io.BytesIO(), "w", format=name) as container:
                return container.default_audio_codec != "none"
    return False


def _endings(name: str) -> Iterator[str]:
    modes: tuple[Literal["r", "w"], ...] = ("r", "w")
    for mode in modes:
        with contextlib.suppress(ValueError):
            yield from av.format.ContainerFormat(name, mode).extensions


_LONGEST_PATH = 500  # characters that a message shows
AUDIO_SUFFIXES = _audio_suffixes()  # in lower case, with the dot


def walk(root: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The files below `root` with one of these suffixes (lower case), sorted, without hidden files and folders.

    Follows symbolic links, except those to a folder above them.

    Raises:
        ValueError: a folder cannot be read.
    """
    for folder, folders, files in os.walk(root, onerror=_refuse, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        above = Path(folder).parent.resolve()
        if Path(folder).is_symlink() and above.is_relative_to(Path(folder).resolve()):
            folders.clear()
            continue
        for name in sorted(files):
            if name.lower().endswith(suffixes) and not name.startswith("."):
                yield Path(folder, name)


def _refuse(error: OSError) -> None:
    raise ValueError(f"{error.filename}: the folder cannot be read ({error.strerror}).") from error


def audio_folder_of(table: Path, audio_folder: str) -> Path:
    """Where a table's paths start: `audio_folder`, itself relative to the table's folder."""
    base = table if table.is_dir() else table.parent
    return Path(os.path.normpath((base / audio_folder).absolute()))


def path_inside(folder: Path, name: str) -> Path:
    """The file of a path in a table, spelled as on the disk, in whichever Unicode normal form.

    Raises:
        ValueError: it lies outside of the folder, or is a link that leads out of it.
    """
    path = Path(os.path.normpath(folder / name))
    shown = shorten(name, _LONGEST_PATH)
    if not path.is_relative_to(folder):
        raise ValueError(f"{shown} lies outside of {folder}. Give the folder that holds all files with --audio_folder.")
    if not name.isascii() and not os.path.lexists(path):
        path = _on_disk(folder, path.relative_to(folder))
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(
            f"{shown} is a link to {path.resolve()}, outside of {folder}. Give the folder that holds all files with "
            "--audio_folder."
        )
    return path


def _on_disk(folder: Path, relative: Path) -> Path:
    """A path with each part spelled as in its folder, where both are the same text in Unicode NFC."""
    path = folder
    for part in relative.parts:
        spellings = _spellings(path, path.stat().st_mtime_ns) if path.is_dir() else {}
        path /= spellings.get(unicodedata.normalize("NFC", part), part)
    return path


@lru_cache(maxsize=256)  # folders; a table of a hundred thousand files names few
def _spellings(folder: Path, mtime_ns: int) -> dict[str, str]:
    names = (path.name for path in folder.iterdir())
    return {unicodedata.normalize("NFC", name): name for name in names if not name.isascii()}
