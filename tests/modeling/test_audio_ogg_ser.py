import io

import numpy as np
import pytest

from modeling import SAMPLING_RATE, AudioError, AudioReader, load_audio
from modeling.audio_ogg_ser import FilePart, find_links
from tests.conftest import voice
from tests.support.piped_audio import piped, written

SECONDS = (2.0, 3.0, 1.5)
FORMS = {
    "one rate": (16_000, 16_000, 16_000),
    "several rates": (48_000, 24_000, 16_000),
}


def link(seconds: float, rate: int, f0: float, channels: int = 1, subtype: str = "VORBIS") -> bytes:
    waveform = 0.5 * voice(seconds, f0, rate=rate)
    return written(np.repeat(waveform[:, None], channels, axis=1), rate, "OGG", subtype)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("rates", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("channels", [(2, 1, 2), (1, 1, 1)])
def test_all_recordings_of_a_chain_are_read_one_after_the_other(subtype, rates, channels):
    forms = zip(SECONDS, rates, (120, 180, 240), channels, strict=True)
    links = [link(*form, subtype) for form in forms]
    expected = np.concatenate([load_audio(content) for content in links])
    with AudioReader(b"".join(links)) as audio:
        assert audio.duration_s == sum(SECONDS)
        whole = audio.read()
        np.testing.assert_allclose(whole, expected, atol=1e-6)
        np.testing.assert_allclose(audio.read(1.7, 5.3), whole[27_200:84_800], atol=1e-6)
        np.testing.assert_allclose(np.concatenate(list(audio.blocks(0.9))), whole, atol=1e-6)


def test_the_same_recording_twice_is_a_chain_too():
    once = link(2.0, 16_000, 150)
    assert load_audio(once + once).size == 4 * SAMPLING_RATE


def test_a_chain_of_what_libsndfile_does_not_read_is_read():
    once = piped(0.3 * voice(2.0, 150), 16_000, "flac", "ogg")
    assert load_audio(once + once).size == 4 * SAMPLING_RATE


def test_a_recording_with_fewer_channels_has_its_last_one_everywhere():
    stereo = written(np.stack([0.5 * voice(2.0, 120), 0.5 * voice(2.0, 220)], axis=1), 16_000, "OGG", "VORBIS")
    mono = link(2.0, 16_000, 170)
    found = load_audio(stereo + mono, channel=1)
    np.testing.assert_allclose(found[: 2 * SAMPLING_RATE], load_audio(stereo, channel=1), atol=1e-6)
    np.testing.assert_allclose(found[2 * SAMPLING_RATE :], load_audio(mono), atol=1e-6)
    with pytest.raises(AudioError):
        load_audio(stereo + mono, channel=2)


def test_a_recording_of_a_chain_that_cannot_be_read_is_reported(caplog):
    first, second = link(2.0, 16_000, 150), link(1.0, 16_000, 200)
    broken = second[:60] + bytes(len(second) - 60)
    with caplog.at_level("WARNING"):
        assert load_audio(first + broken).size == 2 * SAMPLING_RATE
    assert caplog.records


def test_links_begin_where_streams_do_and_parallel_streams_are_one():
    first, second = link(1.0, 16_000, 150), link(1.0, 16_000, 200)
    assert find_links(io.BytesIO(first)) == [(0, len(first))]
    assert find_links(io.BytesIO(first + second)) == [(0, len(first)), (len(first), len(first) + len(second))]
    page = first[: first.index(b"OggS", 4)]  # begins a stream
    film = page + first
    assert find_links(io.BytesIO(film)) == [(0, len(film))]
    for other in (b"", b"RIFF", first[:10], b"no Ogg at all" * 100):
        assert find_links(io.BytesIO(other)) == [(0, len(other))]


def test_a_part_of_a_file_is_a_file():
    part = FilePart(io.BytesIO(bytes(range(20))), 5, 15)
    assert part.read() == bytes(range(5, 15))
    assert (part.seek(-3, io.SEEK_END), part.read(9), part.tell()) == (7, bytes([12, 13, 14]), 10)
    assert (part.seek(2), part.seek(1, io.SEEK_CUR), part.read(2), part.seek(50), part.read(1)) == (
        2,
        3,
        bytes([8, 9]),
        50,
        b"",
    )
    with pytest.raises(ValueError, match="-1"):
        part.seek(-1)
