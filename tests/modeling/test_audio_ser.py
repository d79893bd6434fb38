import io
import os
import time
from functools import cache

import av
import numpy as np
import pytest
import soundfile
import soxr
import torch

from modeling import SAMPLING_RATE, AudioError, AudioReader, load_audio
from tests.conftest import voice
from tests.support.encoded_audio import encode
from tests.support.piped_audio import PIPED, mp3, piped, recording, written

SECONDS = 45  # more than two of the blocks in which containers are decoded
RATE = 44_100

SOUNDFILE = {"wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS", "mp3": "MPEG_LAYER_III"}
# Low bit rates make AAC fill bands with noise, which comes from a generator that remembers what it drew before.
CONTAINERS = {
    "m4a": ("aac", 32_000),
    "mp4": ("aac", 64_000),
    "mkv": ("aac", 32_000),
    "avi": ("pcm_s16le", None),
    "webm": ("libopus", 32_000),
}


FORMATS = [*CONTAINERS, *SOUNDFILE]


def speech(seconds: float, rate: int) -> np.ndarray:
    """Something that changes all the time, so that a shift by a sample shows."""
    parts = [voice(0.5, 100 + 37 * (i % 11), i, rate) for i in range(round(seconds * 2))]
    return np.concatenate(parts) * 0.5


class Recordings(dict):
    """The same sound in every format, by its suffix; each is written when it is asked for."""

    def __init__(self, folder):
        super().__init__()
        self._folder = folder
        self._waveform = speech(SECONDS, RATE)

    def __missing__(self, suffix: str):
        self[suffix] = path = self._folder / f"sound.{suffix}"
        if suffix in SOUNDFILE:
            with soundfile.SoundFile(path, "w", RATE, 1, SOUNDFILE[suffix]) as file:
                for start in range(0, self._waveform.size, RATE):  # libsndfile crashes on long writes of Vorbis
                    file.write(self._waveform[start : start + RATE])
        else:
            codec, bit_rate = CONTAINERS[suffix]
            rate = 48_000 if codec == "libopus" else RATE
            sound = self._waveform if rate == RATE else soxr.resample(self._waveform, RATE, rate)
            encode(path, sound, rate, codec, bit_rate, video=suffix in ("mp4", "mkv", "avi"))
        return path


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return Recordings(tmp_path_factory.mktemp("recordings"))


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_slice_equals_the_same_samples_of_the_whole(recordings, suffix):
    whole = load_audio(recordings[suffix])
    assert whole.dtype == np.float32
    assert whole.size / SAMPLING_RATE == pytest.approx(SECONDS, abs=0.1)
    for start_s in (0.0, 0.333, 7.77, 17.5, 19.99, 20.0, 39.1):
        first = round(start_s * SAMPLING_RATE)
        expected = whole[first : first + 4 * SAMPLING_RATE]
        found = load_audio(recordings[suffix], start_s=start_s, end_s=start_s + 4)
        assert found.size == expected.size
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("block_s", [17.3])
def test_successive_blocks_are_the_whole(recordings, suffix, block_s):
    with AudioReader(recordings[suffix]) as audio:
        blocks = list(audio.blocks(block_s))
    assert {block.size for block in blocks[:-1]} <= {round(block_s * SAMPLING_RATE)}
    found, expected = np.concatenate(blocks), load_audio(recordings[suffix])
    assert found.size == expected.size
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("seconds", [1.0, 2.0, 2.5])
def test_blocks_end_where_the_recording_does(rate, seconds):
    with AudioReader(voice(seconds, 150, rate=rate), rate) as audio:
        assert [block.size for block in audio.blocks(1.0)] == [16_000] * int(seconds) + [8_000] * (seconds % 1 > 0)


def test_a_recording_without_samples_has_no_blocks():
    with AudioReader(np.zeros(0, np.float32), 16_000) as audio, pytest.raises(AudioError, match="array"):
        next(audio.blocks())


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_is_the_same_sound_at_the_same_time(recordings, suffix):
    reference = load_audio(recordings["wav"])
    found = load_audio(recordings[suffix])
    size = min(reference.size, found.size)
    delays = range(-40, 41)
    middle = slice(SAMPLING_RATE, size - SAMPLING_RATE)
    scores = [np.corrcoef(reference[middle], np.roll(found[:size], -delay)[middle])[0, 1] for delay in delays]
    assert max(scores) > 0.97
    # An encoder's own delay, which its container does not always declare, is all that may shift a sound.
    assert abs(delays[int(np.argmax(scores))]) <= (25 if suffix in CONTAINERS else 1)


@pytest.mark.parametrize("suffix", ["flac", "mp3", "m4a", "mkv"])
def test_path_bytes_and_file_object_are_the_same(recordings, suffix):
    content = recordings[suffix].read_bytes()
    expected = load_audio(str(recordings[suffix]), end_s=3.0)
    file = io.BytesIO(content)
    file.seek(100)  # wherever it stands
    for source in (content, recordings[suffix], file):
        np.testing.assert_array_equal(load_audio(source, end_s=3.0), expected)
    assert not file.closed


def repeat(source, path, times: int) -> None:
    """A recording `times` times over, without encoding it anew."""
    with av.open(source) as first, av.open(path, "w") as container:
        stream = container.add_stream_from_template(first.streams.audio[0])
        packets = [packet for packet in first.demux(first.streams.audio[0]) if packet.size]
        content = [(bytes(packet), packet.pts, packet.dts, packet.duration) for packet in packets]
        length = sum(duration for *_, duration in content)
        for round_ in range(times):
            for data, pts, dts, duration in content:
                packet = av.Packet(data)
                packet.stream, packet.duration = stream, duration
                packet.time_base = first.streams.audio[0].time_base
                packet.pts, packet.dts = pts + round_ * length, dts + round_ * length
                container.mux(packet)


@pytest.mark.slow
def test_any_six_seconds_of_an_hour_take_less_than_one(tmp_path):
    minute = speech(60, 8_000)
    soundfile.write(tmp_path / "hour.wav", np.tile(minute, 60), 8_000)
    encode(tmp_path / "minute.m4a", minute, 8_000, "aac", 16_000)
    repeat(tmp_path / "minute.m4a", tmp_path / "hour.m4a", 60)
    for name in ("hour.wav", "hour.m4a"):
        load_audio(tmp_path / name, end_s=1.0)
        for start_s in (0.0, 1800.5, 3590.0):
            began = time.process_time()  # other processes do not count
            assert load_audio(tmp_path / name, start_s=start_s, end_s=start_s + 6).size == 6 * SAMPLING_RATE
            assert time.process_time() - began < 1.0


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 44_101])
def test_any_rate_comes_out_at_16_khz(rate):
    found = load_audio(voice(2.0, 200, rate=rate), sampling_rate=rate)
    assert found.size == 2 * SAMPLING_RATE
    spectrum = np.abs(np.fft.rfft(found))
    assert np.argmax(spectrum) / 2.0 == pytest.approx(200, abs=1)


@pytest.mark.parametrize(
    "array",
    [
        lambda x: np.stack([x, 0 * x]),
        lambda x: np.stack([x, 0 * x], axis=1),
        lambda x: torch.from_numpy(np.stack([x, 0 * x])),
        lambda x: np.stack([x, x, 0 * x, 0 * x, x, 0 * x]),
        lambda x: x / 2,
        lambda x: x.astype(np.float64) / 2,
    ],
)
def test_channels_are_averaged(array):
    waveform = voice(0.5, 150)
    np.testing.assert_allclose(load_audio(array(waveform), sampling_rate=16_000), waveform / 2, atol=1e-7)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.uint8, 1.2e-2), (np.int16, 5e-5), (np.int32, 1e-6)])
def test_integers_are_scaled_to_one(dtype, tolerance):
    waveform = voice(0.5, 150)
    info = np.iinfo(dtype)
    offset = 128 if dtype == np.uint8 else 0
    scale = 127 if dtype == np.uint8 else float(info.max)
    found = load_audio(np.round(waveform * scale + offset).astype(dtype), sampling_rate=16_000)
    np.testing.assert_allclose(found, waveform, atol=tolerance)


def test_all_channels_of_a_file_are_averaged(tmp_path):
    left, right = voice(0.5, 150), voice(0.5, 220)
    soundfile.write(tmp_path / "stereo.wav", np.stack([left, right], axis=1), 16_000, subtype="FLOAT")
    np.testing.assert_allclose(load_audio(tmp_path / "stereo.wav"), (left + right) / 2, atol=1e-7)


def stereo(path, left: np.ndarray, right: np.ndarray) -> None:
    if path.suffix == ".mkv":
        with av.open(path, "w") as container:
            stream = container.add_stream("pcm_s16le", rate=RATE)
            stream.layout = "stereo"
            samples = np.stack([left, right])
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = RATE, 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    else:
        soundfile.write(path, np.stack([left, right], axis=1), RATE)


@pytest.mark.parametrize("name", ["sound.wav", "sound.flac", "sound.mkv"])
def test_a_channel_can_be_read_by_itself(tmp_path, name):
    left, right = (voice(1.0, f0, rate=RATE) for f0 in (110, 230))
    stereo(tmp_path / name, left, right)
    with AudioReader(tmp_path / name) as audio:
        assert audio.channels == 2
        both = audio.read()
    single = [load_audio(tmp_path / name, channel=channel) for channel in (0, 1)]
    alone = [load_audio(waveform, sampling_rate=RATE) for waveform in (left, right)]
    for channel in (0, 1):
        np.testing.assert_allclose(single[channel], alone[channel], atol=1e-4)  # 16 bits
    np.testing.assert_allclose(both, (single[0] + single[1]) / 2, atol=1e-6)
    array = load_audio(np.stack([left, right]), sampling_rate=RATE, channel=1)
    np.testing.assert_array_equal(array, alone[1])
    with pytest.raises(AudioError, match=rf"{name}: channel 2 "):
        AudioReader(tmp_path / name, channel=2)


@pytest.mark.slow
def test_length_is_known_before_reading(recordings):
    for suffix in ("wav", "mp3", "mkv"):
        with AudioReader(recordings[suffix]) as audio:
            assert audio.duration_s == pytest.approx(SECONDS, abs=0.1)


@cache
def twenty_seconds(muxer: str) -> bytes:
    codec, rate = PIPED[muxer]
    return piped(recording(20, rate), rate, codec, muxer)


@pytest.mark.parametrize("muxer", PIPED)
@pytest.mark.parametrize("read_s", [None, 3.0, 60.0])
def test_the_duration_is_what_was_decoded_and_not_what_the_header_states(muxer, read_s):
    """Whether nothing, a part or all of it has been read."""
    content = twenty_seconds(muxer)
    with AudioReader(content) as audio:
        if read_s is not None:
            audio.read(0.0, read_s)
        found = audio.duration_s
    assert found == load_audio(content).size / SAMPLING_RATE == pytest.approx(20, abs=0.1)


CUT = {  # formats and codecs of libsndfile's, whose header states 20 s
    "wav": ("WAV", "PCM_16"),
    "wav float": ("WAV", "FLOAT"),
    "adpcm": ("WAV", "IMA_ADPCM"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "ULAW"),
    "caf": ("CAF", "PCM_24"),
    "w64": ("W64", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}


@pytest.mark.parametrize("form", CUT)
@pytest.mark.parametrize("share", [0.4, 0.97])
def test_a_recording_that_is_cut_off_is_as_long_as_what_is_left(form, share):
    whole = written(recording(20, 16_000), 16_000, *CUT[form])
    content = whole[: round(share * len(whole))]
    with AudioReader(content) as audio:
        audio.read(0.0, 3.0)
        found = audio.duration_s
    assert found == load_audio(content).size / SAMPLING_RATE
    assert 3 < found < 20


def test_a_film_that_is_cut_off_is_as_long_as_what_is_left(recordings):
    content = recordings["mkv"].read_bytes()
    content = content[: len(content) // 2]
    with AudioReader(content) as audio:
        found = audio.duration_s
    assert found == load_audio(content).size / SAMPLING_RATE
    assert 0.3 * SECONDS < found < 0.7 * SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("counted", [False, True])
def test_an_mp3_is_read_to_its_end_whether_it_counts_its_frames_or_not(counted):
    content = mp3(recording(40, RATE), RATE, counted=counted)
    with AudioReader(content) as audio:
        assert audio.duration_s == pytest.approx(40, abs=0.1)
        whole = audio.read()
        assert whole.size == audio.duration_s * SAMPLING_RATE
        for start_s in (0.333, 19.5, 35.0):
            first = round(start_s * SAMPLING_RATE)
            np.testing.assert_allclose(audio.read(start_s, start_s + 3), whole[first : first + 48_000], atol=1e-6)


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("tags", [b"TAG" + bytes(125), b""])
def test_mp3s_one_after_the_other_are_all_read(counted, tags):
    first, second = (mp3(recording(8, RATE, f0), RATE, counted=counted) for f0 in (120, 180))
    with AudioReader(first + tags + second + tags) as audio:
        assert audio.duration_s == pytest.approx(16, abs=0.2)
        assert audio.read(15.0).size > 0.8 * SAMPLING_RATE


def test_tags_around_an_mp3_change_nothing(monkeypatch):
    content = mp3(recording(8, RATE), RATE, counted=True)
    size = 5_000
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, size >> 7, size & 127]) + bytes(size)
    expected = load_audio(content)
    monkeypatch.setattr("modeling.audio_ser.ContainerFrames", None)  # they are left to libsndfile
    for tagged in (tag + content, content + b"TAG" + bytes(125), tag + tag + content):
        np.testing.assert_array_equal(load_audio(tagged), expected)


@pytest.mark.parametrize("muxer", ["matroska", "webm", "adts", "mpegts"])
def test_recordings_of_a_browser_or_a_camera_one_after_the_other_are_all_read(muxer):
    """Their time begins anew with each."""
    codec, rate = PIPED[muxer]
    parts = [piped(recording(3, rate, f0), rate, codec, muxer) for f0 in (120, 180)]
    with AudioReader(b"".join(parts)) as audio:
        assert audio.duration_s == audio.read().size / SAMPLING_RATE == pytest.approx(6, abs=0.2)


def test_a_duration_that_takes_too_long_to_count_is_unknown(monkeypatch):
    codec, rate = PIPED["webm"]
    content = piped(recording(8, rate), rate, codec, "webm")
    monkeypatch.setattr("modeling.audio_ser._COUNTED", 5 * rate)
    with AudioReader(content) as audio:
        audio.read(0.0, 3.0)
        assert audio.duration_s is None
        audio.read()
        assert audio.duration_s == pytest.approx(8, abs=0.1)


@pytest.mark.slow
def test_an_hour_is_counted_in_less_than_a_second(tmp_path):
    minute = speech(60, 8_000)
    encode(tmp_path / "minute.m4a", minute, 8_000, "aac", 16_000)
    repeat(tmp_path / "minute.m4a", tmp_path / "hour.m4a", 60)
    soundfile.write(tmp_path / "hour.flac", np.tile(minute, 60), 8_000)
    for name in ("hour.m4a", "hour.flac"):
        began = time.perf_counter()
        with AudioReader(tmp_path / name) as audio:
            found = audio.duration_s
        assert time.perf_counter() - began < 1.0
        assert found == 3590 + load_audio(tmp_path / name, start_s=3590).size / SAMPLING_RATE


def files_that_are_no_audio(folder):
    (folder / "text.wav").write_text("This is text and not audio.")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(10_000))
    soundfile.write(folder / "nothing.wav", np.zeros(0), 16_000)
    with av.open(folder / "mute.mp4", "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 16
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode(None))
    soundfile.write(folder / "nan.wav", np.array([0.1, np.nan, np.inf]), 16_000, subtype="FLOAT")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("text.wav", "audio or video file"),
        ("empty.wav", "empty"),
        ("noise.mp4", "audio or video file"),
        ("nothing.wav", "samples"),
        ("mute.mp4", "sound"),
        ("nan.wav", "2 of 3 samples"),
    ],
)
def test_an_unusable_file_is_named_with_the_reason(tmp_path, name, reason):
    files_that_are_no_audio(tmp_path)
    with pytest.raises(AudioError, match=rf"{name}: .*{reason}"):
        load_audio(tmp_path / name)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.wav"):
        load_audio(tmp_path / "gone.wav")


def test_what_is_not_a_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "zeros.wav").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe.wav", tmp_path / "zeros.wav", tmp_path):
        with pytest.raises(AudioError, match="pipe"):
            load_audio(path)


def test_a_file_without_permission_to_read_is_refused(tmp_path):
    soundfile.write(tmp_path / "secret.wav", voice(0.5, 150), 16_000)
    (tmp_path / "secret.wav").chmod(0)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)  # the superuser would read it all the same
    try:
        with pytest.raises(PermissionError, match="secret"):
            load_audio(tmp_path / "secret.wav")
    finally:
        os.seteuid(me)


@pytest.mark.parametrize("rate", [1, 999, 1_000_001])
def test_a_rate_that_no_speech_has_is_rejected(rate):
    content = io.BytesIO()
    soundfile.write(content, np.zeros(16_000), rate, format="WAV")
    for source, given in ((content.getvalue(), None), (np.zeros(16_000), rate)):
        with pytest.raises(AudioError, match=f"got {rate} Hz"):
            load_audio(source, sampling_rate=given)


@pytest.mark.parametrize(("value", "is_sound"), [(2.0**31, True), (1e10, False), (-1e38, False)])
def test_samples_whose_squares_have_no_number_are_as_bad_as_infinite(value, is_sound):
    waveform = np.r_[voice(0.5, 150), np.float32(value)]
    if is_sound:
        assert load_audio(waveform, sampling_rate=16_000)[-1] == value
    else:
        with pytest.raises(AudioError, match="1 of 8001 samples"):
            load_audio(waveform, sampling_rate=16_000)


@pytest.mark.slow
def test_a_long_recording_is_resampled_piece_by_piece_to_the_same_samples():
    waveform = speech(130, 44_100)
    expected = soxr.resample(waveform, 44_100, SAMPLING_RATE)
    found = load_audio(waveform, sampling_rate=44_100)
    assert found.size == expected.size
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("kwargs", "value"),
    [
        ({"start_s": -1.0}, r"-1\.0 s"),
        ({"start_s": 2.0, "end_s": 2.0}, r"2\.0 s to 2\.0 s"),
        ({"start_s": 5.0}, r"5\.0 s"),
    ],
)
def test_an_invalid_slice_is_rejected(kwargs, value):
    with pytest.raises(AudioError, match=value):
        load_audio(voice(1.0, 100), sampling_rate=16_000, **kwargs)


@pytest.mark.parametrize(
    ("array", "rate", "message"),
    [
        (np.zeros(10), None, "`sampling_rate` .*None"),
        (np.zeros((100, 100)), 16_000, "got \\(100, 100\\)"),
        (np.zeros((2, 3, 4)), 16_000, "got \\(2, 3, 4\\)"),
        (np.zeros(10, dtype=complex), 16_000, "got complex128"),
    ],
)
def test_an_array_that_is_not_a_waveform_is_rejected(array, rate, message):
    with pytest.raises(AudioError, match=message):
        load_audio(array, sampling_rate=rate)


def test_something_else_is_rejected():
    with pytest.raises(TypeError, match="got int"):
        load_audio(5)


def test_real_recordings_decode_alike(real_audio):
    files = sorted(real_audio.glob("ravdess/Actor_0[12]/*.wav"))[:20]
    assert files
    for file in files:
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
        expected = soxr.resample(samples.mean(axis=1), rate, SAMPLING_RATE)
        np.testing.assert_allclose(load_audio(file), expected, atol=1e-6)
