"""What only containers have; that they decode as every other format does stands in `test_audio_ser.py`."""

import av
import numpy as np
import pytest
import soundfile

from modeling import SAMPLING_RATE, AudioError, AudioReader, load_audio
from modeling.audio_pyav_ser import ContainerFrames
from tests.conftest import voice
from tests.support.bad_audio import buzz, contained
from tests.support.encoded_audio import encode
from tests.support.piped_audio import piped

SECONDS = 45  # more than two blocks
RATE = 44_100
MUXERS = [("mpegts", "aac", RATE), ("mpeg", "mp2", RATE), ("flac", "flac", 16_000)]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    encode(path, np.tile(voice(5, 140, rate=RATE), SECONDS // 5), RATE, "aac", 64_000, video=True)
    return path


def test_frames_are_counted_in_the_rate_of_the_recording(film):
    with film.open("rb") as file:
        frames = ContainerFrames(av, file, "film")
        assert frames.rate == RATE
        assert frames.total == pytest.approx(SECONDS * RATE, rel=0.01)
        assert frames.read(RATE, 3 * RATE).shape == (2 * RATE,)


def test_a_stretch_over_the_border_of_two_blocks_is_that_of_the_whole(film):
    with film.open("rb") as file:
        frames = ContainerFrames(av, file, "film")
        border = frames.block_s * RATE
        whole = frames.read(0, None)
        np.testing.assert_array_equal(frames.read(border - 999, border + 1001), whole[border - 999 : border + 1001])
        np.testing.assert_array_equal(frames.read(2 * border + 5, None), whole[2 * border + 5 :])
        assert frames.read(whole.size + border, None).size == 0


@pytest.mark.parametrize(("muxer", "codec", "rate"), MUXERS)
@pytest.mark.slow
def test_of_recordings_that_follow_each_other_none_takes_the_place_of_another(muxer, codec, rate):
    first, second = (piped(0.4 * np.tile(voice(5, f0, rate=rate), 8), rate, codec, muxer) for f0 in (110, 230))
    whole, stretch = load_audio(first + second), slice(50 * SAMPLING_RATE, 52 * SAMPLING_RATE)
    with AudioReader(first + second) as audio:
        assert audio.duration_s == whole.size / SAMPLING_RATE == pytest.approx(80, abs=0.2)
        np.testing.assert_allclose(audio.read(50, 52), whole[stretch], atol=1e-6)
    for place, alone in ((25, load_audio(first)), (-15, load_audio(second))):
        second_s = slice(place * SAMPLING_RATE, (place + 2) * SAMPLING_RATE)
        assert np.corrcoef(whole[second_s], alone[second_s])[0, 1] > 0.9


def test_a_damaged_stretch_of_a_film_is_silence_and_the_rest_is_there(film, tmp_path):
    content = bytearray(film.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = bytes(1500)
    (tmp_path / "damaged.mp4").write_bytes(content)
    found = load_audio(tmp_path / "damaged.mp4")
    assert found.size / SAMPLING_RATE == pytest.approx(SECONDS, abs=0.1)
    assert np.isfinite(found).all()


def test_a_file_cannot_make_the_decoder_open_another(film, tmp_path):
    soundfile.write(tmp_path / "sound.mp3", voice(11, 140), SAMPLING_RATE)
    playlist = f"#EXTM3U\n#EXTINF:10,\nfile://{tmp_path / 'sound.mp3'}\n"
    (tmp_path / "list.m3u8").write_text(playlist)
    with pytest.raises(AudioError, match=r"list\.m3u8"):
        load_audio(tmp_path / "list.m3u8")
    (tmp_path / "list.txt").write_text(f"ffconcat version 1.0\nfile '{film}'\n")
    with pytest.raises(AudioError, match=r"list\.txt"):
        load_audio(tmp_path / "list.txt")


@pytest.mark.slow
def test_damage_of_any_kind_is_silence_or_a_reason(film, tmp_path):
    random = np.random.default_rng(0)
    whole = film.read_bytes()[:400_000]
    read = 0
    for _ in range(25):
        content = bytearray(film.read_bytes())
        for position in random.integers(len(whole), size=4):
            content[position] = random.integers(256)
        (tmp_path / "damaged.mp4").write_bytes(content)
        try:
            found = load_audio(tmp_path / "damaged.mp4", end_s=30)
        except AudioError:
            continue
        read += 1
        assert np.isfinite(found).all()
    assert read > 12


class Stream:
    """What can be written to and not sought in, as a browser's recorder has it."""

    def __init__(self, path):
        self._file = path.open("wb")
        self.write = self._file.write
        self.close = self._file.close


def test_a_recording_without_an_index_is_read_all_the_same(tmp_path):
    waveform = np.tile(voice(5, 140), 6)
    stream = Stream(tmp_path / "live.mkv")
    with av.open(stream, "w", format="matroska") as container:
        sound = container.add_stream("pcm_s16le", rate=SAMPLING_RATE)
        sound.layout = "mono"
        for start in range(0, waveform.size, SAMPLING_RATE):
            part = np.ascontiguousarray(waveform[None, start : start + SAMPLING_RATE])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = SAMPLING_RATE, start
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    stream.close()
    whole = load_audio(tmp_path / "live.mkv")
    assert whole.size == pytest.approx(waveform.size, abs=10)
    part = load_audio(tmp_path / "live.mkv", start_s=25, end_s=28)
    np.testing.assert_array_equal(part, whole[25 * SAMPLING_RATE : 28 * SAMPLING_RATE])
    with pytest.raises(AudioError, match=r"100\.0 s"):
        load_audio(tmp_path / "live.mkv", start_s=100.0)


@pytest.mark.parametrize(("jump_s", "found_s"), [(60, 61.2), (10_000, None)])
def test_a_pause_is_silence_and_a_jump_of_hours_is_a_lie(jump_s, found_s):
    content = contained(buzz(1.2, 48_000), 48_000, "libopus", "webm", jump_s=jump_s) + bytes(200_000)
    assert load_audio(content, end_s=6).size > 0.5 * SAMPLING_RATE
    if found_s is None:
        with pytest.raises(AudioError, match="3 hours"):
            load_audio(content)
    else:
        assert load_audio(content).size / SAMPLING_RATE == pytest.approx(found_s, abs=0.1)


def test_of_many_damaged_packets_one_is_reported(film, tmp_path, caplog):
    content = bytearray(film.read_bytes())
    for start in range(len(content) // 4, len(content) // 2, 2000):
        content[start : start + 300] = bytes(300)
    (tmp_path / "damaged.mp4").write_bytes(content)
    with caplog.at_level("WARNING"):
        load_audio(tmp_path / "damaged.mp4")
    (record,) = caplog.records
    assert str(tmp_path / "damaged.mp4") in record.message
