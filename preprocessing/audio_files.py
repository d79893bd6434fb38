"""The endings of the names of audio and video files: of all formats that the decoder opens."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import av
import soundfile

# What has no header, and so is not told from noise; lists of files, pictures and subtitles in containers of films.
_HEADERLESS = "302 al bit g722 722 pcm raw rco sb spdif sw tco tun ub ul uw".split()
_NO_SOUND = "avif heic heif ism m3u8 mks mpd".split()
# Formats that FFmpeg recognizes by what is in them, without an ending of their own.
_UNLISTED = "dsf dss m4r mpc mpga qcp snd sph weba".split()


def _audio_suffixes() -> tuple[str, ...]:
    endings = {name.lower() for name in soundfile.available_formats()} | set(_UNLISTED)
    for name in av.formats_available:
        if _has_sound(name):
            endings |= set(_endings(name))
    return tuple(sorted(f".{ending}" for ending in endings.difference(_HEADERLESS, _NO_SOUND)))


def _has_sound(name: str) -> bool:
    """Whether a format of FFmpeg holds sound: it is written with a codec for it, or is called as such a codec."""
    with contextlib.suppress(ValueError):
        if av.codec.Codec(name, "r").type == "audio":
            return True
    with contextlib.suppress(ValueError):
        if not av.format.ContainerFormat(name, "w").no_file:
            with av.open(io.BytesIO(), "w", format=name) as container:
                return container.default_audio_codec != "none"
    return False


def _endings(name: str) -> Iterator[str]:
    for mode in "rw":
        with contextlib.suppress(ValueError):
            yield from av.format.ContainerFormat(name, mode).extensions


AUDIO_SUFFIXES = _audio_suffixes()  # in lower case, with the dot
