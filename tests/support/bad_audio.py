"""Some six hundred files that are bad in many ways, each named for what is bad about it.

    python -m tests.support.bad_audio FOLDER

The same bytes every time. `sound` gives small good ones, of which the bad ones are made.
"""

from __future__ import annotations

import io
import os
import socket
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import av
import numpy as np
import soundfile

from common.audio_files import AUDIO_SUFFIXES
from modeling import AudioError, load_audio

SECONDS = 1.2
RATE = 16_000
SOUNDFILE = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
}
# Suffix -> codec, rate, and whether there are pictures, too.
CONTAINERS = {
    "ogg": ("libopus", 48_000, False),
    "opus": ("libopus", 48_000, False),
    "m4a": ("aac", 44_100, False),
    "mp4": ("aac", 44_100, True),
    "mov": ("alac", 44_100, False),
    "mkv": ("ac3", 48_000, True),
    "webm": ("libopus", 48_000, False),
    "avi": ("pcm_s16le", 16_000, True),
    "wma": ("wmav2", 44_100, False),
    "aac": ("aac", 44_100, False),
}
SUBTYPES = {
    "wav": "PCM_U8 PCM_16 PCM_24 PCM_32 FLOAT DOUBLE ULAW ALAW IMA_ADPCM MS_ADPCM GSM610",
    "aiff": "PCM_S8 PCM_U8 PCM_16 PCM_24 PCM_32 FLOAT DOUBLE ULAW ALAW",
    "flac": "PCM_S8 PCM_16 PCM_24",
    "au": "PCM_S8 PCM_16 PCM_24 PCM_32 FLOAT DOUBLE ULAW ALAW",
    "caf": "PCM_S8 PCM_16 PCM_24 PCM_32 FLOAT DOUBLE ULAW ALAW ALAC_16 ALAC_32",
}
_MUXERS = {"m4a": "ipod", "wma": "asf", "aac": "adts", "mkv": "matroska"}
WAV_FIELDS = {  # name -> offset and format in the header that `soundfile` writes
    "riff_size": (4, "<I"),
    "fmt_size": (16, "<I"),
    "format_tag": (20, "<H"),
    "channels": (22, "<H"),
    "rate": (24, "<I"),
    "bytes_per_second": (28, "<I"),
    "block_align": (32, "<H"),
    "bits": (34, "<H"),
    "data_size": (40, "<I"),
}


@cache
def sound(suffix: str, seconds: float = SECONDS) -> bytes:
    """A small good recording in this format."""
    if suffix in SOUNDFILE:
        return written(buzz(seconds, RATE), RATE, *SOUNDFILE[suffix])
    codec, rate, pictures = CONTAINERS[suffix]
    return contained(buzz(seconds, rate), rate, codec, _MUXERS.get(suffix, suffix), pictures)


def buzz(seconds: float, rate: int) -> np.ndarray:
    """A vowel that changes, float32."""
    time = np.arange(round(seconds * rate)) / rate
    return sum(0.1 * np.sin(2 * np.pi * (140 + 30 * time) * k * time) for k in range(1, 6)).astype(np.float32)


def written(waveform: np.ndarray, rate: int, container: str = "WAV", subtype: str = "PCM_16") -> bytes:
    """What libsndfile writes of samples `(samples,)` or `(samples, channels)`."""
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, format=container, subtype=subtype)
    peak = file.getvalue().find(b"PEAK")  # which holds the time of writing
    return patched(file.getvalue(), peak + 12, "<I", 0) if peak > 0 else file.getvalue()


def contained(
    waveform: np.ndarray, rate: int, codec: str, muxer: str, pictures: bool = False, jump_s: int = 0
) -> bytes:
    """What FFmpeg writes of mono samples: no sound where the samples are empty.

    Args:
        waveform: `(samples,)`.
        rate: of them.
        codec, muxer: FFmpeg's names.
        pictures: whether a second of black pictures comes with it.
        jump_s: by how much the second half of the sound is late.
    """
    file = io.BytesIO()
    with av.open(file, "w", format=muxer, options={"fflags": "+bitexact"}) as container:
        if waveform.size:
            track = container.add_stream(codec, rate=rate, layout="mono")
            track.bit_rate = 64_000
            track.codec_context.flags |= av.codec.context.Flags.bitexact
        if pictures:
            film = container.add_stream("mpeg4", rate=5)
            film.width = film.height = 16
            for _ in range(5):
                container.mux(film.encode(av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p")))
            container.mux(film.encode(None))
        if waveform.size:
            middle = waveform.size // 2
            for half, start in ((waveform[:middle], 0), (waveform[middle:], middle + jump_s * rate)):
                if half.size:
                    frame = av.AudioFrame.from_ndarray(half[None], format="fltp", layout="mono")
                    frame.sample_rate, frame.pts = rate, start
                    container.mux(track.encode(frame))
            container.mux(track.encode(None))
    return file.getvalue()


def patched(content: bytes, offset: int, layout: str, value: int) -> bytes:
    """The same bytes with a number in them changed."""
    changed = bytearray(content)
    struct.pack_into(layout, changed, offset, value)
    return bytes(changed)


def truncated() -> Iterator[tuple[str, bytes]]:
    for suffix in (*SOUNDFILE, *CONTAINERS):
        whole = sound(suffix)
        places = {"1_byte": 1, "in_magic": 3, "after_magic": 4, "in_header": 11, "in_chunk": 27, "near_data": 43}
        places |= {"in_first_frame": 61, "at_a_tenth": len(whole) // 10, "at_a_third": len(whole) // 3}
        places |= {"in_the_middle": len(whole) // 2 + 1, "before_the_last_byte": len(whole) - 1}
        for place, size in places.items():
            yield f"cut_{place}.{suffix}", whole[:size]
        yield f"without_its_beginning.{suffix}", whole[len(whole) // 3 :]
        yield f"twice.{suffix}", whole + whole
        yield f"noise_after_its_header.{suffix}", whole[:64] + np.random.default_rng(0).bytes(9_000)


def lying() -> Iterator[tuple[str, bytes]]:
    wav = sound("wav")
    for field, (offset, layout) in WAV_FIELDS.items():
        highest = 256 ** struct.calcsize(layout) - 1
        for value in (0, 1, 3, 1000, highest // 2, highest // 2 + 1, highest):
            yield f"{field}_{value}.wav", patched(wav, offset, layout, value)
    for rate in (1, 2, 7, 100, 500, 999, 1_000, 2**31 - 1):
        for suffix, offset, layout in (("wav", 24, "<I"), ("au", 16, ">I"), ("caf", 20, ">d")):
            yield f"says_{rate}_hz.{suffix}", patched(sound(suffix), offset, layout, rate)
    terabytes = 2**42
    yield "promises_terabytes.rf64", patched(sound("rf64"), 28, "<Q", terabytes)
    yield "promises_more_terabytes.w64", patched(sound("w64"), sound("w64").index(b"data") + 16, "<Q", terabytes)
    yield "promises_terabytes.caf", patched(sound("caf"), sound("caf").index(b"data") + 4, ">Q", terabytes)
    yield "promises_4_gigabytes.aiff", patched(sound("aiff"), sound("aiff").index(b"COMM") + 10, ">I", 2**32 - 1)
    yield "promises_4_gigabytes.au", patched(sound("au"), 8, ">I", 2**32 - 2)
    flac = int.from_bytes(sound("flac")[18:26], "big")
    for name, total in (("68_billion", 2**36 - 1), ("no", 0), ("one", 1)):
        number = (flac >> 36 << 36) | total
        yield f"promises_{name}_samples.flac", patched(sound("flac"), 18, ">Q", number)
    yield "says_1_hz.flac", patched(sound("flac"), 18, ">Q", (flac & (1 << 44) - 1) | 1 << 44)
    yield "says_8_channels.flac", patched(sound("flac"), 18, ">Q", flac | 7 << 41)
    for suffix, box, offset in (("m4a", b"mvhd", 20), ("m4a", b"mdhd", 20), ("mp4", b"mdhd", 20), ("m4a", b"mdhd", 16)):
        for value in (0, 1, 2**32 - 1):
            content = patched(sound(suffix), sound(suffix).index(box) + offset, ">I", value)
            yield f"{box.decode()}_{offset}_{value}.{suffix}", content
    for box in (b"stts", b"stsz", b"stsc", b"stco"):
        for value in (0, 2**31, 2**32 - 1):
            content = sound("m4a")
            yield f"{box.decode()}_has_{value}.m4a", patched(content, content.index(box) + 12, ">I", value)
    for suffix in ("mkv", "webm"):
        content = sound(suffix)
        rate = content.index(b"\xb5\x88")  # SamplingFrequency
        for value in (0.0, -1.0, 1.0, 1e9, float("nan")):
            yield f"says_{value:g}_hz.{suffix}", patched(content, rate + 2, ">d", value)
        for value in (0, 65, 255):
            channels = content.index(b"\x9f\x81", rate - 9)
            yield f"says_{value}_channels.{suffix}", patched(content, channels + 2, "B", value)
    yield "granules_of_years.ogg", patched(sound("ogg"), sound("ogg").rindex(b"OggS") + 6, "<q", 2**50)
    yield "xing_of_years.mp3", patched(sound("mp3"), sound("mp3").index(b"Xing") + 8, ">I", 2**32 - 1)
    years = 10**8
    for suffix in ("mkv", "webm", "mp4", "avi"):
        codec, rate, pictures = CONTAINERS[suffix]
        content = contained(buzz(SECONDS, rate), rate, codec, _MUXERS.get(suffix, suffix), pictures, jump_s=years)
        yield f"stamps_of_years.{suffix}", content


def strange_numbers() -> Iterator[tuple[str, bytes]]:
    good = buzz(SECONDS, RATE)
    inside = {"nan": np.nan, "infinity": np.inf, "minus_infinity": -np.inf, "1e38": 1e38, "1e-40": 1e-40}
    for name, value in inside.items():
        for subtype in ("FLOAT", "DOUBLE"):
            yield f"{name}_once_{subtype.lower()}.wav", written(np.r_[good, value, good], RATE, "WAV", subtype)
            yield f"{name}_all_{subtype.lower()}.wav", written(np.full(RATE, value), RATE, "WAV", subtype)
    yield "1e300_double.wav", written(good.astype(float) * 1e300, RATE, "WAV", "DOUBLE")
    yield "nan.caf", written(np.r_[good, np.nan], RATE, "CAF", "FLOAT")
    yield "silence.wav", written(np.zeros(RATE), RATE)
    yield "constant.wav", written(np.full(RATE, 0.25), RATE)
    yield "full_scale.wav", written(np.where(np.arange(RATE) // 50 % 2, 1.0, -1.0), RATE)
    yield "ten_times_full_scale.wav", written(10 * good, RATE, "WAV", "FLOAT")
    for suffix, subtypes in SUBTYPES.items():
        for subtype in subtypes.split():
            content = written(good, RATE, SOUNDFILE[suffix][0], subtype)
            yield f"samples_{subtype.lower()}.{suffix}", content


def strange_shapes() -> Iterator[tuple[str, bytes]]:
    for suffix, (container, subtype) in SOUNDFILE.items():
        for count in (0, 1, 2, 399):
            yield f"{count}_samples.{suffix}", written(buzz(SECONDS, RATE)[:count], RATE, container, subtype)
    for suffix in ("ogg", "m4a", "mkv", "webm", "wma"):
        codec, rate, pictures = CONTAINERS[suffix]
        one = contained(buzz(SECONDS, rate)[:1], rate, codec, _MUXERS.get(suffix, suffix), pictures)
        yield f"1_samples.{suffix}", one
    for rate in (1, 3, 50, 1_000, 4_000, 8_000, 11_025, 16_001, 44_100, 48_000, 96_000, 192_000, 384_000, 768_000):
        yield f"at_{rate}_hz.wav", written(buzz(SECONDS, max(rate, 1_000)), rate)
    yield "at_1_hz_for_a_day.wav", written(np.tile(buzz(1, 8_000), 11), 1, "WAV", "PCM_U8")
    yield "at_655350_hz.flac", written(buzz(0.6, 655_350), 655_350, "FLAC")
    for channels in (2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 63, 64, 65, 255, 1_024):
        yield f"{channels}_channels.wav", written(np.tile(buzz(0.6, 8_000)[:, None], channels), 8_000)
    for channels in (2, 8):
        yield f"{channels}_channels.flac", written(np.tile(buzz(0.6, 8_000)[:, None], channels), 8_000, "FLAC")
    # Long silence that takes little room: nine hours of it are half a megabyte.
    yield "silence_for_hours.flac", written(np.zeros(9 * 3_600 * 1_000, np.int16), 1_000, "FLAC")
    yield "silent_film.mp4", contained(np.zeros(0), 0, "", "mp4", pictures=True)
    yield "silent_film.mkv", contained(np.zeros(0), 0, "", "matroska", pictures=True)
    yield "silent_film.avi", contained(np.zeros(0), 0, "", "avi", pictures=True)


def no_sound() -> Iterator[tuple[str, bytes]]:
    random = np.random.default_rng(0)
    pixels = zlib.compress(b"\0\0\0\0")
    parts = (b"IHDR" + struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0), b"IDAT" + pixels, b"IEND")
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo("sound.wav"), sound("wav"))
    others = {
        "text": "Text and not audio. Ποτέ.".encode(),
        "html": b"<!DOCTYPE html><html><body><h1>404 Not Found</h1></body></html>",
        "png": png,
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
        "pdf": b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF",
        "zip": archive.getvalue(),
        "json": b'{"audio": null}',
        "subtitles": b"1\n00:00:00,000 --> 00:00:01,000\nWords.\n",
        "playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "concat": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        "git_lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n",
        "zeros": bytes(50_000),
        "ones": b"\xff" * 50_000,
        "noise": random.bytes(50_000),
        "one_byte": b"R",
        "nothing": b"",
    }
    for kind, content in others.items():
        for suffix in ("wav", "mp3", "mp4"):
            yield f"{kind}.{suffix}", content
    for suffix in ("flac", "ogg", "opus", "m4a", "aac", "aiff", "au", "wma", "mov", "avi", "mkv", "webm", "mpg", "3gp"):
        yield f"nothing.{suffix}", b""
    for suffix, other in (("wav", "m4a"), ("mp3", "flac"), ("mp4", "wav"), ("ogg", "mkv"), ("flac", "mp3")):
        yield f"is_really_{other}.{suffix}", sound(other)


def sounds() -> tuple[str, ...]:
    return (*SOUNDFILE, *CONTAINERS)


NAMES = (
    *"привет 音声 録音 صوت हिन्दी ไทย 한국어 ελληνικά עברית ქართული አማርኛ தமிழ் বাংলা اردو ភាសា 😀🔊".split(),
    "Über Maß",
    "e\u0301 with its accent apart",
    "\u202eright to left\u202c",
    "\u200bzero width",
    "new\nline",
    "tab\tand\rreturn",
    "-rf",
    "--model",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "$(reboot)",
    "`reboot`",
    "'; DROP TABLE clips; --",
    '"quoted", and; commas',
    "<b>bold<script>",
    "=1+1",
    "%s%n%d",
    "back\\slash",
    "a:b|c",
    "http:",
    " space ",
    "dots...",
    "\x7f\x01controls",
    "CON",
    "x" * 251,
    "語" * 83,
)
BYTE_NAMES = (b"\xff\xfe.wav", b"Col\xe8re.wav", b"\x89\xb9\x90\xba.wav", b"\xf0\x9f\x94.wav", b"\xc0\xaf.wav")


def write_bad_audio(folder: Path, every: int = 1) -> None:
    """Fills a new folder: with each n-th of the files, with links, and with what is not a regular file."""
    folder.mkdir(parents=True)
    made = {}
    for name, content in (*truncated(), *lying(), *strange_numbers(), *strange_shapes(), *no_sound()):
        name += "" if name.endswith(AUDIO_SUFFIXES) else ".wav"
        assert name not in made, name
        made[name] = content
    made |= {f"{name}.wav": sound("wav") for name in NAMES}
    for name in list(made)[::every]:
        (folder / name).write_bytes(made[name])
    for name in BYTE_NAMES:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(sound("wav"))
    (folder / "good.wav").write_bytes(sound("wav"))
    (folder / "unreadable.wav").write_bytes(sound("wav"))
    (folder / "unreadable.wav").chmod(0)  # the superuser reads it all the same
    (folder / "notes.txt").write_text("No sound by its name.")
    links = {
        "link_to_itself.wav": "link_to_itself.wav",
        "loop_a.wav": "loop_b.wav",
        "loop_b.wav": "loop_a.wav",
        "dangling.wav": "nowhere.wav",
        "link_to_a_good_one.wav": "good.wav",
        "link_to_endless_zeros.wav": "/dev/zero",
        "link_to_nothing.wav": "/dev/null",
        "loop": ".",
        "loop_above": "..",
    }
    for name, target in links.items():
        (folder / name).symlink_to(target)
    (folder / "folder.wav").mkdir()
    (folder / "folder.wav" / "inside.wav").write_bytes(sound("wav"))
    (folder / "empty_folder.wav").mkdir()
    os.mkfifo(folder / "pipe.wav")
    _make_socket(folder / "socket.wav")
    with (folder / "terabyte_of_zeros.w64.wav").open("wb") as file:
        whole = sound("w64")
        file.write(patched(whole, whole.index(b"data") + 16, "<Q", 2**40))
        file.truncate(2**40)  # of which a disk stores nothing


def _make_socket(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # a socket's whole name is 107 bytes at most
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(before)


def decoding_error(path: Path) -> str:
    """Why a file cannot be decoded, without its name."""
    try:
        load_audio(path)
    except AudioError as error:
        return str(error).removeprefix(f"{path}: ")
    raise AssertionError(f"{path} can be decoded")


if __name__ == "__main__":
    write_bad_audio(Path(sys.argv[1]))
