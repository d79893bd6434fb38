import numpy as np
import pytest

from inference.dubbing.alignment import Alignment, align
from inference.dubbing.speech_activity import FRAME_S, SpeechActivity, measure_activity
from tests.support.films import write_films

pytestmark = pytest.mark.slow


def error_s(alignment, offset_s, drift, minutes):
    """How far the alignment is off at most, at twenty points of the source."""
    seconds = np.linspace(0, 60 * minutes, 20)
    return np.abs(alignment.to_dub(seconds) - (offset_s + (1 + drift) * seconds)).max()


@pytest.mark.parametrize(("offset_s", "drift", "bed"), [(0.8, 0.001, False), (-12.0, 0.04, False), (0.8, 0.001, True)])
def test_voices_and_languages_differ_and_the_tracks_are_aligned(takes, tmp_path, offset_s, drift, bed):
    source, dub, _ = write_films(tmp_path, takes, minutes=10, offset_s=offset_s, drift=drift, bed=bed)
    alignment = align(measure_activity(source), measure_activity(dub))
    assert error_s(alignment, offset_s, drift, 10) < 0.1
    assert alignment.confidence > 0.8
    assert alignment.drift == pytest.approx(drift, abs=2e-4)


def act(lines: np.ndarray, seconds: float, seed: int) -> SpeechActivity:
    """A track with speech in these lines and noise 45 dB below."""
    random = np.random.default_rng(seed)
    times = np.arange(int(seconds / FRAME_S)) * FRAME_S
    spoken = ((times[:, None] >= lines[:, 0]) & (times[:, None] < lines[:, 1])).any(axis=1)
    return SpeechActivity(lines, np.where(spoken, -25 + 6 * random.normal(size=times.size), -70))


def render_lines(minutes: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    lengths = random.uniform(0.6, 3, round(minutes * 60 / 4))
    starts = np.cumsum(0.3 + random.exponential(1.9, lengths.size)) + np.concatenate([[0], lengths[:-1].cumsum()])
    return np.stack([starts, starts + lengths], axis=1)


@pytest.mark.parametrize(("minutes", "offset_s", "drift"), [(2, -7.0, 0.0), (20, 25.0, -0.04), (40, 0.8, 0.001)])
def test_a_language_that_takes_a_fifth_longer_and_starts_unevenly(minutes, offset_s, drift):
    source = render_lines(minutes, 0)
    shifts = np.random.default_rng(1).normal(scale=0.1, size=len(source))
    starts = source[:, 0] + shifts
    lines = np.stack([starts, starts + 1.2 * np.diff(source)[:, 0]], axis=1) * (1 + drift) + offset_s
    lines = lines[lines[:, 0] > 0]
    seconds = source[-1, 1] + 2
    alignment = align(act(source, seconds, 2), act(lines, lines[-1, 1] + 2, 3))
    assert error_s(alignment, offset_s, drift, minutes) < 0.1


@pytest.mark.parametrize("minutes", [1, 5, 15])
def test_tracks_of_two_films_are_refused(minutes):
    source, other = render_lines(minutes, 4), render_lines(minutes, 5)
    with pytest.raises(ValueError, match=r" \d\.\d\d"):
        align(act(source, source[-1, 1] + 2, 6), act(other, other[-1, 1] + 2, 7))


def test_a_single_line_is_too_short_to_align():
    lines = np.array([[0.5, 3.0]])
    with pytest.raises(ValueError, match="30 s"):
        align(act(lines, 4, 1), act(lines, 4, 2))


def test_silent_tracks_do_not_match():
    lines = np.zeros((0, 2))
    with pytest.raises(ValueError, match=r" \d\.\d\d"):
        align(act(lines, 60, 1), act(lines, 60, 2))


def test_a_track_aligns_with_itself():
    lines = render_lines(5, 8)
    track = act(lines, lines[-1, 1] + 2, 9)
    assert error_s(align(track, track), 0, 0, 5) < 1e-3


def test_there_and_back():
    alignment = Alignment(offset_s=-12.0, drift=0.04, correlation=1.0, confidence=1.0)
    assert alignment.to_dub(100.0) == 92.0
    assert alignment.to_source(alignment.to_dub(np.array([3.0, 4000.0]))) == pytest.approx([3.0, 4000.0])
