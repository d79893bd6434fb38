import pytest

from common.audio_files import AUDIO_SUFFIXES
from modeling import load_audio
from tests.conftest import voice
from tests.support.piped_audio import piped

# Codec and muxer of what a file with the ending holds.
WRITTEN = {
    ".aac": ("aac", "adts"),
    ".ac3": ("ac3", "ac3"),
    ".aiff": ("pcm_s16be", "aiff"),
    ".amr": ("libopencore_amrnb", "amr"),
    ".au": ("pcm_s16be", "au"),
    ".avi": ("mp3", "avi"),
    ".flac": ("flac", "flac"),
    ".flv": ("aac", "flv"),
    ".mka": ("aac", "matroska"),
    ".mpg": ("mp2", "mpeg"),
    ".opus": ("libopus", "opus"),
    ".ts": ("mp2", "mpegts"),
    ".tta": ("tta", "tta"),
    ".voc": ("pcm_u8", "voc"),
    ".wav": ("pcm_s16le", "wav"),
    ".webm": ("libopus", "webm"),
    ".wv": ("wavpack", "wv"),
}


@pytest.mark.parametrize("suffix", WRITTEN)
def test_what_can_be_opened_is_named(suffix):
    codec, muxer = WRITTEN[suffix]
    rate = 8_000 if codec == "libopencore_amrnb" else 48_000
    content = piped(0.3 * voice(1.0, 150, rate=rate), rate, codec, muxer)
    assert load_audio(content).size == pytest.approx(16_000, rel=0.1)
    assert suffix in AUDIO_SUFFIXES


def test_endings_of_phones_films_and_corpora_are_there():
    known = ".3gp .3g2 .m4a .m4b .mp4 .mov .mkv .webm .wma .wmv .asf .caf .w64 .rf64 .gsm .dsf .oga .spx"
    assert set(known.split()) | {".mp2", ".mp3", ".mts", ".sph", ".vob"} <= set(AUDIO_SUFFIXES)


def test_pictures_texts_lists_and_what_has_no_header_are_not():
    others = ".txt .csv .tsv .json .srt .vtt .ass .lrc .png .jpg .gif .heic .avif .m3u8 .mpd .raw .pcm .py .nfo"
    assert not (set(others.split()) | {".pdf", ".zip", ".sub", ".idx"}) & set(AUDIO_SUFFIXES)


def test_all_are_as_names_end():
    assert len(AUDIO_SUFFIXES) == len(set(AUDIO_SUFFIXES)) > 80
    assert all(suffix == suffix.lower() and suffix.startswith(".") and len(suffix) > 2 for suffix in AUDIO_SUFFIXES)
