import itertools

import av
import numpy as np
import pytest

from modeling import AudioReader, load_audio
from modeling.audio_channels_ser import UNNAMED, Mix, guess_names, mono_weights
from tests.conftest import voice
from tests.support.piped_audio import piped, written

RATE = 16_000


@pytest.mark.parametrize(
    "layout", ["5.1", "5.1(side)", "7.1", "7.1(wide)", "6.1", "5.0", "4.0", "quad", "3.0", "2.1", "hexagonal", "5.1.2"]
)
def test_the_downmix_is_ffmpegs(layout):
    channels = av.AudioLayout(layout).channels
    impulses = np.eye(len(channels), dtype=np.float32)
    frame = av.AudioFrame.from_ndarray(impulses.reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate = RATE
    (mixed,) = av.AudioResampler(format="flt", layout="mono").resample(frame)
    expected = mixed.to_ndarray().ravel()
    np.testing.assert_allclose(mono_weights([c.name for c in channels]), expected / expected.sum(), atol=1e-6)


@pytest.mark.parametrize("names", [["FC"], ["FL", "FR"], [UNNAMED] * 4, [UNNAMED] * 6, ["LFE", "FC"]])
def test_channels_of_other_layouts_are_averaged(names):
    np.testing.assert_array_equal(mono_weights(names), np.full(len(names), 1 / len(names)))


def test_a_file_without_names_has_those_of_films():
    assert guess_names([UNNAMED] * 6) == "FL FR FC LFE BL BR".split()
    assert guess_names([UNNAMED] * 4) == [UNNAMED] * 4
    assert guess_names(["FL", "FR"]) == ["FL", "FR"]


def film(layout: str) -> tuple[np.ndarray, np.ndarray]:
    """Speech in the center and noise around it, `(channels, samples)`; and the speech."""
    speech = voice(3.0, 150)
    names = [channel.name for channel in av.AudioLayout(layout).channels]
    sound = 0.03 * np.random.default_rng(0).normal(size=(len(names), speech.size)).astype(np.float32)
    sound[names.index("LFE")] = 0.5 * np.sin(np.arange(speech.size) / 60)
    sound[names.index("FC")] = speech
    return sound, speech


@pytest.mark.parametrize(
    ("form", "layout"),
    [("wavex", "5.1"), ("wavex", "7.1(wide)"), *itertools.product(["wav", "flac", "mkv", "ogg"], ["5.1", "7.1"])],
)
def test_speech_in_the_center_of_film_sound_is_kept(form, layout):
    sound, speech = film(layout)
    codecs = {"mkv": ("pcm_s16le", "matroska"), "ogg": ("flac", "ogg")}
    libsndfile = form not in codecs
    content = written(sound.T, RATE, form.upper()) if libsndfile else piped(sound, RATE, *codecs[form], layout)
    weights = mono_weights([channel.name for channel in av.AudioLayout(layout).channels])
    found = load_audio(content)
    np.testing.assert_allclose(found, weights.astype(np.float32) @ sound, atol=2e-3)  # 16 bits, clipped noise
    averaged = np.corrcoef(sound.mean(axis=0), speech)[0, 1]
    assert np.corrcoef(found, speech)[0, 1] > max(0.85, averaged + 0.2)


def test_six_channels_of_vorbis_are_distinguished():
    """libsndfile gives them in Vorbis' own order: the center is the second."""
    sound, speech = film("5.1")
    vorbis = sound[[0, 2, 1, 4, 5, 3]]
    found = load_audio(written(vorbis.T, RATE, "OGG", "VORBIS"))
    assert np.corrcoef(found[: speech.size], speech)[0, 1] > 0.85


def test_an_array_has_no_channel_layout_and_is_averaged():
    sound, _ = film("5.1")
    np.testing.assert_allclose(load_audio(sound, sampling_rate=RATE), sound.mean(axis=0), atol=1e-6)


def test_one_channel_alone_is_that_channel_whatever_the_layout():
    sound, speech = film("5.1")
    np.testing.assert_allclose(load_audio(written(sound.T, RATE, "WAVEX"), channel=2), speech, atol=1e-3)


def test_two_channels_are_their_mean_to_the_bit():
    samples = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    np.testing.assert_array_equal(Mix(["FL", "FR"])(samples), samples.mean(axis=1))


@pytest.mark.parametrize(
    ("right", "cancels"),
    [
        (lambda x, noise: -x, True),
        (lambda x, noise: -x + 0.01 * noise, True),
        (lambda x, noise: x, False),
        (lambda x, noise: noise, False),
        (lambda x, noise: 0 * x, False),
        (lambda x, noise: -0.3 * x, False),
    ],
    ids=["opposite", "opposite with noise", "the same", "another sound", "silence", "opposite and softer"],
)
def test_channels_that_cancel_are_reported(right, cancels, caplog, tmp_path):
    left, noise = 0.3 * voice(2.0, 150), 0.1 * np.random.default_rng(0).normal(size=2 * RATE)
    path = tmp_path / "stereo.wav"
    path.write_bytes(written(np.stack([left, right(left, noise)], axis=1), RATE, "WAV"))
    with caplog.at_level("WARNING"), AudioReader(path) as audio:
        audio.read()
        audio.read(0.5, 1.0)
    assert [path.name in record.getMessage() for record in caplog.records] == [True] * cancels
    caplog.clear()
    with caplog.at_level("WARNING"):
        assert np.abs(load_audio(path, channel=0) - left).max() < 1e-3
    assert not caplog.records


@pytest.mark.parametrize("muxer", ["matroska", "ogg"])
def test_channels_of_a_container_that_cancel_are_reported(muxer, caplog):
    left = 0.3 * voice(2.0, 150)
    content = piped(np.stack([left, -left]), RATE, "flac", muxer, "stereo")
    with caplog.at_level("WARNING"):
        load_audio(content)
    assert len(caplog.records) == 1


def test_silence_does_not_cancel():
    mix = Mix(["FL", "FR"])
    mix(np.zeros((1000, 2), np.float32))
    assert not mix.cancels
    with pytest.raises(ValueError, match="channel 2"):
        Mix(["FL", "FR"], 2)
    with pytest.raises(ValueError, match="channels"):
        Mix([])
