import json
import re
from types import SimpleNamespace

import librosa
import numpy as np
import pytest
import soundfile

from inference.dubbing.alignment import Alignment
from inference.dubbing.compare import Limits, check_dub
from inference.dubbing.line_matching import MatchedLines
from inference.dubbing.prosody import LineProsody
from inference.engine.predictor import Predictor
from modeling import Task
from tests.conftest import TASKS, tiny_config
from tests.support.films import write_films

pytestmark = pytest.mark.slow

ANGRY = 12


def by_level(input_values, attention_mask):
    """A network that predicts angry for loud clips, and happy for the others, more or less."""
    power = (input_values**2).sum(axis=1) / attention_mask.sum(axis=1)
    happy = 2 + np.cos(1e5 * power)
    emotion = np.stack([6 * (power > 0.002), happy, np.zeros(len(power))], axis=1)
    return {"emotion": emotion, "gender": np.zeros((len(power), 2)), "f0_mean": power[:, None]}


@pytest.fixture
def predictor():
    return Predictor(tiny_config(), by_level)


@pytest.fixture(scope="module")
def films(takes, tmp_path_factory):
    options = {"minutes": 2, "offset_s": 0.8, "drift": 0.001, "louder": ANGRY}
    return write_films(tmp_path_factory.mktemp("films"), takes, **options)


@pytest.fixture(scope="module")
def check(films):
    return check_dub(Predictor(tiny_config(), by_level), *films[:2])


def test_a_line_that_is_angry_in_the_dub_is_the_worst(check, films):
    starts = films[2]
    worst = check.rows[0]
    assert worst["status"] == "differs"
    assert worst["source_start_s"] == pytest.approx(starts[ANGRY], abs=0.3)
    assert worst["dub_start_s"] == pytest.approx(0.8 + 1.001 * starts[ANGRY], abs=0.3)
    assert (worst["dub_emotion"], worst["source_emotion"]) == ("angry", "happy")
    assert re.match(rf"angry {worst['dub_emotion_score']:.2f} .*, happy \d", worst["reason"])
    assert f"; energy {worst['energy_difference']:+.1f} dB" in worst["reason"]
    assert worst["energy_difference"] == pytest.approx(12, abs=4)
    assert [row["source_emotion"] for row in check.rows].count("angry") == 0
    assert check.count("differs") + check.count("fits") == len(starts)


def test_what_the_tracks_usually_differ_by_is_not_a_finding(check):
    assert check.usual["pitch"] > 6
    pitch = [row["pitch_difference"] for row in check.rows]
    assert np.median(pitch) == pytest.approx(0, abs=1e-6)
    assert sum("pitch" in row["reason"] for row in check.rows) == sum(abs(by) >= 3 for by in pitch) < len(pitch) / 3


def test_a_track_against_itself_has_no_finding(predictor, films):
    check = check_dub(predictor, films[1], films[1])
    assert {row["status"] for row in check.rows} == {"fits"}
    assert len(check.rows) == len(films[2])
    assert check.usual == pytest.approx({"emotion": 0, "pitch": 0, "energy": 0}, abs=1e-6)


def test_limits_define_what_is_a_finding(predictor, films):
    strict = check_dub(predictor, *films[:2], Limits(emotion=0.9, pitch=0.01, energy=99))
    assert strict.count("differs") > 0.9 * len(films[2])
    assert all(row["reason"].startswith("pitch ") for row in strict.rows if row["status"] == "differs")


def test_a_limit_is_above_0():
    with pytest.raises(ValueError, match=r"pitch.* 0\."):
        Limits(pitch=0)


def test_lines_that_one_track_lacks_are_listed_in_order(predictor, films, tmp_path):
    source, dub, starts = films
    sound, rate = soundfile.read(source)
    for line in (3, 7):
        sound[round(starts[line] * rate) : round((starts[line + 1] - 0.2) * rate)] = 1e-5
    soundfile.write(tmp_path / "cut.wav", sound, rate)
    rows = check_dub(predictor, tmp_path / "cut.wav", dub).rows
    added = [row["source_start_s"] for row in rows if row["status"] == "only in the dub"]
    assert added == pytest.approx([starts[3], starts[7]], abs=0.2)
    rows = check_dub(predictor, dub, tmp_path / "cut.wav").rows
    missing = [row["source_start_s"] for row in rows if row["status"] == "missing in the dub"]
    assert missing == pytest.approx([0.8 + 1.001 * starts[3], 0.8 + 1.001 * starts[7]], abs=0.2)


def test_the_rows_hold_built_in_types(check):
    json.dumps(check.rows, allow_nan=False)


def test_a_model_without_classes_is_refused(films):
    predictor = Predictor(tiny_config(tasks=TASKS[2:]), by_level)
    with pytest.raises(ValueError, match="f0_mean"):
        check_dub(predictor, *films[:2])


def test_whispers_have_no_pitch_to_compare(predictor, films, tmp_path):
    """A film whose voices are noise of the same loudness: speech to silero-vad, but nothing that is voiced."""
    sound, rate = soundfile.read(films[0])
    random = np.random.default_rng(0)
    spectrum = np.abs(librosa.stft(sound, n_fft=256))
    phases = np.exp(2j * np.pi * random.random(spectrum.shape))
    soundfile.write(tmp_path / "whisper.wav", librosa.istft(spectrum * phases, n_fft=256, length=sound.size), rate)
    check = check_dub(predictor, tmp_path / "whisper.wav", films[0])
    unknown = [row for row in check.rows if row["status"] != "only in the dub" and row["pitch_difference"] is None]
    assert len(unknown) > 5
    assert not [row for row in unknown if "pitch" in row["reason"]]


def tracks(strength, pitch_spread=1.0, predicted=True):
    """A hundred lines in two tracks, 20 with another emotion in the dub; the model is biased by the language."""
    random = np.random.default_rng(0)
    emotions = random.integers(5, size=100)
    swapped = np.arange(100) % 5 == 0
    spoken = []
    for labels, language in ((emotions, 0), (np.where(swapped, (emotions + 1) % 5, emotions), 1)):
        logits = 4 * np.eye(5)[labels if predicted else random.integers(5, size=100)] + strength * np.eye(5)[language]
        emotion = np.exp(logits + random.normal(scale=0.7, size=logits.shape))
        pitch, energy = random.normal(85 + 7 * language, pitch_spread, 100), random.normal(-30, 1, 100)
        spoken.append(LineProsody(emotion / emotion.sum(axis=1, keepdims=True), pitch, energy))
    return spoken, swapped


def compared(monkeypatch, spoken):
    """What a check finds of lines that are spoken so."""
    times = np.stack([np.arange(100.0), np.arange(100.0) + 0.9], axis=1)
    activity = SimpleNamespace(lines=times)
    lines = MatchedLines(times, times, times[:0], times[:0])
    monkeypatch.setattr("inference.dubbing.compare.measure_activity", lambda _: activity)
    monkeypatch.setattr("inference.dubbing.compare.align", lambda *_: Alignment(0.0, 0.0, 1.0, 1.0))
    monkeypatch.setattr("inference.dubbing.compare.match_lines", lambda *_: lines)
    tracks = iter(spoken)
    monkeypatch.setattr("inference.dubbing.compare.measure_prosody", lambda *_: next(tracks))
    predictor = SimpleNamespace(main_task=Task("emotion", "classification", "emotion", tuple("abcde")))
    return check_dub(predictor, None, None)


@pytest.mark.parametrize("strength", [0, 5])
def test_languages_that_a_model_takes_for_emotions_hide_no_finding(monkeypatch, strength):
    spoken, swapped = tracks(strength)
    check = compared(monkeypatch, spoken)
    found = [round(row["source_start_s"]) for row in check.rows if row["status"] == "differs"]
    assert np.mean([swapped[line] for line in found]) > 0.7
    assert len(set(found) & set(np.flatnonzero(swapped))) >= 15
    assert "emotion" not in check.incomparable


def test_a_model_that_rarely_distinguishes_emotions_is_reported_even_if_it_beats_chance(monkeypatch):
    random = np.random.default_rng(0)
    spoken, _ = tracks(0)
    for track in spoken:
        lost = random.random(100) < 0.5
        track.emotion[lost] = random.permutation(track.emotion)[lost]
    check = compared(monkeypatch, spoken)
    assert 0 < check.agreement < 0.2
    assert check.incomparable.keys() == {"emotion"}


def test_a_model_that_does_not_distinguish_emotions_is_reported(monkeypatch):
    check = compared(monkeypatch, tracks(0, predicted=False)[0])
    assert check.incomparable.keys() == {"emotion"}


def test_pitch_that_spreads_widely_is_reported_and_has_no_findings(monkeypatch):
    """As of many speakers, each dubbed by anyone."""
    check = compared(monkeypatch, tracks(0, pitch_spread=7.0)[0])
    assert check.incomparable.keys() == {"pitch"}
    assert sum("pitch" in row["reason"] for row in check.rows) <= 3
